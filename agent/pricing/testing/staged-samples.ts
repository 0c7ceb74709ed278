import fc from 'fast-check';
import type { EvidenceRule } from '../bundle/bundle.ts';
import type { Evidence, Gathered } from '../decide/inputs.ts';
import type { Tree } from '../language/tree.ts';
import { treeArb } from './tree-sample.ts';

/** Lengths of windows that divide each other and that do not. */
const WINDOW_MIN: readonly number[] = [1, 5, 7, 60];

const evidenceRuleArb: fc.Arbitrary<EvidenceRule> = fc
  .record({
    windowMin: fc.constantFrom(...WINDOW_MIN),
    of: fc.constantFrom(1, 2, 3, 4, 12),
    share: fc.nat({ max: 11 }),
  })
  .map(({ windowMin, of, share }) => ({ windowMin, atLeast: 1 + (share % of), of }));

/** The two optional keys of a rule, each in about half of the rules. */
export const stagedArb: { readonly evidence: fc.Arbitrary<EvidenceRule>; readonly exit: fc.Arbitrary<Tree> } = {
  evidence: evidenceRuleArb,
  exit: treeArb,
};

/** What a kit may hold of some rules: of this revision and of others, of windows just before a moment and to come. */
export function evidenceArb(ruleIds: readonly string[], nowMs: number): fc.Arbitrary<Evidence> {
  const gatheredArb: fc.Arbitrary<Gathered> = fc.record({
    rev: fc.constantFrom(1, 1, 1, 1, 2),
    on: fc.boolean(),
    window: fc
      .tuple(fc.constantFrom(...WINDOW_MIN), fc.integer({ min: -4, max: 1 }))
      .map(([minutes, back]) => Math.floor(nowMs / (minutes * 60_000)) + back),
    held: fc.array(fc.constantFrom(true, true, false), { maxLength: 13 }),
  });
  return fc.dictionary(fc.constantFrom(...ruleIds, 'gone', 'constructor'), gatheredArb, { noNullPrototype: true });
}
