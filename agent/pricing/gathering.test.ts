import { describe, expect, it } from 'vitest';
import { compare, replay, type RecordedDecision } from './audit/replay.ts';
import type { Bundle, Rule } from './bundle/bundle.ts';
import { keptBundles, readKept } from './bundle/bundle-store.ts';
import { loadBundle } from './bundle/load.ts';
import { pricingEmissions } from './pricing-events.ts';
import { makeKit, makeMerchant, type TestKit } from './testing/kit.ts';
import { sampleBundle } from './testing/samples.ts';

const merchant = makeMerchant();
const SKU = 'TEE-BLK-M';
const MINUTE_MS = 60_000;
const [sampleRule] = sampleBundle.rules as readonly [Rule];

const staged: Rule = {
  ...sampleRule,
  when: { op: '>=', fact: 'stock', value: 20 },
  evidence: { windowMin: 15, atLeast: 2, of: 3 },
  exit: { op: '<', fact: 'stock', value: 10 },
};
const bundle: Bundle = {
  ...sampleBundle,
  rules: [staged],
  caps: { ...sampleBundle.caps, cooldownMin: 0, maxChangesPerDay: 100, allowRaise: true },
};

function offer(kit: TestKit, offered: Bundle): void {
  expect(kit.commit((tx) => kit.pricing.offer(tx, merchant.sign(offered), 'test'))).toBeNull();
  kit.tick(61_000);
}

/** The shelf says how many there are, and the agent goes on for some minutes. */
function shelf(kit: TestKit, count: number, minutes: number): void {
  const said = { sensorId: 's1', sku: SKU, count, delta: 0, grams: 0, cause: 'first' };
  for (let minute = 0; minute < minutes; minute += 1) {
    kit.put('shelf', 'barrow.shelf.count.v1', said);
    kit.tick(MINUTE_MS);
  }
}

const decided = (kit: TestKit): readonly { readonly ruleId: unknown; readonly inputs: unknown }[] =>
  kit.events('barrow.price.decided.v1').map(({ data }) => ({ ruleId: data['ruleId'], inputs: data['inputs'] }));
const recordsOf = (kit: TestKit): readonly RecordedDecision[] =>
  kit
    .events('barrow.price.decided.v1')
    .map((event) => ({ id: String(event.sequence), data: JSON.stringify(event.data), wallMs: event.wallMs }));
const bundlesOf = (kit: TestKit): ReadonlyMap<string, Bundle> =>
  new Map(
    keptBundles(kit.ledger).map((kept) => {
      const loaded = loadBundle(readKept(kit.ledger, kept)!, { sources: false });
      return [kept.hash, loaded.ok ? loaded.bundle : sampleBundle];
    }),
  );

/** How often an item was saved, seen from the kit's own transactions. */
function countSaves(kit: TestKit): { count: number } {
  const saves = { count: 0 };
  const { commit } = kit;
  kit.commit = (work) =>
    commit((tx) =>
      work({
        ...tx,
        save: (owner, key, value) => {
          if (key === `item/${SKU}`) saves.count += 1;
          tx.save(owner, key, value);
        },
      }),
    );
  return saves;
}

describe('evidence on a kit', () => {
  it('is gathered without a record, survives restarts, and stands in the inputs of the decision that comes from it', () => {
    const kit = makeKit({ trust: [merchant.trusted], now: '2026-11-27T09:58:00Z' });
    offer(kit, bundle);
    const before = kit.events().length;
    shelf(kit, 25, 20);
    kit.restart();
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 2500, decision: null, ruleId: null });
    shelf(kit, 25, 5);
    kit.restart();
    shelf(kit, 25, 5);
    const types = kit.events().slice(before);
    expect(types.filter(({ type }) => type === 'barrow.price.decided.v1')).toEqual([]);
    expect(types.every(({ type }) => type === 'barrow.checkpoint.v1')).toBe(true);
    shelf(kit, 25, 2);
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 2250, ruleId: 'slow-tees' });
    expect(decided(kit)).toMatchObject([
      {
        ruleId: 'slow-tees',
        inputs: { state: { [SKU]: { priceMinor: 2500, evidence: { 'slow-tees': { rev: 1, on: false } } } } },
      },
    ]);
  });

  it('does not grow while the agent is down: a window without any decision did not hold', () => {
    const kit = makeKit({ trust: [merchant.trusted], now: '2026-11-27T09:58:00Z' });
    offer(kit, bundle);
    shelf(kit, 25, 14);
    kit.clock.pass(18 * MINUTE_MS);
    kit.restart();
    shelf(kit, 25, 13);
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 2500 });
    shelf(kit, 25, 15);
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 2250 });
  });

  it('keeps a rule on over a restart, until its exit', () => {
    const kit = makeKit({ trust: [merchant.trusted], now: '2026-11-27T09:58:00Z' });
    offer(kit, bundle);
    shelf(kit, 25, 33);
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 2250 });
    kit.restart();
    shelf(kit, 12, 3);
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 2250, ruleId: 'slow-tees' });
    shelf(kit, 9, 1);
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 2500, ruleId: null });
  });

  it('is saved about twice a window, and no price is announced anew for it', () => {
    const kit = makeKit({ trust: [merchant.trusted], now: '2026-11-27T09:58:00Z' });
    offer(kit, { ...bundle, rules: [{ ...staged, evidence: { windowMin: 15, atLeast: 12, of: 12 } }] });
    kit.pricing.takeChangedPrices();
    const saves = countSaves(kit);
    for (let quarter = 0; quarter < 8; quarter += 1) {
      shelf(kit, 25, 7);
      shelf(kit, 5, 8);
    }
    expect(saves.count).toBeGreaterThanOrEqual(8);
    expect(saves.count).toBeLessThanOrEqual(18);
    expect(kit.pricing.takeChangedPrices()).toEqual([]);
  });

  it('is not ahead of the ledger after a transaction that was rolled back', () => {
    const kit = makeKit({ trust: [merchant.trusted], now: '2026-11-27T09:58:00Z' });
    offer(kit, bundle);
    shelf(kit, 25, 12);
    const saved = JSON.stringify(kit.ledger.saved('pricing', `item/${SKU}`));
    kit.clock.pass(15 * MINUTE_MS);
    expect(() =>
      kit.commit((tx) => {
        kit.pricing.tick(tx);
        expect(JSON.stringify(tx.saved('pricing', `item/${SKU}`))).not.toBe(saved);
        throw new Error('the disk was full');
      }),
    ).toThrow('the disk was full');
    expect(JSON.stringify(kit.ledger.saved('pricing', `item/${SKU}`))).toBe(saved);
    shelf(kit, 25, 1);
    const { state } = kit.ledger.saved('pricing', `item/${SKU}`) as { state: { evidence: object } };
    expect(state.evidence).toMatchObject({ 'slow-tees': { held: [false, true, true] } });
  });

  it('leaves an item whose price nobody decided at the list price of each new bundle', () => {
    const kit = makeKit({ trust: [merchant.trusted], now: '2026-11-27T09:58:00Z' });
    offer(kit, bundle);
    shelf(kit, 25, 3);
    expect(kit.ledger.saved('pricing', `item/${SKU}`)).toMatchObject({ decision: null });
    const [item] = bundle.catalog;
    const dearer = { ...bundle, version: 8, catalog: [{ ...item!, listMinor: 3000 }] };
    offer(kit, dearer);
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 3000, discountBp: 0 });
    shelf(kit, 25, 3);
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 3000, discountBp: 0 });
    expect(decided(kit)).toEqual([]);
    offer(kit, { ...dearer, version: 9, rules: [] });
    expect(kit.ledger.saved('pricing', `item/${SKU}`)).not.toHaveProperty('state.evidence');
  });
});

describe('a replay of decisions that came from evidence', () => {
  const kit = makeKit({ trust: [merchant.trusted], now: '2026-11-27T09:58:00Z' });
  offer(kit, bundle);
  for (let round = 0; round < 3; round += 1) {
    shelf(kit, 25, 50);
    kit.restart();
    shelf(kit, 12, 5);
    shelf(kit, 9, 2);
  }
  const records = recordsOf(kit);

  it('comes to the same bytes, and tells where what was gathered was changed', () => {
    expect(records.length).toBeGreaterThanOrEqual(6);
    const same = { records: records.length, identical: records.length, differing: [], withoutBundle: 0 };
    expect(replay(records, bundlesOf(kit))).toEqual(same);
    const index = records.findIndex(({ data }) => data.includes('"held":[true'));
    const forged = records.map((record, at) =>
      at === index ? { ...record, data: record.data.replace('"held":[true', '"held":[false') } : record,
    );
    expect(replay(forged, bundlesOf(kit))).toMatchObject({ identical: records.length - 1 });
  });

  it('has the published shape', () => {
    const shape = pricingEmissions.find(({ type }) => type === 'barrow.price.decided.v1')!.data;
    for (const { data } of records) expect(shape.safeParse(JSON.parse(data)).error).toBeUndefined();
  });

  it('gathers for another bundle from the recorded moments alone', () => {
    const [first] = compare(records, [], { ...bundle, rules: [{ ...staged, id: 'other' }] });
    expect(first!.prices.length).toBe(records.length);
    expect(first!.prices.map(({ otherMinor }) => otherMinor)).not.toContain(2250);
    const [eager] = compare(records, [], { ...bundle, rules: [{ ...sampleRule, id: 'other', when: staged.when }] });
    expect(eager!.prices.map(({ otherMinor }) => otherMinor)).toContain(2250);
  });
});
