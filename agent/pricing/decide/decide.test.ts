import { describe, expect, it } from 'vitest';
import type { Bundle, Override, Rule } from '../bundle/bundle.ts';
import { sampleBundle, sampleInputs } from '../testing/samples.ts';
import { decide, type Decision } from './decide.ts';
import type { Inputs, ItemState } from './inputs.ts';

const SKU = 'TEE-BLK-M';
const [rule] = sampleBundle.rules as readonly [Rule];
const [item] = sampleBundle.catalog as readonly [Bundle['catalog'][number]];

interface Case {
  readonly bundle?: Partial<Bundle>;
  readonly caps?: Partial<Bundle['caps']>;
  readonly item?: Partial<Bundle['catalog'][number]>;
  readonly rule?: Partial<Rule>;
  readonly inputs?: Partial<Inputs>;
  readonly state?: Partial<ItemState>;
}

function decided({
  bundle,
  caps,
  item: more,
  rule: changed,
  inputs,
  state,
}: Case): Decision & { readonly after: ItemState } {
  const standing = { rung: 0, priceMinor: 2500, changedAt: null, changesToday: 0, ...state };
  const result = decide(
    {
      ...sampleBundle,
      caps: { ...sampleBundle.caps, ...caps },
      catalog: [{ ...item, ...more }],
      rules: [{ ...rule, ...changed }],
      ...bundle,
    },
    { ...sampleInputs, ...(state === undefined ? {} : { state: { [SKU]: standing } }), ...inputs },
  );
  return { ...result.decisions[0]!, after: result.state[SKU]! };
}

const pin = (priceMinor: number, second?: string): readonly Override[] => [
  {
    sku: SKU,
    pin: { priceMinor },
    actor: 'm.lee',
    reason: 'r',
    until: '2026-11-28T00:00:00Z',
    ...(second === undefined ? {} : { secondApprovedBy: second }),
  },
];
const block: readonly Override[] = [
  { sku: SKU, block: true, actor: 'm.lee', reason: 'r', until: '2026-11-27T10:00:01Z' },
];
const onRung1 = { rung: 1, priceMinor: 2250, changedAt: '2026-11-27T08:00:00Z', changesToday: 1 };

describe('one decision', () => {
  it.each<[string, Case, Partial<Decision>]>([
    ['falls to the first rung', {}, { priceMinor: 2250, discountBp: 1000, boundBy: [], ruleId: 'slow-tees' }],
    ['climbs one rung at most', { rule: { then: { rung: 3 } } }, { priceMinor: 2250, boundBy: [] }],
    ['climbs on from where it stands', { rule: { then: { rung: 3 } }, state: onRung1 }, { priceMinor: 2050 }],
    ['stops at its step', { caps: { maxStepBp: 500 } }, { priceMinor: 2375, boundBy: ['maxStep'] }],
    [
      'stops at the rule’s own cap',
      { rule: { caps: { maxDiscountBp: 300 } } },
      { priceMinor: 2425, boundBy: ['rule'] },
    ],
    [
      'names every cap in its way',
      { caps: { kit: { maxDiscountBp: 500, dayBudgetMinor: 1 }, category: { tees: { maxDiscountBp: 700 } } } },
      { priceMinor: 2375, boundBy: ['category', 'kit'] },
    ],
    [
      'stops at the margin floor, rounded up',
      { item: { costMinor: 1933 } },
      { priceMinor: 2417, boundBy: ['marginFloor'] },
    ],
    ['stops at MAP', { item: { mapMinor: 2400 } }, { priceMinor: 2400, boundBy: ['map'] }],
    [
      'stays in the cooldown',
      { state: { ...onRung1, changedAt: '2026-11-27T09:00:00.001Z' }, rule: { then: { rung: 2 } } },
      { priceMinor: 2250, boundBy: ['cooldown'] },
    ],
    [
      'falls when the cooldown is just over',
      { state: { ...onRung1, changedAt: '2026-11-27T09:00:00Z' }, rule: { then: { rung: 2 } } },
      { priceMinor: 2050 },
    ],
    [
      'stays after the day’s changes',
      { state: { changesToday: 4 } },
      { priceMinor: 2500, boundBy: ['maxChangesPerDay'] },
    ],
    [
      'stays when the budget is spent',
      { inputs: { dayBudgetUsedMinor: 50_000 } },
      { priceMinor: 2500, boundBy: ['dayBudget'] },
    ],
    [
      'does not rise when no rule fires',
      { state: onRung1, inputs: { facts: {} }, rule: { onStale: 'skip' } },
      { priceMinor: 2250, boundBy: ['noRaise'], ruleId: null },
    ],
    [
      'rises when no rule fires and the merchant allows it',
      { state: onRung1, inputs: { facts: {} }, rule: { onStale: 'skip' }, caps: { allowRaise: true } },
      { priceMinor: 2500, boundBy: [] },
    ],
    [
      'does not follow a shallower rung up',
      { state: { ...onRung1, rung: 2, priceMinor: 2050 } },
      { priceMinor: 2050, boundBy: ['noRaise'] },
    ],
    [
      'holds before the bundle is in force',
      { bundle: { notBefore: '2026-11-27T10:00:00.001Z' } },
      { priceMinor: 2500, boundBy: ['notYetValid'] },
    ],
    ['decides from its first moment', { bundle: { notBefore: '2026-11-27T10:00:00Z' } }, { priceMinor: 2250 }],
    [
      'holds from the moment it expires',
      { bundle: { expires: '2026-11-27T10:00:00Z' }, state: onRung1, rule: { then: { rung: 2 } } },
      { priceMinor: 2250, boundBy: ['expired'] },
    ],
    ['holds without a clock', { inputs: { clocktrust: 'unset' } }, { priceMinor: 2500, boundBy: ['clock'] }],
    ['decides by an estimated clock', { inputs: { clocktrust: 'estimated' } }, { priceMinor: 2250 }],
    [
      'kills to list, whatever stands',
      { bundle: { kill: 'list' }, state: onRung1 },
      { priceMinor: 2500, boundBy: ['kill'], ruleId: null },
    ],
    [
      'kills by freezing',
      { bundle: { kill: 'freeze' }, state: onRung1, rule: { then: { rung: 2 } } },
      { priceMinor: 2250, boundBy: ['kill'] },
    ],
    [
      'freezes no price below its floor',
      { bundle: { kill: 'freeze' }, state: { priceMinor: 10 } },
      { priceMinor: 1750, boundBy: ['category', 'kill', 'kit', 'marginFloor'] },
    ],
    [
      'kills before it pins',
      { bundle: { kill: 'list', overrides: pin(1900) } },
      { priceMinor: 2500, boundBy: ['kill'] },
    ],
    [
      'blocks before it pins, while the block lasts',
      { bundle: { overrides: [...pin(1900), ...block] } },
      { priceMinor: 2500, boundBy: ['block'] },
    ],
    [
      'pins, in cooldown and beyond step, changes and budget',
      {
        bundle: { overrides: pin(1800) },
        state: { changesToday: 9, changedAt: '2026-11-27T09:59:59Z' },
        inputs: { dayBudgetUsedMinor: 99_999_999 },
      },
      { priceMinor: 1800, boundBy: ['pin'] },
    ],
    [
      'lifts a pin to the floor',
      { bundle: { overrides: pin(100) } },
      { priceMinor: 1750, boundBy: ['category', 'kit', 'marginFloor', 'pin'] },
    ],
    [
      'lifts a pin that its own actor approved twice',
      { bundle: { overrides: pin(100, 'M.LEE') } },
      { priceMinor: 1750 },
    ],
    [
      'lets two people pin below the floor',
      { bundle: { overrides: pin(100, 'a.khan') } },
      { priceMinor: 100, boundBy: ['pin'] },
    ],
    ['pins no price above list', { bundle: { overrides: pin(9999) } }, { priceMinor: 2500 }],
    [
      'lets no pin fall without a clock',
      { bundle: { overrides: pin(1900) }, inputs: { clocktrust: 'unset' } },
      { priceMinor: 2500, boundBy: ['clock', 'pin'] },
    ],
    [
      'lifts a standing price to its floor',
      { state: { priceMinor: 1000, rung: 3 }, inputs: { facts: {} }, rule: { onStale: 'skip' } },
      { priceMinor: 1750, boundBy: ['noRaise'] },
    ],
    ['charms downwards', { bundle: { rounding: { mode: 'charm', endings: [99, 49] } } }, { priceMinor: 2249 }],
    [
      'charms upwards past a cap',
      { bundle: { rounding: { mode: 'charm', endings: [99, 49] } }, caps: { maxStepBp: 1000 } },
      { priceMinor: 2299, boundBy: [] },
    ],
    [
      'stays unrounded where the only charm price lies above the standing one',
      {
        bundle: { rounding: { mode: 'charm', endings: [99] } },
        caps: { maxStepBp: 1000 },
        state: { priceMinor: 2290, rung: 0 },
        item: { mapMinor: 2250 },
      },
      { priceMinor: 2250 },
    ],
    [
      'rounds no price that is held',
      {
        bundle: { rounding: { mode: 'charm', endings: [99] } },
        state: { ...onRung1, priceMinor: 2251 },
        inputs: { clocktrust: 'unset' },
      },
      { priceMinor: 2251 },
    ],
    [
      'announces against the signed prior price only',
      { item: { priorPriceMinor: 2249 } },
      { priceMinor: 2250, announce: false },
    ],
    [
      'announces nothing without a prior price',
      { item: { priorPriceMinor: null } },
      { priceMinor: 2250, announce: false },
    ],
    [
      'gives an item of no price no discount',
      { item: { listMinor: 0, costMinor: 0, priorPriceMinor: 0 }, state: { priceMinor: 0 } },
      { priceMinor: 0, discountBp: 0, announce: false },
    ],
  ])('%s', (_title, given, expected) => {
    expect(decided(given)).toMatchObject(expected);
  });

  it('never fires on a fact that is stale, missing or not ok, and goes no deeper while the rule holds', () => {
    const facts = sampleInputs.facts[SKU]!;
    const other: Rule = {
      ...rule,
      id: 'other',
      group: 'g2',
      requires: [],
      when: { op: '>', fact: 'minutes_left', value: 0 },
    };
    const doubts: readonly Inputs['facts'][string][] = [
      { ...facts, stock: { value: 25, ageS: 301, quality: 'ok' } },
      { ...facts, stock: { value: 25, ageS: 0, quality: 'suspect' } },
      { ...facts, stock: { value: null, ageS: 0, quality: 'ok' } },
      { minutes_left: facts['minutes_left']! },
    ];
    for (const doubt of doubts) {
      const inputs = { facts: { [SKU]: doubt } };
      expect(decided({ inputs })).toMatchObject({ priceMinor: 2500, ruleId: null, boundBy: ['stale'] });
      expect(decided({ inputs, bundle: { rules: [rule, other] } })).toMatchObject({
        priceMinor: 2500,
        boundBy: ['stale'],
      });
      expect(decided({ inputs, bundle: { rules: [{ ...rule, onStale: 'skip' }, other] } })).toMatchObject({
        priceMinor: 2250,
        ruleId: 'other',
        boundBy: [],
      });
    }
  });

  it('chooses by priority in a group, by rung across groups, and the lowest id where they are equal', () => {
    const of = (id: string, group: string, priority: number, rung: number): Rule => ({
      ...rule,
      id,
      group,
      priority,
      then: { rung },
    });
    const winner = (...rules: Rule[]): string | null => decided({ bundle: { rules } }).ruleId;
    expect(winner(of('a', 'g', 1, 3), of('b', 'g', 2, 1))).toBe('b');
    expect(winner(of('b', 'g', 1, 3), of('a', 'g', 1, 1))).toBe('a');
    expect(winner(of('a', 'g', 9, 1), of('b', 'h', 1, 2))).toBe('b');
    expect(winner(of('b', 'g', 9, 2), of('B', 'h', 1, 2))).toBe('B');
  });

  it('begins a markdown on two windows at once, and goes on with it down to an exit of its own', () => {
    const at = (op: '>=' | '<', fact: string, value: number): Rule['when'] => ({ op, fact, value });
    const begin: Rule = {
      ...rule,
      id: 'begin',
      when: { op: 'and', args: [at('>=', 'footfall_in_15m', 8), at('>=', 'footfall_in_60m', 30)] },
    };
    const hold: Rule = {
      ...rule,
      id: 'go-on',
      when: { op: 'and', args: [at('>=', 'rung', 1), at('>=', 'footfall_in_60m', 20)] },
    };
    const priced = (quarter: number, hour: number, before: ItemState): Decision & { readonly after: ItemState } => {
      const known = (value: number) => ({ value, ageS: 0, quality: 'ok' as const });
      const facts = {
        stock: known(25),
        footfall_in_15m: known(quarter),
        footfall_in_60m: known(hour),
        rung: known(before.rung),
      };
      return decided({
        bundle: { rules: [begin, hold] },
        caps: { allowRaise: true },
        inputs: { facts: { [SKU]: facts } },
        state: before,
      });
    };
    const list: ItemState = { rung: 0, priceMinor: 2500, changedAt: null, changesToday: 0 };
    expect(priced(8, 29, list)).toMatchObject({ priceMinor: 2500, ruleId: null });
    expect(priced(7, 30, list)).toMatchObject({ priceMinor: 2500, ruleId: null });
    const { priceMinor, ruleId, after } = priced(8, 30, list);
    expect({ priceMinor, ruleId }).toEqual({ priceMinor: 2250, ruleId: 'begin' });
    expect(priced(0, 20, after)).toMatchObject({ priceMinor: 2250, ruleId: 'go-on', after: { rung: 1 } });
    const ended = priced(0, 19, after);
    expect(ended).toMatchObject({ priceMinor: 2500, ruleId: null, after: { rung: 0 } });
    const windows = ended.trace.flatMap((step) => (step.step === 'rule' ? step.conditions : []));
    expect(windows.map(({ fact, actual, result }) => [fact, actual, result])).toEqual([
      ['footfall_in_15m', 0, false],
      ['footfall_in_60m', 19, false],
      ['rung', 1, true],
      ['footfall_in_60m', 19, false],
    ]);
  });

  it('keeps an item that is called like a part of every object', () => {
    const catalog = ['constructor', 'toString', 'hasOwnProperty'].map((sku) => ({ ...item, sku, category: sku }));
    const { decisions, state } = decide(
      { ...sampleBundle, catalog, rules: [{ ...rule, select: { all: true } }] },
      sampleInputs,
    );
    expect(decisions.map((one) => one.priceMinor)).toEqual([2500, 2500, 2500]);
    expect(Object.keys(state)).toEqual(['constructor', 'toString', 'hasOwnProperty']);
  });
});
