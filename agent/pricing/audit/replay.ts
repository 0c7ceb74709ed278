import type { Json, JsonObject } from '../../../drivers/api/reading.ts';
import type { Bundle, Override } from '../bundle/bundle.ts';
import { decideWith } from '../decide/decide.ts';
import { readInputs, type Inputs, type ItemState } from '../decide/inputs.ts';
import { parseInstant } from '../decide/instant.ts';
import { prepareBundle, type Program } from '../decide/program.ts';
import { decisionData, RECORDED_RULES, type BundleIdentity } from '../decision-record.ts';

/** A recorded decision: its event id and the stored bytes of its data. */
export interface RecordedDecision {
  readonly id: string;
  readonly data: string;
  readonly wallMs: number;
}

export interface ReplayResult {
  /** Decisions in the log. */
  readonly records: number;
  /** Decided again from their own inputs, to the same bytes. */
  readonly identical: number;
  /** Event ids of those that came out otherwise; at most 100. */
  readonly differing: readonly string[];
  /** Whose bundle is no longer kept. */
  readonly withoutBundle: number;
}

const MAX_TOLD = 100;

/** The parts of a record that a replay reads. */
interface Recorded {
  readonly sku: string;
  readonly currency: string;
  readonly priorPriceMinor: number | null;
  readonly inputs: Inputs;
  readonly overrides: readonly Override[];
  readonly bundle: BundleIdentity;
  readonly engine: { readonly version: string };
  readonly chain: JsonObject;
  readonly priceMinor: number;
  readonly listMinor: number;
}

/** Decides every recorded decision again. `bundles` by the hash of their canonical bytes. */
export function replay(records: Iterable<RecordedDecision>, bundles: ReadonlyMap<string, Bundle>): ReplayResult {
  const programs = programCache();
  let [count, identical, withoutBundle] = [0, 0, 0];
  const differing: string[] = [];
  for (const record of records) {
    count += 1;
    const said = readRecord(record.data);
    const bundle = said === null ? undefined : bundles.get(said.bundle.hash);
    if (said !== null && bundle === undefined) {
      withoutBundle += 1;
      continue;
    }
    const again = said === null || bundle === undefined ? null : decideAgain(said, programs(bundle, said));
    if (again === record.data) identical += 1;
    else if (differing.length < MAX_TOLD) differing.push(record.id);
  }
  return { records: count, identical, differing, withoutBundle };
}

function decideAgain(said: Recorded, program: Program): string | null {
  const items = program.items.filter((item) => item.item.sku === said.sku);
  const { decisions, state } = decideWith({ ...program, items }, said.inputs, { maxRules: RECORDED_RULES });
  const [decision] = decisions;
  const stateAfter = Object.hasOwn(state, said.sku) ? state[said.sku] : undefined;
  if (decision === undefined || stateAfter === undefined) return null;
  const { inputs, overrides, bundle, currency, priorPriceMinor, engine, chain } = said;
  const data = decisionData({
    decision,
    inputs,
    stateAfter,
    overrides,
    bundle,
    currency,
    priorPriceMinor,
    version: engine.version,
  });
  return JSON.stringify({ ...data, chain });
}

/** What one item did, or would have done. */
export interface Outcome {
  readonly units: number;
  readonly netMinor: number;
  readonly discountMinor: number;
  readonly marginMinor: number;
}

export interface Comparison {
  readonly sku: string;
  readonly actual: Outcome;
  readonly other: Outcome;
  /** Prices over the period, each at the moment from which it held. */
  readonly prices: readonly { readonly at: string; readonly actualMinor: number; readonly otherMinor: number }[];
}

export interface SoldUnits {
  readonly sku: string;
  readonly qty: number;
  readonly netMinor: number;
  readonly wallMs: number;
}

/** Prices told for one item; the sums cover all. */
const MAX_PRICES = 200;

/**
 * What another bundle would have made of the same moments: each recorded moment is decided with it, from its own former
 * decision on, and what was sold is valued at the price that it would have set. Demand is taken as it was: nobody knows
 * who would have bought at another price. Windows of evidence are gathered from the recorded moments alone, beginning
 * with what the kit had gathered at an item's first: the kit decided at many moments that it had no reason to record, so
 * a rule with evidence may go on here earlier or later than it would have on the kit, or never.
 */
export function compare(
  records: Iterable<RecordedDecision>,
  sales: readonly SoldUnits[],
  other: Bundle,
): readonly Comparison[] {
  const program = prepareBundle(other);
  const items = new Map(program.items.map((item) => [item.item.sku, item]));
  const states = new Map<string, ItemState>();
  const prices = new Map<string, { at: string; wallMs: number; actualMinor: number; otherMinor: number }[]>();
  for (const record of records) {
    const said = readRecord(record.data);
    const item = said === null ? undefined : items.get(said.sku);
    if (said === null || item === undefined) continue;
    const before = states.get(said.sku);
    const inputs: Inputs =
      before === undefined ? said.inputs : { ...said.inputs, state: Object.fromEntries([[said.sku, before]]) };
    const { decisions, state } = decideWith({ ...program, items: [item] }, inputs, { trace: false });
    const next = Object.hasOwn(state, said.sku) ? state[said.sku] : undefined;
    if (decisions[0] === undefined || next === undefined) continue;
    states.set(said.sku, next);
    const list = prices.get(said.sku) ?? [];
    list.push({
      at: said.inputs.now,
      wallMs: record.wallMs,
      actualMinor: said.priceMinor,
      otherMinor: next.priceMinor,
    });
    prices.set(said.sku, list);
  }
  return program.items.map(({ item }) => {
    const known = prices.get(item.sku) ?? [];
    let [actual, would]: [Outcome, Outcome] = [NONE, NONE];
    for (const sale of sales) {
      if (sale.sku !== item.sku) continue;
      const price = known.findLast((one) => one.wallMs <= sale.wallMs)?.otherMinor ?? item.listMinor;
      actual = plus(actual, sale.qty, sale.netMinor, item);
      would = plus(would, sale.qty, sale.qty * price, item);
    }
    return {
      sku: item.sku,
      actual,
      other: would,
      prices: known.slice(0, MAX_PRICES).map(({ at, actualMinor, otherMinor }) => ({ at, actualMinor, otherMinor })),
    };
  });
}

const NONE: Outcome = { units: 0, netMinor: 0, discountMinor: 0, marginMinor: 0 };

function plus(
  sum: Outcome,
  qty: number,
  netMinor: number,
  { listMinor, costMinor }: { readonly listMinor: number; readonly costMinor: number },
): Outcome {
  return {
    units: sum.units + qty,
    netMinor: sum.netMinor + netMinor,
    discountMinor: sum.discountMinor + qty * listMinor - netMinor,
    marginMinor: sum.marginMinor + netMinor - qty * costMinor,
  };
}

/** Preparing 1,000 rules costs more than deciding with them; records of one bundle with the same overrides share it. */
function programCache(): (bundle: Bundle, said: Recorded) => Program {
  let key = '';
  let program: Program | null = null;
  return (bundle, said) => {
    const wanted = `${said.bundle.hash} ${JSON.stringify(said.overrides)}`;
    if (program === null || key !== wanted) program = prepareBundle({ ...bundle, overrides: said.overrides });
    key = wanted;
    return program;
  };
}

/** A record's data as far as a replay needs it; null when it is not one. */
export function readRecord(text: string): Recorded | null {
  const data = parsed(text);
  if (data === null) return null;
  const inputs = readInputs(data['inputs']);
  const { sku, overrides, bundle, engine, chain, currency, priceMinor } = data;
  const whole =
    inputs.ok &&
    typeof sku === 'string' &&
    typeof currency === 'string' &&
    typeof priceMinor === 'number' &&
    Array.isArray(overrides) &&
    [bundle, engine, chain].every((part) => typeof part === 'object' && part !== null);
  // Written by decisionData; a record that was tampered with differs when it is decided again.
  return whole && parseInstant(inputs.inputs.now) !== null ? (data as unknown as Recorded) : null;
}

function parsed(text: string): Readonly<Record<string, Json>> | null {
  try {
    const value = JSON.parse(text) as Json;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
