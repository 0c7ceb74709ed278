import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CurrentPrice, LocalOverride } from '../core/pricing.ts';
import type { Bundle, CatalogItem, PinOverride } from './bundle/bundle.ts';
import { formatInstant } from './decide/instant.ts';
import { isPin } from './decide/program.ts';
import { makeKit, makeMerchant, type TestKit } from './testing/kit.ts';
import { bundleArb } from './testing/samples.ts';

const merchant = makeMerchant();
const big = BigInt;

type Step =
  | { readonly do: 'offer'; readonly bundle: Bundle }
  | {
      readonly do: 'override';
      readonly item: number;
      readonly how: LocalOverride['action'];
      readonly by: readonly [string, string?];
      readonly minutes: number;
    }
  | { readonly do: 'count'; readonly item: number; readonly count: number }
  | { readonly do: 'come'; readonly people: number }
  | { readonly do: 'pass'; readonly minutes: number }
  | { readonly do: 'trust'; readonly trust: 'synced' | 'estimated' | 'unset' }
  | { readonly do: 'restart' };

const item = fc.nat({ max: 7 });
const minutes = fc.integer({ min: 1, max: 300 });
const person = fc.constantFrom('m.lee', 'M.Lee ', 'a.khan');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('offer' as const), bundle: bundleArb }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('override' as const),
      item,
      how: fc.oneof(
        fc.record({ pin: fc.record({ priceMinor: fc.nat({ max: 3_000 }) }) }),
        fc.constant({ block: true as const }),
        fc.constant({ release: true as const }),
      ),
      by: fc.oneof(fc.tuple(person), fc.tuple(person, person)),
      minutes,
    }),
  },
  fc.record({ do: fc.constant('count' as const), item, count: fc.nat({ max: 60 }) }),
  fc.record({ do: fc.constant('come' as const), people: fc.nat({ max: 20 }) }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), minutes }) },
  fc.record({
    do: fc.constant('trust' as const),
    trust: fc.constantFrom('synced' as const, 'estimated' as const, 'unset' as const),
  }),
  fc.record({ do: fc.constant('restart' as const) }),
);
const basket = fc.array(fc.record({ item, qty: fc.integer({ min: 1, max: 50 }), coupon: fc.nat({ max: 20_000 }) }), {
  minLength: 1,
  maxLength: 4,
});

/** What is in force on the kit, as its merchant would note it: the bundle and one override an item. */
interface Notes {
  bundle: Bundle;
  readonly local: Map<string, LocalOverride>;
}

type Pin = Pick<PinOverride, 'actor' | 'secondApprovedBy'>;

function pinsOf({ bundle, local }: Notes, sku: string, nowMs: number): readonly Pin[] {
  const mine = local.get(sku);
  if (mine !== undefined && nowMs < Date.parse(mine.until)) return 'pin' in mine.action ? [mine] : [];
  return bundle.overrides.filter((one) => one.sku === sku && nowMs < Date.parse(one.until)).filter(isPin);
}

/** A pin that two people stand for, which is the one thing that may go below the floors. */
function isApproved(notes: Notes, sku: string, nowMs: number): boolean {
  const name = (text: string): string => text.trim().toLowerCase();
  return (
    notes.bundle.kill === null &&
    pinsOf(notes, sku, nowMs).some(
      ({ actor, secondApprovedBy: second }) => second !== undefined && name(second) !== name(actor),
    )
  );
}

/** Whether so many of an item may be paid with an amount: each floor and cap said as its own inequality. */
function isAllowed(
  { caps }: Bundle,
  { sku, category, listMinor, costMinor, mapMinor }: CatalogItem,
  qty: number,
  minor: number,
): boolean {
  const paid = big(minor) * 10_000n;
  const list = big(listMinor) * big(qty);
  if (big(minor) === list) return true;
  const cap = (bp: number | undefined): boolean => bp === undefined || paid >= list * big(10_000 - bp);
  const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
    new Map(Object.entries(record)).get(key);
  return (
    big(minor) >= 0n &&
    big(minor) <= list &&
    big(minor) * big(10_000 - caps.marginFloorBp) >= big(costMinor) * big(qty) * 10_000n &&
    big(minor) >= big(mapMinor ?? 0) * big(qty) &&
    cap(caps.kit.maxDiscountBp) &&
    cap(own(caps.category, category)?.maxDiscountBp) &&
    cap(own(caps.sku, sku)?.maxDiscountBp)
  );
}

function take(kit: TestKit, notes: Notes, one: Step, number: number): void {
  const { catalog } = notes.bundle;
  const sku = (index: number): string => catalog[index % Math.max(1, catalog.length)]?.sku ?? 'none';
  switch (one.do) {
    case 'offer': {
      const bundle: Bundle = { ...one.bundle, version: number + 2, audience: {}, rolloutBp: 10_000, currency: 'GBP' };
      if (kit.commit((tx) => kit.pricing.offer(tx, merchant.sign(bundle), 'test')) === null) notes.bundle = bundle;
      return;
    }
    case 'override': {
      if (catalog.length === 0) return;
      const [actor, second] = one.by;
      const until = formatInstant(kit.clock.wallMs() + one.minutes * 60_000);
      const made: LocalOverride = {
        sku: sku(one.item),
        action: one.how,
        actor,
        reason: 'r',
        until,
        ...(second === undefined ? {} : { secondApprovedBy: second }),
      };
      kit.commit((tx) => kit.pricing.override(tx, made));
      notes.local.set(made.sku, made);
      return;
    }
    case 'count':
      return kit.put('shelf', 'barrow.shelf.count.v1', {
        sensorId: `s${one.item}`,
        sku: sku(one.item),
        count: one.count,
        delta: 0,
        grams: 0,
        cause: 'pick',
      });
    case 'come':
      for (let _person = 0; _person < one.people; _person += 1)
        kit.put('footfall', 'barrow.footfall.crossing.v1', { counterId: 'door', lineId: 'l', direction: 'in' });
      return;
    case 'pass':
      return kit.tick(one.minutes * 60_000);
    case 'trust':
      kit.clock.trusted = one.trust;
      return;
    case 'restart':
      return kit.restart();
  }
}

function holds(kit: TestKit, notes: Notes, price: CurrentPrice): void {
  const found = notes.bundle.catalog.find((one) => one.sku === price.sku)!;
  expect(price.announce).toBe(found.priorPriceMinor !== null && price.priceMinor < found.priorPriceMinor);
  expect(price.priceMinor).toBeLessThanOrEqual(found.listMinor);
  if (isApproved(notes, price.sku, kit.clock.wallMs())) return;
  expect(isAllowed(notes.bundle, found, 1, price.priceMinor), JSON.stringify(price)).toBe(true);
}

describe('a kit, whatever is offered, overridden, sold and bought on it', () => {
  it('asks no price below a floor and grants no discount above a cap, on the shelf and in the basket', () => {
    let priced = 0;
    fc.assert(
      fc.property(bundleArb, fc.array(step, { maxLength: 12 }), basket, (first, steps, lines) => {
        const kit = makeKit({ trust: [merchant.trusted] });
        const notes: Notes = { bundle: { ...first, catalog: [] }, local: new Map() };
        for (const [number, one] of [{ do: 'offer' as const, bundle: first }, ...steps].entries()) {
          take(kit, notes, one, number);
          for (const price of kit.pricing.prices()) holds(kit, notes, price);
        }
        const prices = kit.pricing.prices();
        if (prices.length === 0) return;
        const asked = lines.map(({ item: index, qty, coupon }) => ({
          sku: prices[index % prices.length]!.sku,
          qty,
          couponMinor: coupon,
        }));
        const quote = kit.pricing.quote(asked);
        for (const [index, line] of quote.lines.entries()) {
          const found = notes.bundle.catalog.find((one) => one.sku === line.sku)!;
          if (isApproved(notes, line.sku, kit.clock.wallMs()))
            expect(line.lineMinor).toBeLessThanOrEqual(line.qty * line.unitMinor);
          else expect(isAllowed(notes.bundle, found, line.qty, line.lineMinor), JSON.stringify(line)).toBe(true);
          expect(line.couponMinor).toBeLessThanOrEqual(asked[index]!.couponMinor);
          expect(line.discountMinor).toBe(line.qty * line.listMinor - line.lineMinor);
        }
        expect(quote.totalMinor).toBe(quote.lines.reduce((sum, line) => sum + line.lineMinor, 0));
        priced += 1;
        kit.ledger[Symbol.dispose]();
      }),
      { numRuns: 150 },
    );
    expect(priced).toBeGreaterThan(30);
  });
});
