import { encodeValue, factSlots, type Conditions } from './conditions.ts';
import type { FactReading, FactReadings } from './inputs.ts';
import type { LeafProgram, Needs, Program, RuleList, RuleProgram } from './program.ts';
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

/** One winner per group by priority, then one over all groups by rung; ties go to the lowest id by code unit. */
export function matchRules(rules: RuleList, program: Program, row: FactRow): Match {
  const lacking = lackingOf(program.needs, row);
  const winners: (RuleProgram | undefined)[] = Array.from({ length: program.groups });
  let winner: RuleProgram | null = null;
  for (const group of rules.groups) {
    const first = firstToFire(group, program.conditions, row, lacking);
    if (first === null) continue;
    winners[first.group] = first;
    if (winner === null || goesFurther(first, winner)) winner = first;
  }
  return { winners, winner, ...heldBy(rules.holders, program.conditions, lacking) };
}

function firstToFire(
  group: readonly RuleProgram[],
  conditions: Conditions,
  { values }: FactRow,
  lacking: Lacking,
): RuleProgram | null {
  for (const rule of group)
    if ((rule.needs === null || lacking(rule.needs) === null) && conditions.isTrue(rule.condition, values)) return rule;
  return null;
}

function heldBy(
  holders: readonly RuleProgram[],
  conditions: Conditions,
  lacking: Lacking,
): Pick<Match, 'held' | 'heldRung'> {
  let held = false;
  for (const rule of holders) {
    const known = rule.needs === null ? null : lacking(rule.needs);
    if (known === null) continue;
    held = true;
    // Whether the rule could fire if its missing facts came; the first that could wants the deepest rung.
    if (conditions.mayBeTrue(rule.condition, known)) return { held, heldRung: rule.rung };
  }
  return { held, heldRung: NEVER };
}

function goesFurther(a: RuleProgram, b: RuleProgram): boolean {
  return a.rung === b.rung ? a.rule.id < b.rule.id : a.rung > b.rung;
}

/** Null where the needs are met; else the row without the facts that are too old to rely on: they may be anything by now. */
type Lacking = (needs: Needs) => Float64Array | null;

/** Each of the needs is looked at once a decision, however many rules share it. */
function lackingOf(count: number, row: FactRow): Lacking {
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
export function traceRules(rules: RuleList, program: Program, row: FactRow, match: Match): RuleTrace[] {
  const lacking = lackingOf(program.needs, row);
  return rules.all.map((candidate) => {
    const unmet = candidate.needs !== null && lacking(candidate.needs) !== null;
    return traceRule(candidate, program, row, match, unmet ? candidate.needs : null);
  });
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
  const best = match.winners[candidate.group];
  const by = (best === undefined || best === candidate ? match.winner : best)?.rule.id ?? id;
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
