import { encodeValue, factSlots, type Conditions } from './conditions.ts';
import type { FactReading, FactReadings } from './inputs.ts';
import type { LeafProgram, Needs, Program, RuleList, RuleProgram } from './program.ts';
import type { Stage, Staged } from './staged.ts';
import type { ConditionTrace, EvidenceTrace, RuleTrace, UnmetTrace } from './trace.ts';

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

type Stages = Staged['stages'];

/**
 * One winner per group by priority, then one over all groups by rung; ties go to the lowest id by code unit. `stages`
 * has the item's rules with evidence or an exit; null where it has none.
 */
export function matchRules(rules: RuleList, program: Program, row: FactRow, stages: Stages | null): Match {
  const lacking = lackingOf(program.needs, row);
  const winners: (RuleProgram | undefined)[] = Array.from({ length: program.groups });
  let winner: RuleProgram | null = null;
  for (const group of rules.groups) {
    const first =
      stages === null
        ? firstToFire(group, program.conditions, row, lacking)
        : firstOfStaged(group, program.conditions, row, lacking, stages);
    if (first === null) continue;
    winners[first.group] = first;
    if (winner === null || goesFurther(first, winner)) winner = first;
  }
  return { winners, winner, ...heldBy(rules.holders, program.conditions, lacking, stages) };
}

function firstToFire(
  group: readonly RuleProgram[],
  conditions: Conditions,
  { values }: FactRow,
  lacking: Lacking,
): RuleProgram | null {
  for (const rule of group) if (matches(rule, conditions, values, lacking)) return rule;
  return null;
}

/** As {@link firstToFire}, which need not look for stages: a thousand rules are asked there. */
function firstOfStaged(
  group: readonly RuleProgram[],
  conditions: Conditions,
  { values }: FactRow,
  lacking: Lacking,
  stages: Stages,
): RuleProgram | null {
  for (const rule of group) if (stages.get(rule)?.fires ?? matches(rule, conditions, values, lacking)) return rule;
  return null;
}

function matches(rule: RuleProgram, conditions: Conditions, values: Float64Array, lacking: Lacking): boolean {
  return (rule.needs === null || lacking(rule.needs) === null) && conditions.isTrue(rule.condition, values);
}

function heldBy(
  holders: readonly RuleProgram[],
  conditions: Conditions,
  lacking: Lacking,
  stages: Stages | null,
): Pick<Match, 'held' | 'heldRung'> {
  let held = false;
  for (const rule of holders) {
    const known = rule.needs === null ? null : lacking(rule.needs);
    if (known === null) continue;
    held = true;
    // Whether the rule could fire if its missing facts came; the first that could wants the deepest rung.
    if (stages?.get(rule)?.couldFire ?? conditions.mayBeTrue(rule.condition, known))
      return { held, heldRung: rule.rung };
  }
  return { held, heldRung: NEVER };
}

function goesFurther(a: RuleProgram, b: RuleProgram): boolean {
  return a.rung === b.rung ? a.rule.id < b.rule.id : a.rung > b.rung;
}

/** Null where the needs are met; else the row without the facts that are too old to rely on: they may be anything by now. */
type Lacking = (needs: Needs) => Float64Array | null;

/** Each of the needs is looked at once a decision, however many rules share it. */
export function lackingOf(count: number, row: FactRow): Lacking {
  const known: (Float64Array | null | undefined)[] = Array.from({ length: count });
  return (needs) => {
    const found = known[needs.index];
    if (found !== undefined) return found;
    const made = lackingNow(needs, row);
    known[needs.index] = made;
    return made;
  };
}

function lackingNow({ facts }: Needs, { ages, values }: FactRow): Float64Array | null {
  let left: Float64Array | null = null;
  for (const { slot, maxAgeS } of facts) {
    // NaN, an unknown fact, is never ≤.
    if ((ages[slot] ?? Number.NaN) <= maxAgeS) continue;
    left ??= values.slice();
    left[slot] = Number.NaN;
  }
  return left;
}

/** Every rule of the item with each of its comparisons, also those that evaluation need not have reached. */
export function traceRules(
  rules: RuleList,
  program: Program,
  row: FactRow,
  match: Match,
  stages: Stages | null,
): RuleTrace[] {
  const lacking = lackingOf(program.needs, row);
  return rules.all.map((candidate) => {
    const unmet = candidate.needs !== null && lacking(candidate.needs) !== null;
    const lacks = unmet ? candidate.needs : null;
    const stage = stages?.get(candidate);
    return stage === undefined
      ? traceRule(candidate, program, row, match, lacks)
      : traceStaged(candidate, stage, program, row, match, lacks);
  });
}

/** As {@link traceRule}, for a rule of which `when` alone does not say whether it fired. */
function traceStaged(
  candidate: RuleProgram,
  stage: Stage,
  program: Program,
  row: FactRow,
  match: Match,
  lacks: Needs | null,
): RuleTrace {
  const { rule, rung, exit, exitLeaves, leaves } = candidate;
  const { id, group, priority, evidence } = rule;
  const outcome = stagedOutcome(candidate, stage, program.conditions, row, match, lacks !== null);
  const known: EvidenceTrace = {
    ...(evidence === undefined ? {} : { held: stage.held, of: evidence.of, atLeast: evidence.atLeast }),
    ...(exit === null ? {} : { on: stage.on }),
  };
  const onStale = candidate.holdsWhenStale ? 'hold' : 'skip';
  return {
    step: 'rule',
    rule: id,
    group,
    priority,
    rung,
    outcome,
    ...(outcome === 'outranked' ? { by: outrankedBy(candidate, match) } : {}),
    ...(lacks === null ? {} : { onStale, unmet: unmetOf(lacks, row) }),
    evidence: known,
    conditions: traceLeaves(leaves, program.comparisons, row),
    ...(exit === null ? {} : { exit: traceLeaves(exitLeaves, program.comparisons, row) }),
  };
}

function stagedOutcome(
  candidate: RuleProgram,
  { fires, exits, on }: Stage,
  conditions: Conditions,
  { values }: FactRow,
  match: Match,
  lacks: boolean,
): RuleTrace['outcome'] {
  if (fires) return candidate === match.winner ? 'wins' : 'outranked';
  if (lacks) return 'stale';
  if (exits) return 'exit';
  // Its exit is not known.
  if (on) return 'unknown';
  if (conditions.isTrue(candidate.condition, values)) return 'gathering';
  return conditions.mayBeTrue(candidate.condition, values) ? 'unknown' : 'no-match';
}

function outrankedBy(candidate: RuleProgram, { winner, winners }: Match): string {
  const best = winners[candidate.group];
  return (best === undefined || best === candidate ? winner : best)?.rule.id ?? candidate.rule.id;
}

/** Object literals written out: a thousand of them a decision, and spreading costs three times as much. */
function traceRule(
  candidate: RuleProgram,
  { conditions: checks, comparisons }: Program,
  row: FactRow,
  match: Match,
  lacks: Needs | null,
): RuleTrace {
  const { rule, rung, condition } = candidate;
  const { id, group, priority } = rule;
  const conditions = traceLeaves(candidate.leaves, comparisons, row);
  if (candidate === match.winner) return { step: 'rule', rule: id, group, priority, rung, outcome: 'wins', conditions };
  if (lacks !== null) {
    const unmet = unmetOf(lacks, row);
    const onStale = candidate.holdsWhenStale ? 'hold' : 'skip';
    return { step: 'rule', rule: id, group, priority, rung, outcome: 'stale', onStale, unmet, conditions };
  }
  if (!checks.isTrue(condition, row.values)) {
    const outcome = checks.mayBeTrue(condition, row.values) ? 'unknown' : 'no-match';
    return { step: 'rule', rule: id, group, priority, rung, outcome, conditions };
  }
  const by = outrankedBy(candidate, match);
  return { step: 'rule', rule: id, group, priority, rung, outcome: 'outranked', by, conditions };
}

function unmetOf({ facts }: Needs, row: FactRow): UnmetTrace[] {
  return facts.flatMap(({ fact, slot, maxAgeS }): readonly UnmetTrace[] => {
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
function traceLeaves(
  leaves: readonly LeafProgram[],
  comparisons: Conditions,
  { bySlot, values }: FactRow,
): ConditionTrace[] {
  return leaves.map(({ index, slot, fact, op, value }) => {
    const unknown = Number.isNaN(values[slot] ?? Number.NaN);
    const result = unknown ? null : comparisons.isTrue(index, values);
    return { fact, op, value, actual: bySlot[slot]?.value ?? null, result };
  });
}
