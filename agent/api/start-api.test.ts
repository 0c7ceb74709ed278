import { describe, expect, test, vi } from 'vitest';
import { scriptedKit, type ScriptedKit } from '../../scripts/lib/scripted-kit.ts';
import { OPEN_SHOP, TROUBLED_SHOP } from '../../scripts/lib/scripted-shop.ts';
import type { ApiResponse } from '../core/host.ts';
import { json, post, SALE } from '../../scripts/lib/scripted-calls.ts';

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
    expect(answer.status).toBe(status);
    expect(json(answer)['error']).toEqual({ code, message: expect.any(String), hint: expect.any(String) });
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
