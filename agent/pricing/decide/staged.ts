import type { EvidenceRule } from '../bundle/bundle.ts';
import type { Conditions } from './conditions.ts';
import type { Evidence, Gathered } from './inputs.ts';
import type { Needs, RuleProgram } from './program.ts';

/** How a rule with `evidence` or an `exit` of its own stands at a decision. */
export interface Stage {
  readonly fires: boolean;
  /** It lacks a required fact and could fire, were that there. */
  readonly couldFire: boolean;
  /** It has gone on and its exit has not been true since; false for a rule without `exit`. */
  readonly on: boolean;
  /** It would fire or was on, and its exit is true now. */
  readonly exits: boolean;
  /** Windows that held among those before the current one. */
  readonly held: number;
}

/** The stages of an item's rules, and what is remembered of them; undefined where there is nothing. */
export interface Staged {
  readonly stages: ReadonlyMap<RuleProgram, Stage>;
  readonly evidence: Evidence | undefined;
}

/** What a stage depends on beside its rule. */
export interface StageMoment {
  readonly conditions: Conditions;
  /** The item's facts, NaN where unknown. */
  readonly values: Float64Array;
  /** Null where needs are met; else the facts without those that are too old to rely on. */
  readonly lacking: (needs: Needs) => Float64Array | null;
  readonly nowMs: number;
  /** Clock unset or bundle not in force: nothing is gathered, nothing goes on or off. */
  readonly frozen: boolean;
}

/**
 * Decides which rules with `evidence` or `exit` fire, and moves on what was gathered for them.
 *
 * A window held when there was a decision in it, and at every decision in it the rule's `requires` were met and `when`
 * was true. A rule goes on where `requires` are met, `when` is true and its evidence suffices: `atLeast` of the `of`
 * windows before the current one held. Without `exit` it fires only then. With one it stays on until the exit is known
 * to be true, whatever `when` says, and fires while `requires` are met and the exit is known to be false; then it goes
 * off, and neither the windows before nor the one in which it went off count any more. Where its exit is true it does
 * not go on. Entries of another revision, of rules that are gone, or of a window to come (the clock went back) are
 * dropped. While time is frozen everything stands as it was last gathered.
 *
 * Pure. Entries come out in the bundle's order.
 */
export function stageRules(rules: readonly RuleProgram[], before: Evidence | undefined, moment: StageMoment): Staged {
  const stages = new Map<RuleProgram, Stage>();
  const kept: [string, Gathered][] = [];
  for (const rule of rules) {
    const { id, rev } = rule.rule;
    const known = before !== undefined && Object.hasOwn(before, id) ? before[id] : undefined;
    const [stage, after] = stageOf(rule, known?.rev === rev ? known : null, moment);
    stages.set(rule, stage);
    if (after !== null) kept.push([id, after]);
  }
  // A rule may be called `constructor`: fromEntries defines own properties.
  return { stages, evidence: kept.length === 0 ? undefined : Object.fromEntries(kept) };
}

function stageOf(rule: RuleProgram, known: Gathered | null, moment: StageMoment): readonly [Stage, Gathered | null] {
  const { conditions, values, frozen } = moment;
  const { condition, exit } = rule;
  const evidence = rule.rule.evidence ?? null;
  const blind = rule.needs === null ? null : moment.lacking(rule.needs);
  const holds = blind === null && conditions.isTrue(condition, values);
  const exitHolds = exit !== null && conditions.isTrue(exit, blind ?? values);
  const gathered = frozen || evidence === null ? known : watch(known, rule.rule.rev, evidence, moment.nowMs, holds);
  const held = evidence === null ? 0 : heldOf(gathered, evidence);
  const suffices = evidence === null || held >= evidence.atLeast;
  const wasOn = exit !== null && gathered?.on === true;
  const on = frozen ? wasOn : exit !== null && !exitHolds && (wasOn || (holds && suffices));
  const fires = exit === null ? holds && suffices : on && blind === null && !conditions.mayBeTrue(exit, values);
  const mayGoOn = blind !== null && suffices && conditions.mayBeTrue(condition, blind);
  const couldFire = blind !== null && (exit === null ? mayGoOn : !exitHolds && (on || (!frozen && mayGoOn)));
  const exits = exitHolds && (wasOn || (holds && suffices));
  const stage: Stage = { fires, couldFire, on, exits, held };
  if (frozen) return [stage, known];
  if (evidence === null || gathered === null)
    return [stage, on ? { rev: rule.rule.rev, on, window: 0, held: [] } : null];
  return [stage, { ...gathered, on, held: wasOn && !on ? [false] : gathered.held }];
}

/** What is known of the windows after a decision at a moment. */
function watch(
  known: Gathered | null,
  rev: number,
  { windowMin, of }: EvidenceRule,
  nowMs: number,
  holds: boolean,
): Gathered {
  const window = Math.floor(nowMs / (windowMin * 60_000));
  if (known === null || known.window > window) return { rev, on: false, window, held: [holds] };
  const { on, held } = known;
  if (held.length === 0) return { rev, on, window, held: [holds] };
  if (known.window === window)
    return { rev, on, window, held: [...held.slice(0, -1), held.at(-1) === true && holds].slice(-1 - of) };
  // Windows that nobody watched did not hold; more of them than are looked at change nothing.
  const unwatched = Array.from({ length: Math.min(window - known.window - 1, of) }, () => false);
  return { rev, on, window, held: [...held, ...unwatched, holds].slice(-1 - of) };
}

function heldOf(gathered: Gathered | null, { of }: EvidenceRule): number {
  return gathered === null ? 0 : gathered.held.slice(-1 - of, -1).filter(Boolean).length;
}
