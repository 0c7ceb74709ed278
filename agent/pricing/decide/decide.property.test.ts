import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkBundle } from '../bundle/check.ts';
import { referenceDecide } from '../testing/reference.ts';
import { bundleArb, inputsArb } from '../testing/samples.ts';
import { decide } from './decide.ts';
import { readInputs } from './inputs.ts';
import { isPin } from './program.ts';

const RUNS = 1_500;
const big = BigInt;

describe('decide on random bundles and inputs', () => {
  it('says the same as a slow decider written from the format’s words', () => {
    fc.assert(
      fc.property(bundleArb, inputsArb, (bundle, inputs) => {
        const decided = decide(bundle, inputs);
        for (const [index, item] of bundle.catalog.entries()) {
          const { state, ...expected } = referenceDecide(bundle, inputs, item);
          expect(decided.decisions[index]).toMatchObject({ sku: item.sku, listMinor: item.listMinor, ...expected });
          expect(Object.entries(decided.state)[index]).toEqual([item.sku, state]);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('makes samples that a kit would take', () => {
    fc.assert(
      fc.property(bundleArb, inputsArb, (bundle, inputs) => {
        expect(checkBundle(JSON.parse(JSON.stringify(bundle)))).toMatchObject({ ok: true });
        expect(readInputs(JSON.parse(JSON.stringify(inputs)))).toMatchObject({ ok: true });
      }),
      { numRuns: 300 },
    );
  });

  it('never prices below floor, MAP or any standing cap, never above list, whatever stands or is pinned', () => {
    fc.assert(
      fc.property(bundleArb, inputsArb, (bundle, inputs) => {
        for (const { sku, priceMinor, listMinor, discountBp } of decide(bundle, inputs).decisions) {
          const item = bundle.catalog.find((one) => one.sku === sku)!;
          expect(priceMinor).toBeLessThanOrEqual(listMinor);
          expect(Number.isSafeInteger(priceMinor) && priceMinor >= 0).toBe(true);
          const approvedPin = bundle.overrides.some(
            (one) => one.sku === sku && isPin(one) && one.secondApprovedBy !== undefined,
          );
          if (approvedPin || priceMinor === listMinor) continue;
          expect(big(priceMinor) * big(10_000 - bundle.caps.marginFloorBp) >= big(item.costMinor) * 10_000n).toBe(true);
          expect(priceMinor).toBeGreaterThanOrEqual(item.mapMinor ?? 0);
          const caps = [
            bundle.caps.kit,
            Object.hasOwn(bundle.caps.category, item.category) ? bundle.caps.category[item.category] : undefined,
            Object.hasOwn(bundle.caps.sku, sku) ? bundle.caps.sku[sku] : undefined,
          ];
          for (const cap of caps) if (cap !== undefined) expect(discountBp).toBeLessThanOrEqual(cap.maxDiscountBp);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('lets no price fall by rule out of force, without a clock, in the cooldown, past the day’s changes or budget, or by more than a step', () => {
    fc.assert(
      fc.property(bundleArb, inputsArb, (bundle, inputs) => {
        for (const { sku, priceMinor, listMinor } of decide(bundle, inputs).decisions) {
          const before = Object.hasOwn(inputs.state, sku) ? inputs.state[sku]! : null;
          const was = Math.min(before?.priceMinor ?? listMinor, listMinor);
          if (priceMinor >= was) continue;
          const now = Date.parse(inputs.now);
          expect(inputs.clocktrust).not.toBe('unset');
          expect(Date.parse(bundle.notBefore) <= now && now < Date.parse(bundle.expires)).toBe(true);
          if (bundle.overrides.some((one) => one.sku === sku)) continue;
          expect(bundle.kill).toBeNull();
          expect(inputs.dayBudgetUsedMinor).toBeLessThan(bundle.caps.kit.dayBudgetMinor);
          expect(before?.changesToday ?? 0).toBeLessThan(bundle.caps.maxChangesPerDay);
          expect(was - priceMinor).toBeLessThanOrEqual(Math.floor((listMinor * bundle.caps.maxStepBp) / 10_000));
          if (before?.changedAt != null)
            expect(now - Date.parse(before.changedAt)).toBeGreaterThanOrEqual(bundle.caps.cooldownMin * 60_000);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('gives the same bytes for the same bytes', () => {
    fc.assert(
      fc.property(bundleArb, inputsArb, (bundle, inputs) => {
        const copy = JSON.parse(JSON.stringify({ bundle, inputs })) as { bundle: typeof bundle; inputs: typeof inputs };
        expect(JSON.stringify(decide(copy.bundle, copy.inputs))).toBe(JSON.stringify(decide(bundle, inputs)));
      }),
      { numRuns: 300 },
    );
  });
});
