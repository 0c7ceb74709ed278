import { describe, expect, test } from 'vitest';
import { scriptedKit } from '../../../scripts/lib/scripted-kit.ts';
import { json, post, SALE } from '../../../scripts/lib/scripted-calls.ts';

describe('prices', () => {
  test('come with the rule and the caps behind them', async () => {
    const { prices, rules } = json(await scriptedKit().call({ path: '/v1/prices' }));
    expect((prices as readonly unknown[])[0]).toMatchObject({
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
      expect(json(await post(kit, '/v1/quotes', { lines: [{ ...line, qty: 2 }] }))['totalMinor']).toBe(4998);
  });
});
