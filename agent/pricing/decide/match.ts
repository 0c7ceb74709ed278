import type { Tree } from '../language/tree.ts';
import { encodeValue, evaluate, FALSE, factSlots, TRUE, UNKNOWN, type Node } from './evaluate.ts';
import type { FactReading, FactReadings } from './inputs.ts';
import type { RuleProgram } from './program.ts';
import type { ConditionTrace, RuleTrace, UnmetTrace } from './trace.ts';

/** The facts of one item as rows of numbers: NaN where unknown. */
export interface FactRow {
  readonly values: Float64Array;
  readonly ages: Float64Array;
  readonly readings: ReadonlyMap<string, FactReading>;
}

export function factRow(readings: FactReadings | undefined): FactRow {
  const values = new Float64Array(factSlots.size).fill(Number.NaN);
  const ages = new Float64Array(factSlots.size).fill(Number.NaN);
  const entries = readings === undefined ? [] : Object.entries(readings);
  for (const [name, reading] of entries) {
    const slot = factSlots.get(name);
    if (slot === undefined || reading.quality !== 'ok' || reading.value === null) continue;
    values[slot] = encodeValue(name, reading.value);
    ages[slot] = reading.ageS;
  }
  return { values, ages, readings: new Map(entries) };
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
export function matchRules(rules: readonly RuleProgram[], groups: number, row: FactRow): Match {
  const winners: (RuleProgram | undefined)[] = groups === 0 ? [] : Array.from({ length: groups });
  let held = false;
  let heldRung = NEVER;
  for (const candidate of rules) {
    const ready = candidate.requires.length === 0 || requiresMet(candidate, row);
    if (!ready) {
      if (!candidate.holdsWhenStale) continue;
      held = true;
      if (candidate.rung > heldRung && mayFire(candidate, row)) heldRung = candidate.rung;
      continue;
    }
    if (evaluate(candidate.node, row.values) !== TRUE) continue;
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
export function traceRules(rules: readonly RuleProgram[], row: FactRow, match: Match): RuleTrace[] {
  return rules.map((candidate) => traceRule(candidate, row, match));
}

function traceRule(candidate: RuleProgram, row: FactRow, match: Match): RuleTrace {
  const { rule, node, rung } = candidate;
  const conditions: ConditionTrace[] = [];
  traceTree(rule.when, node, row, conditions);
  const head = { step: 'rule' as const, rule: rule.id, group: rule.group, priority: rule.priority, rung };
  if (candidate === match.winner) return { ...head, outcome: 'wins', conditions };
  if (!requiresMet(candidate, row)) {
    const unmet = unmetOf(candidate, row);
    return { ...head, outcome: 'stale', onStale: candidate.holdsWhenStale ? 'hold' : 'skip', unmet, conditions };
  }
  const truth = evaluate(node, row.values);
  if (truth !== TRUE) return { ...head, outcome: truth === UNKNOWN ? 'unknown' : 'no-match', conditions };
  const best = match.winners[candidate.group];
  const by = best === undefined || best === candidate ? match.winner : best;
  return { ...head, outcome: 'outranked', ...(by === null ? {} : { by: by.rule.id }), conditions };
}

function unmetOf(candidate: RuleProgram, row: FactRow): UnmetTrace[] {
  return candidate.requires.flatMap(({ fact, slot, maxAgeS }): readonly UnmetTrace[] => {
    const reading = row.readings.get(fact);
    const ageS = reading?.ageS ?? null;
    if (Number.isNaN(row.ages[slot] ?? Number.NaN)) {
      const missing = reading === undefined || reading.value === null;
      return [{ fact, why: missing ? 'missing' : 'not-ok', ageS, maxAgeS }];
    }
    return (ageS ?? 0) > maxAgeS ? [{ fact, why: 'too-old', ageS, maxAgeS }] : [];
  });
}

/** Walks the written condition and its prepared form side by side: they have the same shape. */
function traceTree(tree: Tree, node: Node, row: FactRow, into: ConditionTrace[]): void {
  if ('args' in tree && 'args' in node) {
    for (let index = 0; index < tree.args.length; index += 1) {
      const [arg, prepared] = [tree.args[index], node.args[index]];
      if (arg !== undefined && prepared !== undefined) traceTree(arg, prepared, row, into);
    }
  } else if ('arg' in tree && 'arg' in node) traceTree(tree.arg, node.arg, row, into);
  else if ('fact' in tree && 'slot' in node) {
    const reading = row.readings.get(tree.fact);
    const truth = evaluate(node, row.values);
    into.push({
      fact: tree.fact,
      op: tree.op,
      value: tree.value,
      actual: reading === undefined ? null : reading.value,
      ageS: reading === undefined ? null : reading.ageS,
      quality: reading === undefined ? 'missing' : reading.quality,
      result: truth === UNKNOWN ? null : truth === TRUE,
    });
  }
}
