import { describe, expect, it } from 'vitest';
import { freshShelf, weigh, type ShelfOutcome, type ShelfScale, type ShelfState } from './shelf-count.ts';
import { explain, freshMixed, weighMixed, type MixedOutcome, type MixedScale, type MixedState } from './shelf-mixed.ts';

const scale: ShelfScale = { unitGrams: 100, emptyGrams: 40, quantumGrams: 1, noiseGrams: 1, gramsPerDegree: 0 };

/** Feeds weights and keeps what came of them. */
function feed(
  state: ShelfState,
  weights: readonly number[],
  using: ShelfScale = scale,
): { state: ShelfState; outcomes: readonly ShelfOutcome[] } {
  const outcomes: ShelfOutcome[] = [];
  for (const grams of weights) {
    const result = weigh(state, using, { grams });
    state = result.state;
    if (result.outcome !== null) outcomes.push(result.outcome);
  }
  return { state, outcomes };
}

const steady = (grams: number, samples = 8): readonly number[] => Array.from({ length: samples }, () => grams);

describe('shelf count', () => {
  it('says the first count once it is settled, with a delta of nought', () => {
    const { outcomes } = feed(freshShelf(scale), steady(540));
    expect(outcomes).toEqual([{ kind: 'count', count: 5, delta: 0, cause: 'first', grams: 500 }]);
  });

  it('tells picks from puts, and says nothing while a hand is on the shelf', () => {
    const first = feed(freshShelf(scale), steady(540));
    const hand = feed(first.state, [700, 610, 380, 450]);
    expect(hand.outcomes).toEqual([]);
    const picked = feed(hand.state, steady(340));
    expect(picked.outcomes).toMatchObject([{ count: 3, delta: -2, cause: 'pick', grams: 300 }]);
    expect(feed(picked.state, steady(440)).outcomes).toMatchObject([{ count: 4, delta: 1, cause: 'put' }]);
  });

  it('follows drift of several articles without counting it', () => {
    let { state } = feed(freshShelf(scale), steady(540));
    const seen: ShelfOutcome[] = [];
    for (let sample = 0; sample < 5_000; sample += 1) {
      const result = weigh(state, scale, { grams: 540 + sample * 0.1 });
      state = result.state;
      if (result.outcome !== null) seen.push(result.outcome);
    }
    expect(seen).toEqual([]);
    expect(feed(state, steady(540 + 500 - 100)).outcomes).toMatchObject([{ count: 4, delta: -1 }]);
  });

  it('calls a load between whole articles unknown, once, and says when it is gone', () => {
    const first = feed(freshShelf(scale), steady(540));
    const bag = feed(first.state, steady(590));
    expect(bag.outcomes).toMatchObject([{ kind: 'unknown-load', present: true, residualGrams: -50 }]);
    expect(bag.state.count).toBe(5);
    const gone = feed(bag.state, steady(540));
    expect(gone.outcomes).toMatchObject([{ kind: 'unknown-load', present: false }]);
    expect(feed(gone.state, steady(540)).outcomes).toEqual([]);
  });

  it('zeroes itself when the shelf weighs less than nothing', () => {
    const wrong = feed(freshShelf({ ...scale, emptyGrams: 40 }), steady(140));
    expect(wrong.outcomes).toMatchObject([{ count: 1, cause: 'first' }]);
    const { outcomes, state } = feed(wrong.state, steady(-40));
    expect(outcomes).toMatchObject([{ count: 0, delta: -1, cause: 'rezero' }]);
    expect(feed(state, steady(60)).outcomes).toMatchObject([{ count: 1, delta: 1, cause: 'put' }]);
  });

  it('takes out what warmth does, where it is known', () => {
    const warm: ShelfScale = { ...scale, gramsPerDegree: 20 };
    let state = freshShelf(warm);
    const outcomes: ShelfOutcome[] = [];
    for (const temperatureC of [20, 20, 20, 20, 20, 25, 25, 25, 25, 25]) {
      const result = weigh(state, warm, { grams: 540 + (temperatureC - 20) * 20, temperatureC });
      state = result.state;
      if (result.outcome !== null) outcomes.push(result.outcome);
    }
    expect(outcomes).toMatchObject([{ count: 5, cause: 'first' }]);
    expect(state.zeroGrams).toBeCloseTo(40, 5);
  });

  it('calls a change that happened while it was off a restart', () => {
    const { state } = feed(freshShelf(scale), steady(540));
    const restored = { ...freshShelf(scale), count: state.count, zeroGrams: state.zeroGrams, restored: true };
    expect(feed(restored, steady(540)).outcomes).toEqual([]);
    expect(feed(restored, steady(240)).outcomes).toMatchObject([{ count: 2, delta: -3, cause: 'restart' }]);
  });

  it('keeps its deltas adding up whatever it is fed', () => {
    let seed = 1;
    const random = (): number => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const weights = Array.from({ length: 400 }, () => steady(Math.round(random() * 1_500) - 100, 6)).flat();
    const { outcomes } = feed(freshShelf(scale), weights);
    let count: number | null = null;
    for (const outcome of outcomes) {
      if (outcome.kind !== 'count') continue;
      if (count !== null) expect(outcome.count - outcome.delta).toBe(count);
      count = outcome.count;
      expect(count).toBeGreaterThanOrEqual(0);
    }
    expect(count).not.toBeNull();
  });
});

describe('several articles on one scale', () => {
  const mixed: MixedScale = {
    articles: [
      { sku: 'MUG', unitGrams: 330 },
      { sku: 'TEE', unitGrams: 180 },
    ],
    emptyGrams: 0,
    quantumGrams: 10,
    noiseGrams: 2,
    gramsPerDegree: 0,
  };
  const settle = (state: MixedState, grams: number): { state: MixedState; outcomes: readonly MixedOutcome[] } => {
    const outcomes: MixedOutcome[] = [];
    for (const weight of steady(grams)) {
      const result = weighMixed(state, mixed, weight);
      state = result.state;
      if (result.outcome !== null) outcomes.push(result.outcome);
    }
    return { state, outcomes };
  };

  it('names the article when only one explains the change', () => {
    const start: MixedState = { ...freshMixed(mixed), counts: [3, 4], baseGrams: 3 * 330 + 4 * 180 };
    const picked = settle(start, start.baseGrams - 330);
    expect(picked.outcomes).toMatchObject([
      { kind: 'counts', changes: [{ sku: 'MUG', count: 2, delta: -1, cause: 'pick' }] },
    ]);
    const both = settle(picked.state, picked.state.baseGrams + 330 - 180);
    expect(both.outcomes[0]).toMatchObject({
      changes: [
        { sku: 'MUG', delta: 1, cause: 'put' },
        { sku: 'TEE', delta: -1, cause: 'pick' },
      ],
    });
  });

  it('calls a change unknown when two explanations come close, or none fits', () => {
    const alike: MixedScale = {
      ...mixed,
      articles: [
        { sku: 'A', unitGrams: 200 },
        { sku: 'B', unitGrams: 100 },
      ],
    };
    expect(explain(-200, alike, [2, 2], 10)).toBeUndefined();
    expect(explain(-90, mixed, [3, 4], 10)).toBeUndefined();
    const start: MixedState = { ...freshMixed(mixed), counts: [3, 4], baseGrams: 1_710 };
    expect(settle(start, 1_620).outcomes).toMatchObject([{ kind: 'unknown-load', present: true }]);
  });

  it('never takes more than what is there', () => {
    expect(explain(-330, mixed, [0, 4], 10)).toBeUndefined();
  });
});
