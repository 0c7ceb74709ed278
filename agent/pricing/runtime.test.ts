import { describe, expect, it } from 'vitest';
import type { Bundle } from './bundle/bundle.ts';
import { loadBundle } from './bundle/load.ts';
import { keptBundles, readKept } from './bundle/bundle-store.ts';
import { pricingEmissions } from './pricing-events.ts';
import { replay } from './audit/replay.ts';
import { makeKit, makeMerchant, type TestKit } from './testing/kit.ts';
import { sampleBundle } from './testing/samples.ts';
import { RULES_PER_PASS } from './turns.ts';

const merchant = makeMerchant();
const stranger = makeMerchant();
const SKU = 'TEE-BLK-M';

function offer(kit: TestKit, bundle: Bundle, signer = merchant): string | null {
  return kit.commit((tx) => kit.pricing.offer(tx, signer.sign(bundle), 'test'));
}

/** Shelf and door say what the sample rule asks for. */
function busy(kit: TestKit, stock = 25): void {
  kit.put('shelf', 'barrow.shelf.count.v1', {
    sensorId: 's1',
    sku: SKU,
    count: stock,
    delta: 0,
    grams: 0,
    cause: 'first',
  });
  for (let person = 0; person < 30; person += 1)
    kit.put('footfall', 'barrow.footfall.crossing.v1', { counterId: 'door', lineId: 'entrance', direction: 'in' });
}

const version = (number: number, more: Partial<Bundle> = {}): Bundle => ({ ...sampleBundle, version: number, ...more });
const pin = (priceMinor: number, more: object = {}): Parameters<TestKit['pricing']['override']>[1] => ({
  sku: SKU,
  action: { pin: { priceMinor } },
  actor: 'm.lee',
  reason: 'press day',
  until: '2026-11-27T12:00:00Z',
  ...more,
});

describe('prices on a kit', () => {
  it('fall by a rung when shelf and door give the rule its facts, and say why', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    expect(offer(kit, sampleBundle)).toBeNull();
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 2500, announce: false, decision: null });
    busy(kit);
    kit.tick();
    const price = kit.pricing.price(SKU)!;
    expect(price).toMatchObject({
      priceMinor: 2250,
      discountBp: 1000,
      announce: true,
      priorPriceMinor: 2500,
      ruleId: 'slow-tees',
    });
    const [event] = kit.events('barrow.price.decided.v1');
    expect(price.decision).toBe(`${kit.ledger.epoch}/price/${event!.sequence}`);
    expect(event!.data).toMatchObject({
      inputs: {
        facts: {
          [SKU]: { stock: { value: 25, quality: 'ok' }, footfall_in_60m: { value: 30 }, weekday: { value: 'fri' } },
        },
      },
      stateAfter: { rung: 1, priceMinor: 2250, changesToday: 1 },
      bundle: { version: 7, merchant: 'acme' },
    });
    expect(kit.pricing.takeChangedPrices()).toEqual([
      {
        sku: SKU,
        message: {
          priceMinor: 2250,
          listMinor: 2500,
          currency: 'GBP',
          discountBp: 1000,
          announce: true,
          decision: price.decision,
        },
      },
    ]);
    expect(kit.pricing.takeChangedPrices()).toEqual([]);
  });

  it('clear the message of an item that a new bundle prices no more, also after a start', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    const [tee] = sampleBundle.catalog;
    const cap = { ...tee!, sku: 'CAP-RED', gtin: null };
    offer(kit, { ...sampleBundle, catalog: [tee!, cap] });
    expect(kit.pricing.takeChangedPrices().map(({ sku }) => sku)).toEqual([SKU, 'CAP-RED']);
    offer(kit, { ...sampleBundle, version: 8 });
    expect(kit.pricing.takeChangedPrices()).toContainEqual({ sku: 'CAP-RED', message: null });
    expect(kit.pricing.takeChangedPrices()).toEqual([]);
    kit.restart();
    expect(kit.pricing.takeChangedPrices()).toContainEqual({ sku: 'CAP-RED', message: null });
  });

  it('hold while the shelf has been silent for longer than the rule allows, also when its driver says so', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    offer(kit, sampleBundle);
    busy(kit);
    kit.clock.pass(301_000);
    kit.tick();
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 2500, boundBy: ['stale'] });
    kit.put('shelf', 'barrow.sensor.v1', { sensorId: 's1', measurements: [], rssiDbm: -60 });
    kit.put('agent', 'barrow.driver.state.v1', {
      driverId: 'shelves',
      part: 's1',
      state: 'silent',
      code: 'sensor-silent',
    });
    kit.tick();
    expect(kit.pricing.price(SKU)!.priceMinor).toBe(2500);
    kit.put('agent', 'barrow.driver.state.v1', { driverId: 'shelves', part: 's1', state: 'ready', code: null });
    kit.tick();
    expect(kit.pricing.price(SKU)!.priceMinor).toBe(2250);
  });

  it('freeze while the clock is not set', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    offer(kit, sampleBundle);
    kit.clock.trusted = 'unset';
    busy(kit);
    kit.tick();
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 2500 });
    kit.clock.trusted = 'synced';
    kit.tick();
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 2250 });
  });

  it('stop falling once the day’s discounts are spent, a voided sale giving back', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    const sale = { lines: [{ sku: SKU, qty: 2, netMinor: 0, discountMinor: 50_000 }] };
    offer(kit, sampleBundle);
    kit.put('sale', 'barrow.sale.v1', sale);
    busy(kit);
    kit.tick();
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 2500, boundBy: ['dayBudget'] });
    const last = kit.events('barrow.price.decided.v1').at(-1)!;
    expect(last.data).toMatchObject({
      inputs: {
        dayBudgetUsedMinor: 50_000,
        facts: { [SKU]: { sold_today: { value: 2 }, budget_left_minor: { value: 0 } } },
      },
    });
    kit.put('sale', 'barrow.void.v1', { originalEventId: `${kit.ledger.epoch}/sale/1`, linked: true });
    kit.tick();
    expect(kit.pricing.price(SKU)!.priceMinor).toBe(2250);
  });

  it('take pins, blocks and releases from the people on the spot, and let them run out', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    offer(kit, sampleBundle);
    const set = (override: Parameters<TestKit['pricing']['override']>[1]): number =>
      kit.commit((tx) => kit.pricing.override(tx, override)).priceMinor;
    expect(set(pin(1900))).toBe(1900);
    expect(set(pin(100))).toBe(1750);
    expect(set(pin(100, { secondApprovedBy: ' M.Lee ' }))).toBe(1750);
    expect(set(pin(100, { secondApprovedBy: 'a.khan' }))).toBe(100);
    expect(set({ ...pin(0), action: { block: true } })).toBe(2500);
    expect(set(pin(1900))).toBe(1900);
    expect(set({ ...pin(0), action: { release: true } })).toBe(1900);
    expect(kit.events('barrow.override.v1')).toHaveLength(7);
    expect(() => set(pin(1900, { until: '2026-11-27T09:00:00Z' }))).toThrow(
      expect.objectContaining({ code: 'override-invalid' }),
    );
    expect(() => set(pin(1900, { sku: 'constructor' }))).toThrow(expect.objectContaining({ code: 'unknown-sku' }));
    kit.tick(3 * 3_600_000);
    expect(kit.pricing.price(SKU)!.boundBy).toEqual(['noRaise']);
  });

  it('survive a restart, a rolled back transaction and the same events folded twice', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    offer(kit, sampleBundle);
    kit.tick(61_000);
    kit.tick(61_000);
    busy(kit);
    expect(() =>
      kit.commit((tx) => {
        kit.pricing.override(tx, pin(1900));
        throw new Error('the disk was full');
      }),
    ).toThrow('the disk was full');
    expect(kit.pricing.price(SKU)!.priceMinor).not.toBe(1900);
    kit.tick();
    expect(kit.pricing.price(SKU)!.priceMinor).toBe(2250);
    const before = kit.pricing.price(SKU);
    kit.restart();
    expect(kit.pricing.price(SKU)).toEqual(before);
    kit.tick();
    expect(kit.pricing.price(SKU)).toEqual(before);
  });
});

describe('bundles offered to a kit', () => {
  it('are refused, each with its code and one event however often they come', () => {
    const kit = makeKit({ trust: [merchant.trusted], group: 'southern' });
    const all = { audience: {} };
    const refused: readonly (readonly [string, Bundle])[] = [
      ['audience-other', version(1)],
      ['bundle-expired', version(1, { ...all, expires: '2026-11-27T10:00:00Z' })],
      ['currency-other', version(1, { ...all, currency: 'EUR' })],
      ['outside-rollout', version(1, { ...all, rolloutBp: 0 })],
      ['engine-too-old', version(1, { ...all, minEngine: 2 })],
    ];
    for (const [code, bundle] of refused) {
      expect(offer(kit, bundle)).toBe(code);
      expect(offer(kit, bundle)).toBe(code);
    }
    expect(offer(kit, version(1, all), stranger)).toBe('signature-invalid');
    expect(
      kit.commit((tx) => kit.pricing.offer(tx, new TextEncoder().encode(JSON.stringify(sampleBundle)), 'test')),
    ).toBe('signature-missing');
    expect(kit.commit((tx) => kit.pricing.offer(tx, new Uint8Array([0xff, 0x00]), 'test'))).toBe('bundle-syntax');
    expect(kit.events('barrow.rules.rejected.v1').map((event) => event.data['code'])).toEqual([
      ...refused.map(([code]) => code),
      'signature-invalid',
      'signature-missing',
      'bundle-syntax',
    ]);
    expect(kit.pricing.bundle()).toBeNull();
    expect(() => kit.pricing.quote([{ sku: SKU, qty: 1 }])).toThrow(expect.objectContaining({ code: 'no-rules' }));
  });

  it('only ever rise in version, per key, across restarts; the one in force may come again', () => {
    const second = makeMerchant();
    const kit = makeKit({ trust: [merchant.trusted, second.trusted] });
    expect(offer(kit, version(7))).toBeNull();
    expect(offer(kit, version(7))).toBeNull();
    expect(offer(kit, version(7, { kill: 'list' }))).toBe('version-not-newer');
    kit.restart();
    expect(offer(kit, version(6))).toBe('version-not-newer');
    expect(offer(kit, version(1, { kill: 'list' }), second)).toBeNull();
    expect(offer(kit, version(7))).toBe('version-not-newer');
    expect(offer(kit, version(8))).toBeNull();
    expect(
      kit.events('barrow.rules.activated.v1').map((event) => [event.data['version'], event.data['keyId']]),
    ).toEqual([
      [7, merchant.trusted.keyId],
      [1, second.trusted.keyId],
      [8, merchant.trusted.keyId],
    ]);
  });

  it('decide by their pins at once, with no driver and no fact', () => {
    const kit = makeKit({ trust: [merchant.trusted], counters: [] });
    const overrides = [
      { sku: SKU, pin: { priceMinor: 1900 }, actor: 'm.lee', reason: 'press day', until: '2026-11-28T00:00:00Z' },
    ];
    offer(kit, version(7, { overrides }));
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 1900, boundBy: ['pin'], announce: true });
  });

  it('give way to the one before when the agent does not stay up with them', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    offer(kit, version(7));
    kit.tick(61_000);
    offer(kit, version(8, { kill: 'list' }));
    expect(kit.pricing.bundle()).toMatchObject({ version: 8, state: 'killed' });
    for (let start = 0; start < 3; start += 1) {
      kit.restart();
      kit.tick();
    }
    expect(kit.pricing.bundle()).toMatchObject({ version: 7, state: 'in-force' });
    expect(kit.events('barrow.rules.rejected.v1').at(-1)!.data).toMatchObject({ code: 'crash-loop', version: 8 });
    expect(offer(kit, version(8, { kill: 'list' }))).toBe('version-not-newer');
    expect(offer(kit, version(9))).toBeNull();
  });

  it('stay when the agent does stay up', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    offer(kit, version(7));
    offer(kit, version(8, { kill: 'list' }));
    for (let start = 0; start < 5; start += 1) {
      kit.restart();
      kit.tick();
      kit.tick(61_000);
    }
    expect(kit.pricing.bundle()).toMatchObject({ version: 8 });
  });
});

describe('a floor', () => {
  it('holds again the moment that an approved pin below it runs out, whether or not anything was decided since', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    offer(kit, sampleBundle);
    kit.commit((tx) => kit.pricing.override(tx, pin(1000, { secondApprovedBy: 'a.khan' })));
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 1000 });
    kit.clock.pass(2 * 3_600_000);
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 1750 });
    expect(kit.pricing.quote([{ sku: SKU, qty: 2, couponMinor: 500 }])).toMatchObject({ totalMinor: 3500 });
  });

  it('that comes with a bundle holds for items whose turn to be decided is still to come', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    const [rule, item] = [sampleBundle.rules[0]!, sampleBundle.catalog[0]!];
    const rules = Array.from({ length: 1_000 }, (_, index) => ({ ...rule, id: `r${index}` }));
    const catalog = Array.from({ length: 25 }, (_, index) => ({ ...item, sku: `S${index}`, gtin: null }));
    const { action, ...who } = pin(1800);
    const overrides = [{ ...who, sku: 'S24', ...(action as { pin: { priceMinor: number } }) }];
    offer(kit, version(7, { catalog, overrides }));
    expect(kit.pricing.price('S24')).toMatchObject({ priceMinor: 1800 });
    const caps = { ...sampleBundle.caps, marginFloorBp: 6_000 };
    offer(kit, version(8, { catalog, rules, caps }));
    expect(catalog.length * rules.length).toBeGreaterThan(RULES_PER_PASS);
    const decided = (): unknown[] => kit.events('barrow.price.decided.v1').filter((event) => event.subject === 'S24');
    expect(decided()).toHaveLength(1);
    expect(kit.pricing.price('S24')).toMatchObject({ priceMinor: 2250 });
    kit.tick();
    expect(decided()).toHaveLength(2);
  });
});

describe('a quote', () => {
  const kit = makeKit({ trust: [merchant.trusted] });
  offer(kit, sampleBundle);
  kit.commit((tx) => kit.pricing.override(tx, pin(1900)));

  it('keeps every line, coupons and quantities included, at or above its floor', () => {
    const quote = kit.pricing.quote([
      { sku: SKU, qty: 3, couponMinor: 100 },
      { gtin: '5012345678900', qty: 2, couponMinor: 1_000_000 },
    ]);
    expect(quote.lines).toMatchObject([
      { sku: SKU, qty: 3, unitMinor: 1900, lineMinor: 5600, couponMinor: 100, discountMinor: 1900, boundBy: ['pin'] },
      { sku: SKU, qty: 2, unitMinor: 1900, lineMinor: 3500, couponMinor: 300, discountMinor: 1500 },
    ]);
    expect(quote.lines[1]!.boundBy).toEqual(['category', 'kit', 'marginFloor', 'pin']);
    expect(quote).toMatchObject({ currency: 'GBP', totalMinor: 9100, discountMinor: 3400 });
    expect(quote.quoteId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it.each([
    [[], 'quote-invalid'],
    [[{ sku: SKU, qty: 0 }], 'quote-invalid'],
    [[{ sku: SKU, qty: 1.5 }], 'quote-invalid'],
    [[{ sku: SKU, qty: 1, couponMinor: -1 }], 'quote-invalid'],
    [[{ sku: SKU, qty: Number.MAX_SAFE_INTEGER }], 'quote-invalid'],
    [[{ sku: '__proto__', qty: 1 }], 'unknown-sku'],
    [[{ qty: 1 }], 'unknown-sku'],
  ] as const)('refuses %j', (lines, code) => {
    expect(() => kit.pricing.quote(lines)).toThrow(expect.objectContaining({ code }));
  });
});

describe('every event of pricing', () => {
  it('has the shape that is published for its type', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    offer(kit, version(7));
    offer(kit, version(6));
    busy(kit);
    kit.tick();
    for (const override of [pin(1900, { secondApprovedBy: 'a.khan' }), { ...pin(0), action: { block: true as const } }])
      kit.commit((tx) => kit.pricing.override(tx, override));
    kit.tick();
    const schemas = new Map(pricingEmissions.map((emission) => [emission.type, emission.data]));
    for (const event of kit.events()) expect(schemas.get(event.type)!.safeParse(event.data).error).toBeUndefined();
    expect(new Set(kit.events().map((event) => event.type))).toEqual(new Set(schemas.keys()));
  });
});

describe('a replay', () => {
  it('comes to the same bytes for every recorded decision, and tells one that was changed', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    offer(
      kit,
      version(7, {
        experiments: [
          {
            id: 'depth',
            salt: 'a1',
            unit: 'kit-category-day',
            cells: [{ name: 'deep', weightBp: 10_000, addRungs: 1 }],
          },
        ],
      }),
    );
    for (let hour = 0; hour < 5; hour += 1) {
      busy(kit, 25 - hour);
      kit.tick();
      kit.tick(3_600_000);
      kit.commit((tx) => kit.pricing.override(tx, pin(1800 + hour, { until: '2026-11-27T23:00:00Z' })));
      kit.commit((tx) =>
        kit.pricing.override(tx, { ...pin(0), action: { release: true }, until: '2026-11-27T23:00:00Z' }),
      );
    }
    const bundles = new Map(
      keptBundles(kit.ledger).map((kept) => {
        const loaded = loadBundle(readKept(kit.ledger, kept)!, { sources: false });
        return [kept.hash, loaded.ok ? loaded.bundle : sampleBundle];
      }),
    );
    const records = kit
      .events('barrow.price.decided.v1')
      .map((event) => ({ id: String(event.sequence), data: JSON.stringify(event.data), wallMs: event.wallMs }));
    expect(records.length).toBeGreaterThan(8);
    expect(replay(records, bundles)).toEqual({
      records: records.length,
      identical: records.length,
      differing: [],
      withoutBundle: 0,
    });
    const changed = records.map((record, index) =>
      index === 3 ? { ...record, data: record.data.replace(/"discountBp":\d+/, '"discountBp":1') } : record,
    );
    expect(replay(changed, bundles)).toMatchObject({ identical: records.length - 1 });
    expect(replay(records, new Map())).toMatchObject({ identical: 0, withoutBundle: records.length });
  });
});
