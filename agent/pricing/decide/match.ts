import { encodeValue, evaluate, evaluateLeaf, FALSE, factSlots, TRUE, UNKNOWN } from './evaluate.ts';
import type { FactReading, FactReadings } from './inputs.ts';
import type { LeafProgram, RuleProgram } from './program.ts';
import type { ConditionTrace, RuleTrace, UnmetTrace } from './trace.ts';

/** The facts of one item as rows of numbers: NaN where unknown. */
export interface FactRow {
  readonly values: Float64Array;
  readonly ages: Float64Array;
  readonly bySlot: readonly (FactReading | undefined)[];
}

export function factRow(readings: FactReadings | undefined): FactRow {
  const values = new Float64Array(factSlots.size).fill(Number.NaN);
  const ages = new Float64Array(factSlots.size).fill(Number.NaN);
  const entries = readings === undefined ? [] : Object.entries(readings);
  const bySlot: (FactReading | undefined)[] = Array.from({ length: factSlots.size });
  for (const [name, reading] of entries) {
    const slot = factSlots.get(name);
    if (slot !== undefined) bySlot[slot] = reading;
    if (slot === undefined || reading.quality !== 'ok' || reading.value === null) continue;
    values[slot] = encodeValue(name, reading.value);
    ages[slot] = reading.ageS;
  }
  return { values, ages, bySlot };
}

/** What the rules say about one item. */
export interface Match {
  /** The winner of each group, by its number. */
  readonly winners: readonly (RuleProgram | undefined)[];
  readonly winner: RuleProgram | null;
  /** A rule with `onStale: hold` lacks a fact: no deeper now. */
  readonly held: boolean;
  /** The deepest rung that such a rule might have wanted, were its facts there; −1 when none could have fired. */
  readonly heldRung: number;
}

const NEVER = -1;
/** A verdict beside the three truths: the rule lacks a fact that it requires. */
const UNMET = 3;

/** One winner per group by priority, then one over all groups by rung; ties go to the lowest id by code unit. */
export function matchRules(
  rules: readonly RuleProgram[],
  groups: number,
  row: FactRow,
  verdicts: Uint8Array | null = null,
): Match {
  const winners: (RuleProgram | undefined)[] = groups === 0 ? [] : Array.from({ length: groups });
  let held = false;
  let heldRung = NEVER;
  for (let index = 0; index < rules.length; index += 1) {
    const candidate = rules[index];
    if (candidate === undefined) continue;
    const ready = candidate.requires.length === 0 || requiresMet(candidate, row);
    if (!ready) {
      if (verdicts !== null) verdicts[index] = UNMET;
      if (!candidate.holdsWhenStale) continue;
      held = true;
      if (candidate.rung > heldRung && mayFire(candidate, row)) heldRung = candidate.rung;
      continue;
    }
    const truth = evaluate(candidate.node, row.values);
    if (verdicts !== null) verdicts[index] = truth;
    if (truth !== TRUE) continue;
    const best = winners[candidate.group];
    if (best === undefined || outranks(candidate, best)) winners[candidate.group] = candidate;
  }
  let winner: RuleProgram | null = null;
  for (const candidate of winners) {
    if (candidate === undefined) continue;
    if (winner === null || goesFurther(candidate, winner)) winner = candidate;
  }
  return { winners, winner, held, heldRung };
}

function outranks(a: RuleProgram, b: RuleProgram): boolean {
  if (a.rule.priority !== b.rule.priority) return a.rule.priority > b.rule.priority;
  return a.rule.id < b.rule.id;
}

function goesFurther(a: RuleProgram, b: RuleProgram): boolean {
  return a.rung === b.rung ? a.rule.id < b.rule.id : a.rung > b.rung;
}

function requiresMet(candidate: RuleProgram, row: FactRow): boolean {
  for (const { slot, maxAgeS } of candidate.requires) {
    // NaN, an unknown fact, is never ≤.
    if (!((row.ages[slot] ?? Number.NaN) <= maxAgeS)) return false;
  }
  return true;
}

/** Whether the rule could fire if its missing facts came: a fact too old to rely on may have any value by now. */
function mayFire(candidate: RuleProgram, row: FactRow): boolean {
  const values = row.values.slice();
  for (const { slot, maxAgeS } of candidate.requires)
    if (!((row.ages[slot] ?? Number.NaN) <= maxAgeS)) values[slot] = Number.NaN;
  return evaluate(candidate.node, values) !== FALSE;
}

/** Every rule of the item with each of its comparisons, also those that evaluation need not have reached. */
export function traceRules(
  rules: readonly RuleProgram[],
  row: FactRow,
  match: Match,
  verdicts: Uint8Array,
): RuleTrace[] {
  return rules.map((candidate, index) => traceRule(candidate, row, match, verdicts[index] ?? UNKNOWN));
}

/** Object literals written out: a thousand of them a decision, and spreading costs three times as much. */
function traceRule(candidate: RuleProgram, row: FactRow, match: Match, verdict: number): RuleTrace {
  const { rule, rung } = candidate;
  const { id, group, priority } = rule;
  const conditions = traceLeaves(candidate.leaves, row);
  if (candidate === match.winner) return { step: 'rule', rule: id, group, priority, rung, outcome: 'wins', conditions };
  if (verdict === UNMET) {
    const unmet = unmetOf(candidate, row);
    const onStale = candidate.holdsWhenStale ? 'hold' : 'skip';
    return { step: 'rule', rule: id, group, priority, rung, outcome: 'stale', onStale, unmet, conditions };
  }
  if (verdict !== TRUE) {
    const outcome = verdict === UNKNOWN ? 'unknown' : 'no-match';
    return { step: 'rule', rule: id, group, priority, rung, outcome, conditions };
  }
  const best = match.winners[candidate.group];
  const by = (best === undefined || best === candidate ? match.winner : best)?.rule.id ?? id;
  return { step: 'rule', rule: id, group, priority, rung, outcome: 'outranked', by, conditions };
}

function unmetOf(candidate: RuleProgram, row: FactRow): UnmetTrace[] {
  return candidate.requires.flatMap(({ fact, slot, maxAgeS }): readonly UnmetTrace[] => {
    const reading = row.bySlot[slot];
    const ageS = reading?.ageS ?? null;
    if (Number.isNaN(row.ages[slot] ?? Number.NaN)) {
      const missing = reading === undefined || reading.value === null;
      return [{ fact, why: missing ? 'missing' : 'not-ok', ageS, maxAgeS }];
    }
    return (ageS ?? 0) > maxAgeS ? [{ fact, why: 'too-old', ageS, maxAgeS }] : [];
  });
}

/** Every comparison of the rule, in the order in which it is written. */
function traceLeaves(leaves: readonly LeafProgram[], row: FactRow): ConditionTrace[] {
  const conditions: ConditionTrace[] = [];
  for (const { leaf, fact, op, value } of leaves) {
    const reading = row.bySlot[leaf.slot];
    const truth = evaluateLeaf(leaf, row.values);
    conditions.push({
      fact,
      op,
      value,
      actual: reading === undefined ? null : reading.value,
      result: truth === UNKNOWN ? null : truth === TRUE,
    });
  }
  return conditions;
}
