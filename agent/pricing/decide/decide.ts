import type { Bundle } from '../bundle/bundle.ts';
import { discountBp } from './arithmetic.ts';
import { assign, unitOf, type Assignment } from './experiment.ts';
import type { Inputs, ItemState } from './inputs.ts';
import { localTime, parseUtc } from './instant.ts';
import { factRow, lackingOf, matchRules, traceRules } from './match.ts';
import { outcomeOf } from './outcome.ts';
import { prepareBundle, type Bound, type ItemProgram, type Program } from './program.ts';
import { stageRules } from './staged.ts';
import type { RuleTrace, TraceStep } from './trace.ts';

/** The price of one item and why. Field order is the order in which it is written. */
export interface Decision {
  readonly sku: string;
  readonly listMinor: number;
  readonly priceMinor: number;
  readonly discountBp: number;
  /** The reduction may be shown: a signed prior price is there, and the price is below it. */
  readonly announce: boolean;
  /** The rule that fired and won, null where none. */
  readonly ruleId: string | null;
  /** The experiment cell of the item's category today, null without experiments. */
  readonly cell: string | null;
  /** What kept the price from where the rules wanted it, sorted. */
  readonly boundBy: readonly Bound[];
  readonly trace: readonly TraceStep[];
}

export interface Decided {
  readonly decisions: readonly Decision[];
  readonly state: Readonly<Record<string, ItemState>>;
}

export interface DecideOptions {
  /** Default true. Without it every `trace` is empty. */
  readonly trace?: boolean;
  /** Rules spelled out for one item; those that had a say come first. Default {@link MAX_TRACED_RULES}. */
  readonly maxRules?: number;
}

/**
 * Comparisons traced in one call. 10,000 items under 1,000 rules have more than memory holds; from there on the rules'
 * own lines are left out and counted in the trace.
 */
export const MAX_TRACED_RULES = 50_000;

/**
 * Decides every item of a bundle. Pure: no clock, no disk, the same inputs give the same bytes. Inputs must have passed
 * `readInputs`, the bundle `checkBundle`.
 */
export function decide(bundle: Bundle, inputs: Inputs, options: DecideOptions = {}): Decided {
  return decideWith(prepareBundle(bundle), inputs, options);
}

/** As {@link decide}, on a bundle prepared once. */
export function decideWith(program: Program, inputs: Inputs, options: DecideOptions = {}): Decided {
  const moment = momentOf(program, inputs);
  const most = options.maxRules ?? MAX_TRACED_RULES;
  const traced = { left: options.trace === false ? -1 : MAX_TRACED_RULES, most };
  const decisions: Decision[] = [];
  const state: [string, ItemState][] = [];
  for (const item of program.items) {
    const [decision, next] = decideItem(program, item, inputs, moment, traced);
    decisions.push(decision);
    state.push([item.item.sku, next]);
  }
  // fromEntries defines own properties whatever the item is called.
  return { decisions, state: Object.fromEntries(state) };
}

interface Moment {
  readonly nowMs: number;
  readonly timeHolds: readonly Bound[];
  readonly budgetSpent: boolean;
  readonly assignment: (category: string) => Assignment;
}

function momentOf(program: Program, inputs: Inputs): Moment {
  const nowMs = parseUtc(inputs.now) ?? Number.NaN;
  const timeHolds: Bound[] = [];
  if (inputs.clocktrust === 'unset') timeHolds.push('clock');
  if (nowMs < program.notBeforeMs) timeHolds.push('notYetValid');
  if (nowMs >= program.expiresMs) timeHolds.push('expired');
  const { experiments, caps } = program.bundle;
  const known = new Map<string, Assignment>();
  const date = experiments.length === 0 ? '' : localTime(nowMs, inputs.kit.timezone).date;
  return {
    nowMs,
    timeHolds,
    budgetSpent: inputs.dayBudgetUsedMinor >= caps.kit.dayBudgetMinor,
    assignment: (category) => {
      const found = known.get(category) ?? assign(experiments, unitOf(inputs.kit.id, category, date));
      known.set(category, found);
      return found;
    },
  };
}

function decideItem(
  program: Program,
  item: ItemProgram,
  inputs: Inputs,
  moment: Moment,
  traced: { left: number; readonly most: number },
): readonly [Decision, ItemState] {
  const { sku, category, listMinor, priorPriceMinor } = item.item;
  const state = own(inputs.state, sku) ?? { rung: 0, priceMinor: listMinor, changedAt: null, changesToday: 0 };
  const row = factRow(own(inputs.facts, sku));
  const staged =
    item.rules.staged.length === 0
      ? null
      : stageRules(item.rules.staged, state.evidence, {
          conditions: program.conditions,
          values: row.values,
          lacking: lackingOf(program.needs, row),
          nowMs: moment.nowMs,
          frozen: moment.timeHolds.length > 0,
        });
  const stages = staged?.stages ?? null;
  const match = matchRules(item.rules, program, row, stages);
  const { cell, addRungs } = moment.assignment(category);
  const changedMs = state.changedAt === null ? null : parseUtc(state.changedAt);
  const outcome = outcomeOf({
    program,
    item,
    state,
    match,
    addRungs,
    cell,
    nowMs: moment.nowMs,
    timeHolds: moment.timeHolds,
    sinceChangeMs: changedMs === null ? null : moment.nowMs - changedMs,
    budgetSpent: moment.budgetSpent,
  });
  const { priceMinor } = outcome;
  const changed = priceMinor !== state.priceMinor;
  const trace: TraceStep[] = [];
  const count = item.rules.all.length;
  if (traced.left >= count) {
    traced.left -= count;
    trace.push(...withinBound(traceRules(item.rules, program, row, match, stages), traced.most));
  } else if (traced.left >= 0) trace.push({ step: 'rules-omitted', count });
  if (traced.left >= 0)
    trace.push(...outcome.steps, { step: 'price', fromMinor: state.priceMinor, toMinor: priceMinor });
  const decision: Decision = {
    sku,
    listMinor,
    priceMinor,
    discountBp: discountBp(listMinor, priceMinor),
    announce: priorPriceMinor !== null && priceMinor < priorPriceMinor,
    ruleId: outcome.ruled ? (match.winner?.rule.id ?? null) : null,
    cell,
    boundBy: [...outcome.bounds].sort(),
    trace,
  };
  const next: ItemState = {
    rung: outcome.rung,
    priceMinor,
    changedAt: changed ? inputs.now : state.changedAt,
    changesToday: changed ? state.changesToday + 1 : state.changesToday,
  };
  return [decision, staged?.evidence === undefined ? next : { ...next, evidence: staged.evidence }];
}

/** The rules that had a say first, then the others, as many as are wanted; always in the bundle's order. */
function withinBound(rules: readonly RuleTrace[], most: number): readonly TraceStep[] {
  if (rules.length <= most) return rules;
  const spoke = rules.filter((rule) => rule.outcome !== 'no-match').slice(0, most);
  const silent = rules.filter((rule) => rule.outcome === 'no-match').slice(0, most - spoke.length);
  const kept = new Set([...spoke, ...silent]);
  return [...rules.filter((rule) => kept.has(rule)), { step: 'rules-omitted', count: rules.length - kept.size }];
}

/** A property of the object itself: an item may be called `constructor`. */
function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
