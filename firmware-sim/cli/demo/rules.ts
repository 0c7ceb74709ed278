import { generateKeyPairSync } from 'node:crypto';
import { stringify } from 'yaml';
import { loadBundle } from '../../../agent/pricing/bundle/load.ts';
import { signPayload } from '../../../agent/pricing/bundle/sign.ts';
import type { JsonObject } from '../../../drivers/api/reading.ts';
import type { Scenario } from '../../scenario/scenario.ts';

/** Rules for the demo's shop: compiled from their source and signed by a merchant whose key lives as long as the demo. */
export function demoPricing(scenario: Scenario): {
  readonly section: JsonObject;
  readonly files: Readonly<Record<string, string>>;
} {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const loaded = loadBundle(new TextEncoder().encode(stringify(demoRules(scenario))), { sources: true });
  if (!loaded.ok)
    throw new TypeError(`the demo's rules are at fault: ${loaded.faults.map(({ message }) => message).join('; ')}`);
  return {
    section: { trust: [{ file: 'merchant.pub' }], bundle: 'rules.json' },
    files: {
      'merchant.pub': publicKey.export({ format: 'pem', type: 'spki' }) as string,
      'rules.json': JSON.stringify(signPayload(loaded.bytes, privateKey)),
    },
  };
}

function demoRules(scenario: Scenario): JsonObject {
  const dayMs = 86_400_000;
  const at = (ms: number): string => new Date(Date.now() + ms).toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    format: 'barrow.rules/1',
    merchant: 'demo',
    version: 1,
    issuedAt: at(0),
    notBefore: at(-60_000),
    expires: at(2 * dayMs),
    audience: { groups: [scenario.kit.group] },
    rolloutBp: 10_000,
    currency: scenario.kit.currency,
    kill: null,
    catalog: scenario.products.map(({ sku, gtin, category, listMinor, costMinor }) => ({
      sku,
      gtin,
      category,
      listMinor,
      costMinor,
      mapMinor: null,
      priorPriceMinor: listMinor,
    })),
    caps: {
      marginFloorBp: 2_000,
      kit: { maxDiscountBp: 3_000, dayBudgetMinor: 50_000 },
      category: {},
      sku: {},
      maxStepBp: 1_500,
      maxChangesPerDay: 6,
      cooldownMin: 0,
    },
    ladder: [0, 1_000, 1_800, 2_500],
    rounding: { mode: 'charm', endings: [99, 49] },
    rules: [
      {
        id: 'well-stocked',
        rev: 1,
        owner: 'demo',
        approvedBy: 'demo',
        approvedAt: at(0),
        group: 'markdown',
        priority: 10,
        select: { all: true },
        when: 'stock >= 20 && footfall_in_15m >= 2',
        then: { rung: 1 },
        requires: [{ fact: 'stock', maxAgeS: 300 }],
        onStale: 'hold',
      },
    ],
    experiments: [],
    overrides: [],
  };
}
