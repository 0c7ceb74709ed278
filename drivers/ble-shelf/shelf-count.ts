/** How a scale under one kind of article behaves. Grams. */
export interface ShelfScale {
  readonly unitGrams: number;
  /** What the empty shelf weighs. */
  readonly emptyGrams: number;
  /** Steps in which the sensor reports. */
  readonly quantumGrams: number;
  /** Standard deviation of its noise. */
  readonly noiseGrams: number;
  /** How much the reading moves per degree; 0 where unknown. */
  readonly gramsPerDegree: number;
}

/** Samples that must agree before a weight counts as settled. */
export const SETTLE_SAMPLES = 4;
/** A load further than this share of a unit from a whole number of units is not ours. */
export const WHOLE_UNIT_TOLERANCE = 0.35;
/** Settled windows in a row that must say the same before the count changes. */
const CONFIRMATIONS = 2;
/** Share of the remaining difference by which the zero follows drift, per settled window. */
const DRIFT_GAIN = 0.05;
/** The same when the shelf is empty: whatever it weighs then is its zero. */
const EMPTY_GAIN = 0.25;
/** Below this share of a unit under zero, the zero itself was wrong. */
const BELOW_ZERO = 0.65;

/** What is known of one shelf. Plain numbers, so that it can be stored with the events that it caused. */
export interface ShelfState {
  /** Units on the shelf; `null` before the first settled weight. */
  readonly count: number | null;
  /** Reading of the empty shelf, as drift has moved it. */
  readonly zeroGrams: number;
  readonly window: readonly number[];
  /** A different number of units, or 'unknown', seen in the last settled windows. */
  readonly candidate: { readonly units: number | 'unknown'; readonly seen: number } | null;
  readonly unknown: boolean;
  /** Temperature to which the zero belongs. */
  readonly referenceC: number | null;
  /** Restored from before a restart and not yet confirmed by a weight. */
  readonly restored: boolean;
}

export type CountCause = 'first' | 'pick' | 'put' | 'rezero' | 'restart';

export type ShelfOutcome =
  | {
      readonly kind: 'count';
      readonly count: number;
      readonly delta: number;
      readonly cause: CountCause;
      readonly grams: number;
    }
  | {
      readonly kind: 'unknown-load';
      readonly present: boolean;
      readonly grams: number;
      readonly residualGrams: number;
    };

export const freshShelf = (scale: ShelfScale): ShelfState => ({
  count: null,
  zeroGrams: scale.emptyGrams,
  window: [],
  candidate: null,
  unknown: false,
  referenceC: null,
  restored: false,
});

/**
 * One weight. Counts from where the settled weight lies between whole numbers of units, and lets the zero follow slow
 * drift meanwhile, so that ten grams of drift an hour never add up to an article. Steps alone would keep every error for
 * ever; rounding alone would count the drift. Articles lighter than twice the sensor's step cannot be counted by weight
 * at all (16 % right at 15 g in steps of 10 g): such shelves need a sensor that counts by itself.
 *
 * @see US patent 11450011 (change over unit weight accepted only near an integer) for the idea of refusing fractions
 */
export function weigh(
  state: ShelfState,
  scale: ShelfScale,
  sample: { readonly grams: number; readonly temperatureC?: number | undefined },
): { readonly state: ShelfState; readonly outcome: ShelfOutcome | null } {
  const referenceC = state.referenceC ?? sample.temperatureC ?? null;
  const shift = referenceC === null ? 0 : ((sample.temperatureC ?? referenceC) - referenceC) * scale.gramsPerDegree;
  const window = [...state.window, sample.grams - shift].slice(-SETTLE_SAMPLES);
  const here: ShelfState = { ...state, window, referenceC };
  const weight = settledWeight(window, scale);
  if (weight === undefined) return { state: here, outcome: null };
  return judge(here, scale, weight);
}

/** The median of the window, if its samples agree. */
export function settledWeight(
  window: readonly number[],
  scale: Pick<ShelfScale, 'quantumGrams' | 'noiseGrams'>,
): number | undefined {
  if (window.length < SETTLE_SAMPLES) return undefined;
  const sorted = window.toSorted((a, b) => a - b);
  const range = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0);
  if (range > Math.max(2 * scale.quantumGrams, 6 * scale.noiseGrams)) return undefined;
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle - 0.5)] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}

function judge(
  state: ShelfState,
  scale: ShelfScale,
  weight: number,
): { readonly state: ShelfState; readonly outcome: ShelfOutcome | null } {
  const exact = (weight - state.zeroGrams) / scale.unitGrams;
  const belowZero = exact < -BELOW_ZERO;
  const units = belowZero ? 0 : Math.max(0, Math.round(exact));
  const residual = weight - state.zeroGrams - units * scale.unitGrams;
  const whole = belowZero || Math.abs(residual) <= WHOLE_UNIT_TOLERANCE * scale.unitGrams;
  if (whole && !belowZero && units === state.count && !state.unknown)
    return { state: follow(state, residual), outcome: null };

  const reading = whole ? units : 'unknown';
  if (reading === 'unknown' && state.unknown) return { state: { ...state, candidate: null }, outcome: null };
  const seen = state.candidate?.units === reading ? state.candidate.seen + 1 : 1;
  // The first confirmation is asked of the changed weight, not of the window it shares with the old one.
  if (seen < CONFIRMATIONS) return { state: { ...state, candidate: { units: reading, seen } }, outcome: null };
  const grams = weight - scale.emptyGrams;
  if (reading === 'unknown')
    return {
      state: { ...state, candidate: null, unknown: true },
      outcome: { kind: 'unknown-load', present: true, grams, residualGrams: residual },
    };
  return settle(state, { units, residual, grams, belowZero, weight });
}

interface Settled {
  readonly units: number;
  readonly residual: number;
  readonly grams: number;
  readonly belowZero: boolean;
  readonly weight: number;
}

function settle(
  state: ShelfState,
  { units, residual, grams, belowZero, weight }: Settled,
): { readonly state: ShelfState; readonly outcome: ShelfOutcome | null } {
  const zeroGrams = belowZero ? weight : state.zeroGrams;
  const next: ShelfState = { ...state, count: units, zeroGrams, candidate: null, unknown: false, restored: false };
  const moved = belowZero ? next : follow(next, residual);
  if (units === state.count)
    return {
      state: moved,
      outcome: state.unknown ? { kind: 'unknown-load', present: false, grams, residualGrams: residual } : null,
    };
  const delta = state.count === null ? 0 : units - state.count;
  return {
    state: moved,
    outcome: { kind: 'count', count: units, delta, cause: causeOf(state, belowZero, delta), grams },
  };
}

function causeOf(state: ShelfState, belowZero: boolean, delta: number): CountCause {
  if (state.count === null) return 'first';
  if (state.restored) return 'restart';
  if (belowZero) return 'rezero';
  return delta < 0 ? 'pick' : 'put';
}

/** Lets the zero follow what is left of the weight. */
function follow(state: ShelfState, residual: number): ShelfState {
  const gain = state.count === 0 ? EMPTY_GAIN : DRIFT_GAIN;
  return { ...state, zeroGrams: state.zeroGrams + gain * residual, candidate: null, restored: false };
}
