import { describe, expect, it } from 'vitest';
import type { Bundle, Rule } from '../bundle/bundle.ts';
import { sampleBundle, sampleInputs } from '../testing/samples.ts';
import { decide, MAX_TRACED_RULES } from './decide.ts';

const [rule] = sampleBundle.rules as readonly [Rule];
const [item] = sampleBundle.catalog as readonly [Bundle['catalog'][number]];

describe('one decision', () => {
  it('explains each rule and each comparison, winners and others', () => {
    const low: Rule = { ...rule, id: 'low', priority: 1 };
    const dark: Rule = { ...rule, id: 'dark', group: 'g2', when: { op: '==', fact: 'daypart', value: 'evening' } };
    const { trace } = decide({ ...sampleBundle, rules: [rule, low, dark] }, sampleInputs).decisions[0]!;
    expect(trace).toMatchObject([
      {
        step: 'rule',
        rule: 'slow-tees',
        outcome: 'wins',
        conditions: [{ fact: 'stock', actual: 25, result: true }, {}, {}],
      },
      { step: 'rule', rule: 'low', outcome: 'outranked', by: 'slow-tees' },
      { step: 'rule', rule: 'dark', outcome: 'unknown', conditions: [{ fact: 'daypart', actual: null, result: null }] },
      { step: 'ladder', from: 0, target: 1, to: 1, wantedMinor: 2250 },
      { step: 'cap', by: 'marginFloor', leastMinor: 1125, binds: false },
      { step: 'cap', by: 'kit', leastMinor: 1500 },
      { step: 'cap', by: 'category', leastMinor: 1750 },
      { step: 'cap', by: 'maxStep', leastMinor: 2000 },
      { step: 'price', fromMinor: 2500, toMinor: 2250 },
    ]);
  });

  it('keeps its trace within bounds however many items and rules there are', () => {
    const rules = Array.from({ length: 1000 }, (_, index): Rule => ({
      ...rule,
      id: `r${index}`,
      select: { all: true },
    }));
    const catalog = Array.from({ length: 60 }, (_, index) => ({ ...item, sku: `S${index}` }));
    const { decisions } = decide({ ...sampleBundle, rules, catalog }, sampleInputs);
    const traced = decisions.flatMap(({ trace }) => trace.filter((step) => step.step === 'rule')).length;
    expect(traced).toBe(MAX_TRACED_RULES);
    expect(decisions.at(-1)!.trace[0]).toEqual({ step: 'rules-omitted', count: 1000 });
  });
});
