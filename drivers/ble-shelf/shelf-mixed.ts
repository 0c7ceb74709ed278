import { settledWeight, SETTLE_SAMPLES, type ShelfScale } from './shelf-count.ts';

/** Articles that share one scale. */
export interface MixedArticle {
  readonly sku: string;
  readonly unitGrams: number;
}

export type MixedScale = Omit<ShelfScale, 'unitGrams'> & { readonly articles: readonly MixedArticle[] };

/** Articles on one scale: beyond it too many combinations fit any weight. */
export const MIXED_ARTICLES = 4;
/** Units moved at once that are considered. */
const MOVED_UNITS = 3;
/** Units of one article that the first weight may hold. */
const FIRST_UNITS = 12;
/** The second-best explanation must miss by this many times the tolerance, or none is believed. */
const CLEARLY = 3;
const CONFIRMATIONS = 2;
const DRIFT_GAIN = 0.05;

export interface MixedState {
  /** Units by article, in the order of the configuration; `null` before the first clear weight. */
  readonly counts: readonly number[] | null;
  /** Settled weight to which the counts belong; follows drift. */
  readonly baseGrams: number;
  readonly window: readonly number[];
  readonly seen: number;
  readonly unknown: boolean;
}

export interface MixedChange {
  readonly sku: string;
  readonly count: number;
  readonly delta: number;
  readonly cause: 'first' | 'pick' | 'put';
}

export type MixedOutcome =
  | { readonly kind: 'counts'; readonly changes: readonly MixedChange[]; readonly grams: number }
  | {
      readonly kind: 'unknown-load';
      readonly present: boolean;
      readonly grams: number;
      readonly residualGrams: number;
    };

export const freshMixed = (scale: MixedScale): MixedState => ({
  counts: null,
  baseGrams: scale.emptyGrams,
  window: [],
  seen: 0,
  unknown: false,
});

/**
 * One weight on a scale that several articles share. A change is explained by small numbers of units moved; it is
 * believed only when one explanation fits and every other misses clearly. Whatever is not clear is an unknown load.
 */
export function weighMixed(
  state: MixedState,
  scale: MixedScale,
  grams: number,
): { readonly state: MixedState; readonly outcome: MixedOutcome | null } {
  const window = [...state.window, grams].slice(-SETTLE_SAMPLES);
  const here = { ...state, window };
  const weight = settledWeight(window, scale);
  if (weight === undefined) return { state: { ...here, seen: 0 }, outcome: null };
  const tolerance = Math.max(scale.quantumGrams, 3 * scale.noiseGrams);
  const change = weight - state.baseGrams;
  const net = weight - scale.emptyGrams;
  if (state.counts !== null && Math.abs(change) <= tolerance) {
    const followed = { ...here, baseGrams: state.baseGrams + DRIFT_GAIN * change, seen: 0, unknown: false };
    if (!state.unknown) return { state: followed, outcome: null };
    return { state: followed, outcome: { kind: 'unknown-load', present: false, grams: net, residualGrams: change } };
  }
  if (state.seen + 1 < CONFIRMATIONS) return { state: { ...here, seen: state.seen + 1 }, outcome: null };
  const moved = explain(change, scale, state.counts, tolerance);
  if (moved === undefined) {
    const outcome = { kind: 'unknown-load', present: true, grams: net, residualGrams: change } as const;
    return { state: { ...here, unknown: true }, outcome: state.unknown ? null : outcome };
  }
  const before = state.counts ?? scale.articles.map(() => 0);
  const counts = before.map((count, index) => count + (moved[index] ?? 0));
  const changes = scale.articles.flatMap((article, index): MixedChange[] => {
    const delta = moved[index] ?? 0;
    const count = counts[index] ?? 0;
    if (state.counts === null) return [{ sku: article.sku, count, delta: 0, cause: 'first' }];
    return delta === 0 ? [] : [{ sku: article.sku, count, delta, cause: delta < 0 ? 'pick' : 'put' }];
  });
  return {
    state: { ...here, counts, baseGrams: weight, seen: 0, unknown: false },
    outcome: { kind: 'counts', changes, grams: net },
  };
}

/** The only combination of units that explains a change, or `undefined` when none or more than one does. */
export function explain(
  changeGrams: number,
  scale: MixedScale,
  counts: readonly number[] | null,
  toleranceGrams: number,
): readonly number[] | undefined {
  const { articles } = scale;
  const best: { missGrams: number; units: readonly number[] }[] = [];
  const visit = (index: number, units: readonly number[], grams: number): void => {
    const article = articles[index];
    if (article === undefined) {
      const missGrams = Math.abs(changeGrams - grams);
      best.push({ missGrams, units });
      best.sort((a, b) => a.missGrams - b.missGrams);
      best.length = Math.min(best.length, 2);
      return;
    }
    const held = counts?.[index] ?? 0;
    const least = counts === null ? 0 : -Math.min(held, MOVED_UNITS);
    const most = counts === null ? FIRST_UNITS : MOVED_UNITS;
    for (let moved = least; moved <= most; moved += 1)
      visit(index + 1, [...units, moved], grams + moved * article.unitGrams);
  };
  visit(0, [], 0);
  const [first, second] = best;
  if (first === undefined || first.missGrams > toleranceGrams) return undefined;
  if (second !== undefined && second.missGrams < CLEARLY * toleranceGrams) return undefined;
  return first.units;
}
