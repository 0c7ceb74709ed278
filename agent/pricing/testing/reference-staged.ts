import type { Rule } from '../bundle/bundle.ts';
import type { Gathered } from '../decide/inputs.ts';

/** What is true of a rule at a moment, as the reference found it. */
export interface RuleMoment {
  readonly now: number;
  /** Neither a clock nor a bundle in force: nothing may change. */
  readonly frozen: boolean;
  /** Its required facts are there. */
  readonly met: boolean;
  /** Its condition and its exit by Kleene's values, over the facts that may be relied on; null unknown. */
  readonly when: boolean | null;
  readonly exit: boolean | null;
}

export interface RuleStage {
  readonly fires: boolean;
  /** Had it its required facts, whether it could fire. */
  readonly mayFire: boolean;
  readonly after: Gathered | undefined;
}

/**
 * The reference's own reading of `evidence` and `exit`: a book of windows by their number, in which each is looked up.
 * It shares nothing with the engine but the types.
 */
export function referenceStage(rule: Rule, former: Gathered | undefined, moment: RuleMoment): RuleStage {
  const { evidence, exit } = rule;
  const { frozen, met, when } = moment;
  const entry = former !== undefined && former.rev === rule.rev ? former : undefined;
  const number = evidence === undefined ? 0n : windowAt(moment.now, evidence.windowMin);
  const begunAnew = entry === undefined || (evidence !== undefined && !frozen && BigInt(entry.window) > number);
  const book = new Map<bigint, boolean>();
  if (entry !== undefined && !begunAnew)
    for (const [back, held] of [...entry.held].reverse().entries()) book.set(BigInt(entry.window) - BigInt(back), held);
  const now = frozen && entry !== undefined ? BigInt(entry.window) : number;
  if (!frozen && evidence !== undefined) book.set(now, (book.get(now) ?? true) && met && when === true);

  let proofs = 0;
  for (let back = 1n; back <= BigInt(evidence?.of ?? 0); back += 1n) if (book.get(now - back) === true) proofs += 1;
  const proved = evidence === undefined || proofs >= evidence.atLeast;

  if (exit === undefined) {
    const after = frozen ? entry : evidence === undefined ? undefined : written(rule, false, now, book, evidence.of);
    return { fires: met && when === true && proved, mayFire: proved && when !== false, after };
  }
  const wasOn = !begunAnew && entry.on;
  let on = wasOn;
  if (!frozen && moment.exit === true) on = false;
  else if (!frozen && met && when === true && proved) on = true;
  const fires = on && met && moment.exit === false;
  const mayFire = moment.exit !== true && (on || (!frozen && proved && when !== false));
  if (frozen) return { fires, mayFire, after: entry };
  if (evidence === undefined)
    return { fires, mayFire, after: on ? { rev: rule.rev, on, window: 0, held: [] } : undefined };
  if (wasOn && !on) {
    book.clear();
    book.set(now, false);
  }
  return { fires, mayFire, after: written(rule, on, now, book, evidence.of) };
}

function windowAt(ms: number, minutes: number): bigint {
  const length = BigInt(minutes) * 60_000n;
  const whole = BigInt(ms) / length;
  // BigInt divides towards nothing; windows before 1970 count downwards.
  return whole * length > BigInt(ms) ? whole - 1n : whole;
}

/** The book's last `of` windows and the current one, from the first that anything is known of. */
function written(rule: Rule, on: boolean, now: bigint, book: ReadonlyMap<bigint, boolean>, of: number): Gathered {
  const held: boolean[] = [];
  const numbers = [...book.keys()];
  for (let number = now - BigInt(of); number <= now; number += 1n)
    if (numbers.some((known) => known <= number)) held.push(book.get(number) ?? false);
  return { rev: rule.rev, on, window: Number(now), held };
}
