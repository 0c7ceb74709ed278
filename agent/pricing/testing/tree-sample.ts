import fc from 'fast-check';
import type { Tree } from '../language/tree.ts';

/** Conditions over few facts and small numbers, so that they are often true, false and unknown. */
export const treeArb: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree; leaf: Tree }>((tie) => ({
  leaf: fc.oneof(
    fc.record({
      op: fc.constantFrom('>=' as const, '<=' as const, '>' as const, '<' as const, '==' as const, '!=' as const),
      fact: fc.constantFrom('stock', 'footfall_in_60m', 'rung', 'temperature_dc'),
      value: fc.integer({ min: -2, max: 4 }),
    }),
    fc.record({
      op: fc.constantFrom('==' as const, '!=' as const),
      fact: fc.constant('daypart'),
      value: fc.constantFrom('morning', 'evening'),
    }),
    fc.record({
      op: fc.constant('in' as const),
      fact: fc.constant('weekday'),
      value: fc.uniqueArray(fc.constantFrom('mon', 'tue', 'sun'), { minLength: 1 }),
    }),
  ),
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    fc.record({
      op: fc.constantFrom('and' as const, 'or' as const),
      args: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ op: fc.constant('not' as const), arg: tie('tree') }),
  ),
})).tree;
