import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { facts } from '../language/facts.ts';
import { COMPARISONS, type Tree } from '../language/tree.ts';
import { Conditions, encodeValue, factSlots } from './conditions.ts';

type Truth = boolean | null;
type Values = Readonly<Record<string, number | string | null>>;

/** Kleene's tables, said word for word: the least of `and`, the greatest of `or`. */
function kleene(tree: Tree, values: Values): Truth {
  if ('arg' in tree) {
    const truth = kleene(tree.arg, values);
    return truth === null ? null : !truth;
  }
  if ('args' in tree) {
    const truths = tree.args.map((arg) => kleene(arg, values));
    const decisive = tree.op === 'or';
    if (truths.includes(decisive)) return decisive;
    return truths.includes(null) ? null : !decisive;
  }
  const actual = values[tree.fact] ?? null;
  if (actual === null) return null;
  if (tree.op === 'in') return tree.value.includes(actual);
  const wanted = tree.value;
  const table = {
    '>=': actual >= wanted,
    '<=': actual <= wanted,
    '>': actual > wanted,
    '<': actual < wanted,
    '==': actual === wanted,
    '!=': actual !== wanted,
  };
  return table[tree.op];
}

const MOST = Number.MAX_SAFE_INTEGER;
const number = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(MOST, -MOST, MOST - 1, 0));
const numeric = fc.constantFrom('stock', 'sold_today', 'rung');
const weekday = fc.constantFrom(...(facts.get('weekday')?.words ?? []));
const leaf: fc.Arbitrary<Tree> = fc.oneof(
  fc.record({ op: fc.constantFrom(...COMPARISONS), fact: numeric, value: number }),
  fc.record({ op: fc.constant('in' as const), fact: numeric, value: fc.array(number, { minLength: 1, maxLength: 5 }) }),
  fc.record({ op: fc.constantFrom('==' as const, '!=' as const), fact: fc.constant('weekday'), value: weekday }),
  fc.record({
    op: fc.constant('in' as const),
    fact: fc.constant('weekday'),
    value: fc.array(weekday, { minLength: 1, maxLength: 7 }),
  }),
);
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf,
    fc.record({ op: fc.constant('not' as const), arg: tie('tree') }),
    fc.record({
      op: fc.constantFrom('and' as const, 'or' as const),
      args: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }),
    }),
  ),
}));
const values: fc.Arbitrary<Values> = fc.record({
  stock: fc.option(number),
  sold_today: fc.option(number),
  rung: fc.option(number),
  weekday: fc.option(weekday),
});

function rowOf(known: Values): Float64Array {
  const row = new Float64Array(factSlots.size).fill(Number.NaN);
  for (const [name, value] of Object.entries(known))
    if (value !== null) row[factSlots.get(name)!] = encodeValue(name, value);
  return row;
}

describe('conditions', () => {
  it('have Kleene’s three values, in any row of conditions and with any facts unknown', () => {
    fc.assert(
      fc.property(fc.array(tree, { minLength: 1, maxLength: 4 }), values, (trees, known) => {
        const conditions = new Conditions(trees);
        const row = rowOf(known);
        for (const [index, one] of trees.entries()) {
          const truth = kleene(one, known);
          expect([conditions.isTrue(index, row), conditions.mayBeTrue(index, row)]).toEqual([
            truth === true,
            truth !== false,
          ]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('never hold under a number that is none of theirs', () => {
    const conditions = new Conditions([{ op: '>=', fact: 'stock', value: 0 }]);
    const row = rowOf({ stock: 1 });
    expect([0, 1, -1].map((index) => conditions.isTrue(index, row))).toEqual([true, false, false]);
  });
});
