/** Samples of one measurement: enough for a median and a deviation, half a minute at one advert a second. */
export const SAMPLES = 12;
/** A range beyond this many grams, or times the spread of the middle half, means that something moved. */
const MOVED_SPREADS = 6;
const MOVED_GRAMS = 60;

/** One steady weight. Grams. */
export interface Steady {
  readonly grams: number;
  readonly noiseGrams: number;
}

/** The numbers that kit.yaml wants. */
export interface Calibration {
  readonly unitGrams: number;
  readonly emptyGrams: number;
  readonly noiseGrams: number;
  readonly quantumGrams: number;
}

/** The middle of the newest samples, once there are enough and nothing moved meanwhile. */
export function steady(samples: readonly number[]): Steady | undefined {
  if (samples.length < SAMPLES) return undefined;
  const newest = samples.slice(-SAMPLES).toSorted((a, b) => a - b);
  const mean = newest.reduce((sum, grams) => sum + grams, 0) / newest.length;
  const variance = newest.reduce((sum, grams) => sum + (grams - mean) ** 2, 0) / (newest.length - 1);
  const noiseGrams = Math.sqrt(variance);
  // The spread of the middle half: one sample that a hand disturbed must not excuse itself by widening the deviation.
  const middle = (newest[Math.floor(SAMPLES * 0.75)] ?? 0) - (newest[Math.floor(SAMPLES * 0.25)] ?? 0);
  const range = (newest.at(-1) ?? 0) - (newest[0] ?? 0);
  if (range > Math.max(MOVED_GRAMS, MOVED_SPREADS * middle)) return undefined;
  if (stepped(samples.slice(-SAMPLES))) return undefined;
  return { grams: mean, noiseGrams };
}

/** Half-way between two weights is no weight: beyond this, or this many times the noise, something was put down meanwhile. */
const STEPPED_GRAMS = 30;
const STEPPED_NOISES = 3;

/**
 * Whether the first half weighs something else than the second. Half the samples before and half after a change widen the
 * middle spread themselves; the differences from one sample to the next do not, but for one.
 */
function stepped(samples: readonly number[]): boolean {
  const half = samples.length / 2;
  const mean = (some: readonly number[]): number => some.reduce((sum, grams) => sum + grams, 0) / some.length;
  const steps = samples.slice(1).map((grams, index) => Math.abs(grams - (samples[index] ?? 0)));
  const noise = mean(steps.toSorted((a, b) => a - b).slice(0, -1));
  const change = Math.abs(mean(samples.slice(half)) - mean(samples.slice(0, half)));
  return change > Math.max(STEPPED_GRAMS, STEPPED_NOISES * noise);
}

/** The coarsest step of the open formats (BTHome's mass), for a sensor that showed no step of its own. Grams. */
const COARSEST_STEP_GRAMS = 10;

/**
 * The step in which the sensor reports: the largest that every difference within one weighing is a multiple of, to a
 * tenth of a gram. Not the difference between two weighings: that is what was put on the shelf.
 */
export function quantum(weighings: readonly (readonly number[])[]): number {
  let step = 0;
  for (const grams of weighings) {
    const tenths = grams.map((value) => Math.round(value * 10));
    const first = tenths[0] ?? 0;
    step = tenths.reduce((found, value) => greatestCommonDivisor(found, Math.abs(value - first)), step);
  }
  return step === 0 ? COARSEST_STEP_GRAMS : step / 10;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** `undefined` when the full shelf does not weigh more than the empty one. */
export function calibrate(empty: Steady, full: Steady, items: number, quantumGrams: number): Calibration | undefined {
  const unitGrams = (full.grams - empty.grams) / items;
  if (unitGrams <= 0) return undefined;
  const tenth = (grams: number): number => Math.round(grams * 10) / 10;
  return {
    unitGrams: tenth(unitGrams),
    emptyGrams: Math.max(0, tenth(empty.grams)),
    noiseGrams: Math.max(0.1, tenth(Math.max(empty.noiseGrams, full.noiseGrams))),
    quantumGrams,
  };
}

/** A unit this light against the sensor's own step cannot be counted by weight. */
export const tooLight = ({ unitGrams, quantumGrams, noiseGrams }: Calibration): boolean =>
  unitGrams < Math.max(2 * quantumGrams, 6 * noiseGrams);
