import { describe, expect, test } from 'vitest';
import { scriptedKit } from '../../../scripts/lib/scripted-kit.ts';
import { json, post, SALE } from '../../../scripts/lib/scripted-calls.ts';

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
