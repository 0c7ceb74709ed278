import { describe, expect, it } from 'vitest';
import { pricingEmissions } from './pricing-events.ts';
import { makeKit, type TestKit } from './testing/kit.ts';
import { sampleBundle } from './testing/samples.ts';
import { RULES_PER_PASS } from './turns.ts';
import { busy, merchant, offer, pin, SKU, version } from './testing/sample-offers.ts';

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
