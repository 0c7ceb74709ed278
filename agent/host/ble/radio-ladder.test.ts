import { describe, expect, it } from 'vitest';
import { heard, LADDER, ladderDefaults, ladderStart, tick, type LadderState, type LadderStep } from './radio-ladder.ts';

const TICK_MS = 1_000;

/** Runs the ladder over virtual time; `hears` says at which seconds an advert comes. */
function run(
  seconds: number,
  hears: (second: number) => boolean,
  from: LadderState = ladderStart(0),
  startSecond = 0,
): { readonly steps: readonly (readonly [number, LadderStep])[]; readonly state: LadderState } {
  let state = from;
  const steps: [number, LadderStep][] = [];
  for (let second = startSecond + 1; second <= startSecond + seconds; second += 1) {
    if (hears(second)) state = heard(state, second * TICK_MS, ladderDefaults);
    const next = tick(state, second * TICK_MS, ladderDefaults);
    state = next.state;
    if (next.step !== null) steps.push([second, next.step]);
  }
  return { steps, state };
}

describe('recovery ladder', () => {
  it('climbs at 30, 90, 180 and 210 s of silence', () => {
    const { steps, state } = run(215, () => false);
    expect(steps).toEqual([
      [30, 'restart-scan'],
      [90, 'new-process'],
      [180, 'reset-adapter'],
      [210, 'give-up'],
    ]);
    expect(state.failed).toBe(true);
  });

  it('does nothing while adverts come', () => {
    expect(run(3_600, () => true).steps).toEqual([]);
  });

  it('begins again after it gave up, each time more patiently, and never stops trying', () => {
    const { steps } = run(86_400, () => false);
    const restarts = steps.filter(([, step]) => step === 'restart-scan').map(([second]) => second);
    expect(restarts.length).toBeGreaterThan(5);
    expect(restarts.length).toBeLessThan(40);
    const waits = restarts.slice(1).map((second, index) => second - (restarts[index] ?? 0));
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  });

  it('is well again with the first advert', () => {
    const { state } = run(215, () => false);
    const later = run(5, () => true, state, 215);
    expect(later.state).toMatchObject({ failed: false, climbed: 0 });
    expect(later.steps).toEqual([]);
  });

  it('learns that a site is quiet: adverts a minute apart are disturbed once', () => {
    const { steps, state } = run(7_200, (second) => second % 60 === 0);
    expect(steps).toEqual([[30, 'restart-scan']]);
    expect(state.failed).toBe(false);
  });

  it('takes no step for a silence that it slept through itself', () => {
    const before = run(10, () => true).state;
    const late = tick(before, 600_000, ladderDefaults);
    expect(late.step).toBeNull();
    expect(tick(late.state, 601_000, ladderDefaults).step).toBeNull();
  });

  it('stays impatient when its own steps are what brings the adverts back', () => {
    let state = ladderStart(0);
    for (let round = 0; round < 10; round += 1) {
      const start = round * 100;
      const silent = run(30, () => false, state, start);
      expect(silent.steps.at(-1)).toEqual([start + 30, 'restart-scan']);
      state = run(70, () => true, silent.state, start + 30).state;
    }
    expect(state.patience).toBe(1);
  });

  it('has a time for every step, in rising order', () => {
    const times = LADDER.map((step) => ladderDefaults.afterMs[step]);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
});
