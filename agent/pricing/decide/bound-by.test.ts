import { describe, expect, it } from 'vitest';
import type { Bundle, Rule } from '../bundle/bundle.ts';
import { sampleBundle, sampleInputs } from '../testing/samples.ts';
import { decide } from './decide.ts';
import type { Inputs, ItemState } from './inputs.ts';

const SKU = 'TEE-BLK-M';
const [sampleRule] = sampleBundle.rules as readonly [Rule];
const [sampleItem] = sampleBundle.catalog as readonly [Bundle['catalog'][number]];

/** Nothing binds: list 2500, ladder 2500, 2250, 2050, 1875. */
const free: Bundle['caps'] = {
  marginFloorBp: 0,
  kit: { maxDiscountBp: 10_000, dayBudgetMinor: 50_000 },
  category: {},
  sku: {},
  maxStepBp: 10_000,
  maxChangesPerDay: 4,
  cooldownMin: 60,
};

interface Case {
  /** The rung that the rule wants; null where it does not fire. */
  readonly wants?: number | null;
  readonly state?: Partial<ItemState>;
  readonly caps?: Partial<Bundle['caps']>;
  readonly item?: Partial<Bundle['catalog'][number]>;
  readonly rule?: Partial<Rule>;
  readonly bundle?: Partial<Bundle>;
  readonly inputs?: Partial<Inputs>;
}

function priced({ wants = 1, state, caps, item, rule, bundle, inputs }: Case): readonly [number, string] {
  const stands = { rung: 0, priceMinor: 2500, changedAt: null, changesToday: 0, ...state };
  const facts =
    wants === null ? { [SKU]: { stock: { value: 0, ageS: 0, quality: 'ok' as const } } } : sampleInputs.facts;
  const { decisions } = decide(
    {
      ...sampleBundle,
      catalog: [{ ...sampleItem, ...item }],
      caps: { ...free, ...caps },
      // oxlint-disable-next-line unicorn/no-thenable -- the format's own word
      rules: [{ ...sampleRule, then: { rung: wants ?? 0 }, ...rule }],
      ...bundle,
    },
    { ...sampleInputs, facts, state: { [SKU]: stands }, ...inputs },
  );
  return [decisions[0]!.priceMinor, decisions[0]!.boundBy.join(' ')];
}

const kit = (maxDiscountBp: number): Partial<Bundle['caps']> => ({ kit: { ...free.kit, maxDiscountBp } });
const override = (what: { pin: { priceMinor: number } } | { block: true }): Partial<Bundle> => ({
  overrides: [{ sku: SKU, ...what, actor: 'm.lee', reason: 'r', until: '2026-11-28T00:00:00Z' }],
});
const rung = (at: number, priceMinor: number, more: Partial<ItemState> = {}): Partial<ItemState> => ({
  rung: at,
  priceMinor,
  ...more,
});
const recent = { changedAt: '2026-11-27T09:30:00Z' };
const expired = { now: '2026-12-20T00:00:00Z' };
const late = { notBefore: '2026-11-28T00:00:00Z' };
const spent = { dayBudgetUsedMinor: 50_000 };
const noClock: Partial<Inputs> = { clocktrust: 'unset' };

/** Each row worked out by hand from the words: what kept the price from where the rules wanted it. */
const rows: readonly (readonly [what: string, given: Case, priceMinor: number, boundBy: string])[] = [
  ['nothing on the way to rung 1', {}, 2250, ''],
  ['nothing where the price is where the rules want it', { state: rung(1, 2250) }, 2250, ''],
  ['the rule’s own cap of 5 %', { rule: { caps: { maxDiscountBp: 500 } } }, 2375, 'rule'],
  ['the item’s cap of 4 %', { caps: { sku: { [SKU]: { maxDiscountBp: 400 } } } }, 2400, 'sku'],
  ['the category’s cap of 3 %', { caps: { category: { tees: { maxDiscountBp: 300 } } } }, 2425, 'category'],
  ['the kit’s cap of 6 %', { caps: kit(600) }, 2350, 'kit'],
  [
    'the margin floor: 1840 of cost at 20 %',
    { caps: { marginFloorBp: 2000 }, item: { costMinor: 1840 } },
    2300,
    'marginFloor',
  ],
  ['MAP', { item: { mapMinor: 2300 } }, 2300, 'map'],
  ['a step of 4 %', { caps: { maxStepBp: 400 } }, 2400, 'maxStep'],
  ['four changes today', { state: { changesToday: 4 } }, 2500, 'maxChangesPerDay'],
  ['a change half an hour ago', { state: recent }, 2500, 'cooldown'],
  ['a change a whole hour ago does not', { state: { changedAt: '2026-11-27T09:00:00Z' } }, 2250, ''],
  ['the day’s budget', { inputs: spent }, 2500, 'dayBudget'],
  ['a clock that is not set', { inputs: noClock }, 2500, 'clock'],
  ['the end of the bundle', { inputs: expired }, 2500, 'expired'],
  ['the beginning of the bundle', { bundle: late }, 2500, 'notYetValid'],
  ['no rise where no rule fires', { wants: null, state: rung(1, 2250) }, 2250, 'noRaise'],
  ['no rise for a shallower rule', { state: rung(2, 2050) }, 2050, 'noRaise'],
  ['nothing where a rise is allowed', { state: rung(2, 2050), caps: { allowRaise: true } }, 2250, ''],
  ['a stale fact', { inputs: { facts: {} } }, 2500, 'stale'],
  ['no stale fact where the rules may go on', { inputs: { facts: {} }, rule: { onStale: 'skip' } }, 2500, ''],
  ['a cap at the wanted price does not keep it', { caps: kit(1000) }, 2250, ''],
  ['a cap a penny above does', { caps: kit(999) }, 2251, 'kit'],
  [
    'two that each would have kept it, the lower one too',
    { caps: kit(600), item: { mapMinor: 2400 } },
    2400,
    'kit map',
  ],
  ['only the one above the wanted price', { caps: kit(2000), item: { mapMinor: 2400 } }, 2400, 'map'],
  ['a cap and a hold', { caps: kit(600), state: recent }, 2500, 'cooldown kit'],
  [
    'three holds',
    { state: { ...recent, changesToday: 4 }, inputs: spent },
    2500,
    'cooldown dayBudget maxChangesPerDay',
  ],
  ['the clock and the end', { inputs: { ...expired, ...noClock } }, 2500, 'clock expired'],
  ['no hold where the rules want no change', { state: rung(1, 2250, recent), inputs: spent }, 2250, ''],
  [
    'of two floors that lift a standing price the one above the wanted price',
    {
      wants: 3,
      state: rung(2, 1500),
      caps: { marginFloorBp: 2500 },
      item: { mapMinor: 1750, costMinor: 1500 },
    },
    2000,
    'marginFloor',
  ],
  [
    'no floor that lifts a standing price towards the list price that is wanted',
    { wants: null, state: rung(3, 1000), item: { mapMinor: 1750 } },
    1750,
    'noRaise',
  ],
  ['no floor that lifts a standing price to the wanted one', { state: rung(1, 1000), caps: kit(1000) }, 2250, ''],
  ['the end as well as no rise', { wants: null, state: rung(1, 2250), inputs: expired }, 2250, 'expired noRaise'],
  [
    'the end alone where a rise is allowed',
    { wants: null, state: rung(1, 2250), inputs: expired, caps: { allowRaise: true } },
    2250,
    'expired',
  ],
  ['a kill to list', { bundle: { kill: 'list' } }, 2500, 'kill'],
  ['a kill that freezes', { bundle: { kill: 'freeze' }, wants: 2, state: rung(1, 2250) }, 2250, 'kill'],
  ['no kill where the rules want list', { bundle: { kill: 'list' }, wants: null }, 2500, ''],
  ['a kill and not the hold that it ignores', { bundle: { kill: 'list' }, state: recent }, 2500, 'kill'],
  ['a block', { bundle: override({ block: true }) }, 2500, 'block'],
  ['a pin', { bundle: override({ pin: { priceMinor: 2400 } }) }, 2400, 'pin'],
  ['no pin at what the rules set', { bundle: override({ pin: { priceMinor: 2250 } }) }, 2250, ''],
  [
    'a pin that cooldown, step and budget do not hold',
    { bundle: override({ pin: { priceMinor: 2000 } }), state: recent, caps: { maxStepBp: 100 }, inputs: spent },
    2000,
    'pin',
  ],
  [
    'a pin and the floor that raised it',
    { bundle: override({ pin: { priceMinor: 1000 } }), item: { mapMinor: 1900 } },
    1900,
    'map pin',
  ],
  [
    'a pin and the beginning',
    { bundle: { ...override({ pin: { priceMinor: 2000 } }), ...late } },
    2500,
    'notYetValid pin',
  ],
];

describe('a price is bound by', () => {
  it.each(rows)('%s', (_, given, priceMinor, boundBy) => {
    expect(priced(given)).toEqual([priceMinor, boundBy]);
  });
});
