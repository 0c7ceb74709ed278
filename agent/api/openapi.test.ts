import { expect, test } from 'vitest';
import { scriptedKit } from '../../scripts/lib/scripted-kit.ts';
import { OPEN_SHOP, TROUBLED_SHOP } from '../../scripts/lib/scripted-shop.ts';
import { openApiDocument } from './openapi.ts';
import { RequestStats } from './request-stats.ts';
import { apiRoutes } from './start-api.ts';
import { errorSchema, statusSchema } from './answer-schemas.ts';

const routes = apiRoutes(scriptedKit().parts, new RequestStats());

test('the document has each route that is served, and names each operation once', async () => {
  const document = JSON.parse((await scriptedKit().call({ path: '/openapi.json' })).body as string);
  expect(document.openapi).toBe('3.1.0');
  const described = Object.entries(document.paths as Record<string, Record<string, { operationId: string }>>).flatMap(
    ([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(described.sort()).toEqual(routes.map((route) => `${route.method} ${route.path}`).sort());
  const ids = Object.values(document.paths as Record<string, Record<string, { operationId: string }>>).flatMap(
    (methods) => Object.values(methods).map((operation) => operation.operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
  for (const path of [
    '/',
    '/healthz',
    '/metrics',
    '/v1/status',
    '/v1/events',
    '/v1/prices',
    '/v1/quotes',
    '/v1/payments',
    '/v1/payments/{intentId}',
    '/v1/payments/{intentId}/resolve',
    '/v1/sales',
    '/v1/returns',
    '/v1/voids',
    '/v1/stock',
    '/openapi.json',
  ])
    expect(Object.keys(document.paths), path).toContain(path);
});

test('every example is one', () => {
  for (const route of routes) {
    if (route.method === 'POST') expect(route.body, route.path).toBeDefined();
    if (route.body !== undefined)
      expect(route.body.schema.safeParse(route.body.example).error, route.path).toBeUndefined();
    for (const answer of route.answers)
      if (answer.schema !== undefined)
        expect(answer.schema.safeParse(answer.example).error, `${route.path} ${answer.status}`).toBeUndefined();
  }
});

test('every POST says that it honours an Idempotency-Key, and does', () => {
  const document = openApiDocument(routes, { version: '1' });
  for (const route of routes.filter((one) => one.method === 'POST')) {
    expect(route.idempotency, route.path).toBeDefined();
    expect(JSON.stringify((document['paths'] as never)[route.path])).toContain('Idempotency-Key');
  }
});

test('what is answered is what the document says', async () => {
  const kit = scriptedKit();
  kit.parts.view.status = () => kit.status;
  for (const status of [OPEN_SHOP, TROUBLED_SHOP]) expect(statusSchema.safeParse(status).error).toBeUndefined();
  for (const route of routes.filter((one) => one.method === 'GET' && !one.path.includes('{'))) {
    const answer = await kit.call({ path: route.path });
    const described = route.answers.find((one) => one.status === answer.status);
    const schema = described === undefined ? errorSchema : described.schema;
    if (schema !== undefined)
      expect(schema.safeParse(JSON.parse(answer.body as string)).error, route.path).toBeUndefined();
  }
  const bodies: Record<string, unknown> = {
    '/v1/returns': { lines: [{ sku: 'TEE-BLK-M', qty: 1 }] },
    '/v1/voids': { originalEventId: 'elsewhere' },
  };
  for (const route of routes.filter((one) => one.method === 'POST')) {
    const path = route.path.replace('{driverId}', 'door').replace('{intentId}', 'intent-1');
    const body = Buffer.from(JSON.stringify(bodies[route.path] ?? route.body!.example));
    const answer = await kit.call({ method: 'POST', path, headers: { 'content-type': 'application/json' }, body });
    const described = route.answers.find((one) => one.status === answer.status);
    expect(
      described?.schema?.safeParse(JSON.parse(answer.body as string)).error,
      `${route.path} ${answer.status} ${answer.body as string}`,
    ).toBeUndefined();
    expect(described, `${route.path} ${answer.status} ${answer.body as string}`).toBeDefined();
  }
});
