import { describe, expect, test, vi } from 'vitest';
import { scriptedKit, type ScriptedKit } from '../../scripts/lib/scripted-kit.ts';
import { OPEN_SHOP, TROUBLED_SHOP } from '../../scripts/lib/scripted-shop.ts';
import type { ApiResponse } from '../core/host.ts';
import { ledgerFailure } from '../ledger/errors.ts';

type Headers = Record<string, string>;

const SALE = { lines: [{ sku: 'TEE-BLK-M', qty: 1 }] };

function post(kit: ScriptedKit, path: string, body: unknown, headers: Headers = {}): Promise<ApiResponse> {
  return kit.call({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  });
}

// eslint-disable-next-line typescript/no-explicit-any
function json(answer: ApiResponse): any {
  return JSON.parse(answer.body as string);
}

function stored(kit: ScriptedKit): number {
  return kit.ledger.range('sale', 1, 10_000, 10_000).length;
}

describe('a request that is wrong', () => {
  test.each<[string, number, string, (kit: ScriptedKit) => Promise<ApiResponse>]>([
    ['of an unknown path', 404, 'route-unknown', (kit) => kit.call({ path: '/v1/nothing' })],
    ['of a path with a trailing slash', 404, 'route-unknown', (kit) => kit.call({ path: '/v1/status/' })],
    ['of a path that climbs', 404, 'route-unknown', (kit) => kit.call({ path: '/pages/..%2f..%2fstart-api.ts' })],
    ['of a path with a broken escape', 404, 'route-unknown', (kit) => kit.call({ path: '/pages/%zz' })],
    [
      'with a method that is not taken',
      405,
      'method-refused',
      (kit) => kit.call({ method: 'DELETE', path: '/v1/sales' }),
    ],
    [
      'that is not JSON by its type',
      415,
      'body-not-json',
      (kit) => post(kit, '/v1/sales', SALE, { 'content-type': 'text/plain' }),
    ],
    [
      'that a form could send',
      415,
      'body-not-json',
      (kit) => post(kit, '/v1/sales', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }),
    ],
    ['that is not JSON by its bytes', 400, 'request-malformed', (kit) => post(kit, '/v1/sales', '{"lines":')],
    ['that is no object', 400, 'request-malformed', (kit) => post(kit, '/v1/sales', [SALE])],
    ['that nests without end', 400, 'request-malformed', (kit) => post(kit, '/v1/sales', '{"a":'.repeat(20_000))],
    [
      'that is not UTF-8',
      400,
      'request-malformed',
      (kit) =>
        kit.call({
          method: 'POST',
          path: '/v1/sales',
          headers: { 'content-type': 'application/json' },
          body: Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d),
        }),
    ],
    ['with an unknown key', 400, 'body-invalid', (kit) => post(kit, '/v1/sales', { ...SALE, total: 1 })],
    ['with an empty body', 400, 'body-invalid', (kit) => kit.call({ method: 'POST', path: '/v1/sales' })],
    ['with sums that do not add up', 422, 'sums-differ', (kit) => post(kit, '/v1/sales', { ...SALE, totalMinor: 1 })],
    [
      'with a card number in a field',
      422,
      'card-data',
      (kit) => post(kit, '/v1/quotes', { lines: [{ sku: '4111111111111111', qty: 1 }] }),
    ],
    [
      'with a card number as its key',
      422,
      'card-data',
      (kit) => post(kit, '/v1/sales', SALE, { 'idempotency-key': '4111111111111111' }),
    ],
    [
      'with an endless key',
      400,
      'idempotency-key-invalid',
      (kit) => post(kit, '/v1/sales', SALE, { 'idempotency-key': 'k'.repeat(256) }),
    ],
    [
      'for an unknown article',
      422,
      'unknown-sku',
      (kit) => post(kit, '/v1/quotes', { lines: [{ sku: 'NOPE', qty: 1 }] }),
    ],
    [
      'with a wrong GTIN',
      422,
      'gtin-invalid',
      (kit) => post(kit, '/v1/quotes', { lines: [{ gtin: '5012345678901', qty: 1 }] }),
    ],
    [
      'for another currency',
      422,
      'currency-mismatch',
      (kit) => post(kit, '/v1/payments', { amountMinor: 1, currency: 'EUR' }),
    ],
    ['for nothing', 400, 'body-invalid', (kit) => post(kit, '/v1/payments', { amountMinor: 0, currency: 'GBP' })],
    ['for an unknown payment', 404, 'payment-unknown', (kit) => kit.call({ path: '/v1/payments/none' })],
    [
      'to wait for ever',
      400,
      'parameter-invalid',
      (kit) => kit.call({ path: '/v1/payments/none', query: new URLSearchParams({ waitS: '-1' }) }),
    ],
    [
      'to resolve an unknown payment',
      404,
      'payment-unknown',
      (kit) => post(kit, '/v1/payments/none/resolve', { outcome: 'approved', actor: 'a', reason: 'r' }),
    ],
    ['to restart an unknown driver', 404, 'driver-unknown', (kit) => post(kit, '/v1/drivers/none/restart', {})],
    [
      'with two overrides in one',
      400,
      'body-invalid',
      (kit) =>
        post(kit, '/v1/overrides', {
          sku: 'CAP-RED',
          pin: { priceMinor: 1 },
          block: true,
          actor: 'a',
          reason: 'r',
          until: '2026-11-27T18:00:00Z',
        }),
    ],
    [
      'approved by its own author',
      400,
      'body-invalid',
      (kit) =>
        post(kit, '/v1/overrides', {
          sku: 'CAP-RED',
          pin: { priceMinor: 1 },
          actor: 'a',
          secondApprovedBy: 'a',
          reason: 'r',
          until: '2026-11-27T18:00:00Z',
        }),
    ],
    ['for a bundle that is not made here', 501, 'bundle-off', (kit) => kit.call({ path: '/v1/support-bundle' })],
    [
      'from another site',
      403,
      'origin-refused',
      (kit) => post(kit, '/v1/sales', SALE, { origin: 'http://evil.example' }),
    ],
    ['under another name', 403, 'host-refused', (kit) => post(kit, '/v1/sales', SALE, { host: 'evil.example' })],
  ])('%s is answered %i %s', async (_what, status, code, ask) => {
    const kit = scriptedKit();
    const answer = await ask(kit);
    expect({ status: answer.status, code: json(answer).error.code }).toEqual({ status, code });
    expect(json(answer).error).toEqual({ code, message: expect.any(String), hint: expect.any(String) });
    expect(stored(kit)).toBe(0);
  });

  test('names the methods that a path takes', async () => {
    const kit = scriptedKit();
    expect((await kit.call({ method: 'PUT', path: '/v1/sales' })).headers!['allow']).toBe('POST');
    expect((await kit.call({ method: 'POST', path: '/v1/status' })).headers!['allow']).toBe('GET, HEAD');
    expect(await kit.call({ method: 'OPTIONS', path: '/v1/status' })).toMatchObject({
      status: 204,
      headers: { allow: 'GET, HEAD' },
    });
  });

  test('that meets a bug is answered 500 without a word of its inside, and logged without a word of the request', async () => {
    const error = vi.fn();
    const kit = scriptedKit({ parts: { log: { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error } } });
    vi.spyOn(kit.desk, 'find').mockImplementation(() => {
      throw new TypeError('secret 4111111111111111');
    });
    const answer = await kit.call({ path: '/v1/payments/x' });
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain('secret');
    expect(error).toHaveBeenCalledExactlyOnceWith('api-bug', { route: '/v1/payments/{intentId}', error: 'TypeError' });
  });

  test('without a token where one is due shows nothing but pages, document and health', async () => {
    const kit = scriptedKit({ listen: '0.0.0.0:8080', token: 'correct-horse-battery' });
    for (const path of [
      '/metrics',
      '/v1/status',
      '/v1/events',
      '/v1/prices',
      '/v1/logs',
      '/v1/kpi',
      '/v1/support-bundle',
      '/v1/payments/x',
      '/v1/nothing',
    ]) {
      const answer = await kit.call({ path, loopback: false, peer: '192.168.1.20' });
      expect(answer.status, path).toBe(401);
      expect(answer.headers!['www-authenticate']).toBe('Bearer realm="barrow"');
    }
    for (const path of ['/v1/sales', '/v1/payments', '/v1/overrides', '/v1/drivers/door/restart', '/v1/reload'])
      expect((await post(kit, path, SALE)).status, path).toBe(401);
    expect((await kit.call({ path: '/healthz' })).status).toBe(200);
    expect((await kit.call({ path: '/openapi.json' })).status).toBe(200);
    expect(stored(kit)).toBe(0);
  });
});

describe('health', () => {
  test('is ok in a shop that works and degraded with reasons in one that does not', async () => {
    const kit = scriptedKit();
    kit.status = OPEN_SHOP;
    expect(json(await kit.call({ path: '/healthz' }))).toEqual({ status: 'ok', reasons: [] });
    kit.status = TROUBLED_SHOP;
    const answer = await kit.call({ path: '/healthz' });
    expect(answer.status).toBe(200);
    expect(json(answer)).toEqual({
      status: 'degraded',
      reasons: ['camera-stalled', 'sensor-silent', 'broker-unreachable'],
    });
  });

  test('is 503 only when the ledger takes no events', async () => {
    const kit = scriptedKit();
    kit.status = { ...OPEN_SHOP, ledger: { ...OPEN_SHOP.ledger, accepting: false } };
    expect((await kit.call({ path: '/healthz' })).status).toBe(503);
  });
});

describe('the till’s feed', () => {
  test('answers 201 with the event that is on disk', async () => {
    const kit = scriptedKit();
    const answer = await post(kit, '/v1/sales', SALE);
    expect(answer.status).toBe(201);
    const [event] = kit.ledger.range('sale', 1, 1, 1);
    expect(json(answer)).toMatchObject({ eventId: `${event!.epoch}/sale/1`, sequence: '1', totalMinor: 2499 });
  });

  test('answers 503 and stores nothing when the ledger fails', async () => {
    const kit = scriptedKit();
    const full = vi.spyOn(kit.ledger, 'transaction').mockImplementation(() => {
      throw ledgerFailure('ledger-full');
    });
    const key = { 'idempotency-key': 'k' };
    const answer = await post(kit, '/v1/sales', SALE, key);
    expect({ status: answer.status, code: json(answer).error.code }).toEqual({ status: 503, code: 'ledger-full' });
    full.mockRestore();
    expect((await post(kit, '/v1/sales', SALE, key)).status).toBe(201);
    expect(stored(kit)).toBe(1);
  });

  test('answers a repeated key as before, across a restart, and another body under it with 422', async () => {
    const kit = scriptedKit();
    const first = await post(kit, '/v1/sales', SALE, { 'idempotency-key': '"k-1"' });
    kit.restart();
    const again = await post(kit, '/v1/sales', SALE, { 'idempotency-key': 'k-1' });
    expect(again).toMatchObject({ status: 201, body: first.body, headers: { 'idempotency-replayed': 'true' } });
    expect(
      (await post(kit, '/v1/sales', { lines: [{ sku: 'CAP-RED', qty: 1 }] }, { 'idempotency-key': 'k-1' })).status,
    ).toBe(422);
    expect(stored(kit)).toBe(1);
  });
});

describe('a key', () => {
  const KEY = { 'idempotency-key': 'k-1' };
  const override = {
    sku: 'CAP-RED',
    pin: { priceMinor: 1600 },
    actor: 'm.lee',
    reason: 'press day',
    until: '2026-11-27T18:00:00Z',
  };

  test('is kept for every other POST too, across a restart', async () => {
    const kit = scriptedKit();
    const quote = json(await post(kit, '/v1/quotes', SALE, KEY));
    await post(kit, '/v1/overrides', override, KEY);
    await post(kit, '/v1/drivers/door/restart', {}, KEY);
    kit.restart();
    expect(json(await post(kit, '/v1/quotes', SALE, KEY))).toEqual(quote);
    expect(json(await post(kit, '/v1/quotes', SALE, { 'idempotency-key': 'k-2' })).quoteId).not.toBe(quote.quoteId);
    expect((await post(kit, '/v1/overrides', { ...override, reason: 'other' }, KEY)).status).toBe(422);
    await post(kit, '/v1/drivers/door/restart', {}, KEY);
    expect(kit.restarted).toEqual(['door']);
  });

  test('sent twice at the same time does its work once', async () => {
    const kit = scriptedKit();
    let release = (): void => undefined;
    vi.spyOn(kit.parts.view, 'restartDriver').mockImplementation(
      () =>
        new Promise((resolve) => {
          release = resolve;
        }),
    );
    const both = [post(kit, '/v1/drivers/door/restart', {}, KEY), post(kit, '/v1/drivers/door/restart', {}, KEY)];
    await vi.waitFor(() => expect(kit.parts.view.restartDriver).toHaveBeenCalledOnce());
    release();
    expect((await Promise.all(both)).map((answer) => answer.status)).toEqual([202, 202]);
    expect(kit.parts.view.restartDriver).toHaveBeenCalledOnce();
  });

  test('of work that failed is free again', async () => {
    const kit = scriptedKit();
    expect((await post(kit, '/v1/drivers/none/restart', {}, KEY)).status).toBe(404);
    expect((await post(kit, '/v1/drivers/none/restart', {}, KEY)).status).toBe(404);
  });
});

describe('a payment', () => {
  test('is 202 while pending, waits for its outcome and is 200 for the same key afterwards', async () => {
    const kit = scriptedKit();
    const body = { amountMinor: 2499, currency: 'GBP' };
    const started = await post(kit, '/v1/payments', body, { 'idempotency-key': 'p-1' });
    expect(started).toMatchObject({ status: 202, headers: { location: '/v1/payments/intent-1' } });
    expect(json(started)).toMatchObject({ intentId: 'intent-1', outcome: 'pending' });
    const waiting = kit.call({ path: '/v1/payments/intent-1', query: new URLSearchParams({ waitS: '5' }) });
    kit.desk.conclude('intent-1', { outcome: 'approved', receiptNo: 231 });
    expect(json(await waiting)).toMatchObject({ outcome: 'approved', receiptNo: 231 });
    expect((await post(kit, '/v1/payments', body, { 'idempotency-key': 'p-1' })).status).toBe(200);
    expect(kit.desk.payments.size).toBe(1);
  });

  test('is listed until it is settled, also after a restart', async () => {
    const kit = scriptedKit();
    kit.status = OPEN_SHOP;
    const listed = async (): Promise<unknown> =>
      (json(await kit.call({ path: '/v1/payments' })) as { payments: { outcome: string }[] }).payments.map(
        (one) => one.outcome,
      );
    expect(await listed()).toEqual([]);
    await post(kit, '/v1/payments', { amountMinor: 1, currency: 'GBP' });
    expect(await listed()).toEqual(['pending']);
    kit.desk.conclude('intent-1', { outcome: 'unknown' });
    kit.restart();
    expect(await listed()).toEqual(['unknown']);
    kit.desk.conclude('intent-1', { outcome: 'approved' });
    expect(await listed()).toEqual([]);
  });

  test('can be stopped, and an unknown one resolved', async () => {
    const kit = scriptedKit();
    await post(kit, '/v1/payments', { amountMinor: 1, currency: 'GBP' });
    expect((await post(kit, '/v1/payments/intent-1/abort', {})).status).toBe(202);
    expect(kit.desk.aborted).toEqual(['intent-1']);
    kit.desk.conclude('intent-1', { outcome: 'unknown' });
    const word = { outcome: 'approved', actor: 'm.lee', reason: 'receipt printed' };
    expect(json(await post(kit, '/v1/payments/intent-1/resolve', word))).toMatchObject({ outcome: 'approved' });
  });
});

describe('prices', () => {
  test('come with the rule and the caps behind them', async () => {
    const { prices, rules } = json(await scriptedKit().call({ path: '/v1/prices' }));
    expect(prices[0]).toMatchObject({
      sku: 'TEE-BLK-M',
      priceMinor: 2499,
      ruleId: 'slow-movers',
      boundBy: ['category'],
    });
    expect(rules).toMatchObject({ version: 7, state: 'in-force' });
  });

  test('are none on a kit without rules, whose quotes are refused', async () => {
    const kit = scriptedKit({ parts: { pricing: null } });
    expect(json(await kit.call({ path: '/v1/prices' }))).toEqual({ currency: 'GBP', prices: [], rules: null });
    expect((await post(kit, '/v1/quotes', SALE)).status).toBe(409);
  });

  test('are quoted by SKU and by GTIN of any length', async () => {
    const kit = scriptedKit();
    for (const line of [{ sku: 'TEE-BLK-M' }, { gtin: '5012345678900' }, { gtin: '05012345678900' }])
      expect(json(await post(kit, '/v1/quotes', { lines: [{ ...line, qty: 2 }] })).totalMinor).toBe(4998);
  });
});

describe('logs and figures', () => {
  test('are filtered by level and driver, and downloaded as lines', async () => {
    const kit = scriptedKit();
    kit.logs = [
      { level: 20, event: 'a', driver: 'door' },
      { level: 40, event: 'b', driver: 'door' },
      { level: 'error', event: 'c', driver: 'shelves' },
    ];
    const of = async (query: Record<string, string>): Promise<unknown> =>
      (
        json(await kit.call({ path: '/v1/logs', query: new URLSearchParams(query) })) as { lines: { event: string }[] }
      ).lines.map((line) => line.event);
    expect(await of({})).toEqual(['a', 'b', 'c']);
    expect(await of({ level: 'warn' })).toEqual(['b', 'c']);
    expect(await of({ driver: 'door' })).toEqual(['a', 'b']);
    expect(await of({ limit: '1' })).toEqual(['c']);
    const file = await kit.call({ path: '/v1/logs', query: new URLSearchParams({ format: 'ndjson' }) });
    expect((file.body as string).trim().split('\n')).toHaveLength(3);
  });

  test('follow the ledger from request to request, also over a new epoch', async () => {
    const kit = scriptedKit();
    await post(kit, '/v1/stock', { kind: 'open', lines: [{ sku: 'TEE-BLK-M', qty: 10 }] });
    await post(kit, '/v1/sales', SALE);
    expect(json(await kit.call({ path: '/v1/kpi' }))).toMatchObject({
      baskets: 1,
      sellThroughBp: 1000,
      complete: true,
    });
    await post(kit, '/v1/sales', SALE);
    kit.event('footfall', 'barrow.footfall.crossing.v1', { direction: 'in' });
    expect(json(await kit.call({ path: '/v1/kpi' }))).toMatchObject({
      baskets: 2,
      sellThroughBp: 2000,
      footfall: { in: 1 },
    });
    expect(json(await scriptedKit({ parts: { ledger: undefined } }).call({ path: '/v1/kpi' }))).toMatchObject({
      baskets: 0,
      complete: false,
    });
  });
});

test('a support bundle is a download whose name cannot break the header', async () => {
  const supportBundle = () =>
    Promise.resolve({ fileName: 'a"\r\nb.tgz', contentType: 'application/gzip', bytes: Uint8Array.of(1) });
  const answer = await scriptedKit({ parts: { supportBundle } }).call({ path: '/v1/support-bundle' });
  expect(answer.headers).toMatchObject({
    'content-disposition': 'attachment; filename="a---b.tgz"',
    'content-type': 'application/gzip',
  });
});

test('a page is sent packed, once, and may load nothing from elsewhere', async () => {
  const page = { contentType: 'text/html; charset=utf-8', bytes: Buffer.from('<p>'), gzipped: Buffer.from('gz') };
  const kit = scriptedKit({ parts: { pages: new Map([['status.html', page]]) } });
  const plain = await kit.call({ path: '/' });
  expect(plain.body).toBe(page.bytes);
  expect(plain.headers!['content-security-policy']).toContain("default-src 'none'");
  expect((await kit.call({ path: '/', headers: { 'accept-encoding': 'br, gzip' } })).body).toBe(page.gzipped);
  expect((await kit.call({ path: '/', headers: { 'accept-encoding': 'gzip;q=0' } })).body).toBe(page.bytes);
  expect((await kit.call({ path: '/', headers: { 'if-none-match': plain.headers!['etag'] } })).status).toBe(304);
  expect((await kit.call({ path: '/pages/status.html' })).status).toBe(200);
  expect((await kit.call({ path: '/pages/__proto__' })).status).toBe(404);
});
