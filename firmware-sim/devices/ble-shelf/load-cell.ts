import type { Chance, Clock } from '../../../drivers/api/clock.ts';

/** How a cheap load cell under a shelf misbehaves. */
export interface LoadCellFaults {
  /** Standard deviation of its noise, grams. */
  readonly noiseGrams: number;
  /** Random walk of its zero, grams per square root of an hour. */
  readonly driftGramsPerRootHour: number;
  readonly gramsPerDegree: number;
  /** The air around it: a swing of so many degrees within so long. */
  readonly swingC: number;
  readonly swingPeriodMs: number;
  readonly roomC: number;
  /** For how long a hand disturbs it when something is taken or put. */
  readonly handMs: number;
  readonly handGrams: number;
}

export const soundCell: LoadCellFaults = {
  noiseGrams: 2,
  driftGramsPerRootHour: 2,
  gramsPerDegree: 1,
  swingC: 1.5,
  swingPeriodMs: 6 * 3_600_000,
  roomC: 21,
  handMs: 1_500,
  handGrams: 400,
};

const HOUR_MS = 3_600_000;

/** A load cell with something on it. */
export interface LoadCell {
  /** What it reads now, gross grams. Drift advances with the clock. */
  grams(): number;
  temperatureC(): number;
  /** Changes the load; a hand presses and lifts for a moment. */
  load(grams: number): void;
}

/** Standard normal from two uniform numbers. */
export const normal = (chance: Chance): number =>
  Math.sqrt(-2 * Math.log(1 - chance.float())) * Math.cos(2 * Math.PI * chance.float());

export function loadCell(faults: LoadCellFaults, clock: Clock, chance: Chance): LoadCell {
  const startedMono = clock.monoMs();
  let loadGrams = 0;
  let driftGrams = 0;
  let driftedMono: number = startedMono;
  let handUntilMono = Number.NEGATIVE_INFINITY;

  const temperatureC = (): number => {
    const phase = ((clock.monoMs() - startedMono) / faults.swingPeriodMs) * 2 * Math.PI;
    return faults.roomC + faults.swingC * Math.sin(phase);
  };

  return {
    temperatureC,
    load: (grams) => {
      loadGrams = grams;
      handUntilMono = clock.monoMs() + faults.handMs;
    },
    grams: () => {
      const now = clock.monoMs();
      driftGrams += normal(chance) * faults.driftGramsPerRootHour * Math.sqrt((now - driftedMono) / HOUR_MS);
      driftedMono = now;
      const hand = now < handUntilMono ? (chance.float() - 0.3) * faults.handGrams : 0;
      const warmth = (temperatureC() - faults.roomC) * faults.gramsPerDegree;
      return loadGrams + driftGrams + warmth + hand + normal(chance) * faults.noiseGrams;
    },
  };
}
