import type { Measurement } from '../api/format.ts';
import type { JsonObject } from '../api/reading.ts';
import type { SensorConfig, SensorFormat } from './config.ts';
import { roundTo } from './decoding.ts';
import { articlesOf, type SavedSensor } from './saved-sensor.ts';
import { freshMixed, weighMixed, type MixedScale, type MixedState } from './shelf-mixed.ts';
import { freshShelf, weigh, type CountCause, type ShelfScale, type ShelfState } from './shelf-count.ts';

export const SHELF_COUNT = 'barrow.shelf.count.v1';
export const SHELF_UNKNOWN_LOAD = 'barrow.shelf.unknown-load.v1';

export interface ShelfEvent {
  readonly type: typeof SHELF_COUNT | typeof SHELF_UNKNOWN_LOAD;
  readonly data: JsonObject;
}

/** Turns a sensor's measurements into counts. One per configured shelf. */
export interface ShelfKeeper {
  observe(measurements: readonly Measurement[]): readonly ShelfEvent[];
  saved(): Pick<SavedSensor, 'shelf' | 'mixed'>;
}

const GRAMS_PER: Readonly<Record<string, number>> = { kg: 1_000, lb: 453.592_37, jin: 500 };
const DEFAULT_NOISE_GRAMS = 2;
/** Weight resolution of each format, grams. */
const quantumGrams: Readonly<Partial<Record<SensorFormat, number>>> = {
  bthome: 10,
  'xiaomi-scale': 5,
  'weight-scale': 5,
};

/** A keeper, or `undefined` for a sensor that stands under no article. */
export function shelfKeeper(config: SensorConfig, saved: SavedSensor | undefined): ShelfKeeper | undefined {
  const kept = saved?.articles === articlesOf(config) ? saved : undefined;
  if (config.articles !== undefined) return mixedKeeper(config, config.articles, kept);
  if (config.sku === undefined) return undefined;
  return singleKeeper(config, config.sku, kept);
}

const scaleOf = (config: SensorConfig): Omit<ShelfScale, 'unitGrams'> => ({
  emptyGrams: config.emptyGrams ?? 0,
  quantumGrams: config.quantumGrams ?? quantumGrams[config.format] ?? 1,
  noiseGrams: config.noiseGrams ?? DEFAULT_NOISE_GRAMS,
  gramsPerDegree: config.gramsPerDegree ?? 0,
});

function singleKeeper(config: SensorConfig, sku: string, saved: SavedSensor | undefined): ShelfKeeper {
  const common = scaleOf(config);
  const scale: ShelfScale | undefined =
    config.unitGrams === undefined ? undefined : { ...common, unitGrams: config.unitGrams };
  let state: ShelfState = {
    ...freshShelf({ ...common, unitGrams: 1 }),
    ...saved?.shelf,
    restored: saved?.shelf !== undefined && saved.shelf.count !== null,
  };

  const countEvent = (count: number, delta: number, cause: CountCause, grams: number | null): ShelfEvent => ({
    type: SHELF_COUNT,
    data: { sensorId: config.id, sku, count, delta, grams: grams === null ? null : roundTo(grams, 1), cause },
  });

  const fromDevice = (count: number, grams: number | undefined): readonly ShelfEvent[] => {
    const before = state.count;
    const restored = state.restored;
    state = { ...state, count, restored: false };
    if (before === count) return [];
    const delta = before === null ? 0 : count - before;
    const cause = before === null ? 'first' : restored ? 'restart' : delta < 0 ? 'pick' : 'put';
    return [countEvent(count, delta, cause, grams === undefined ? null : grams - common.emptyGrams)];
  };

  return {
    observe: (measurements) => {
      const grams = gramsIn(measurements);
      const count = measurements.find((measurement) => measurement.name === 'count')?.value;
      // The device has seen every touch of its shelf; our arithmetic on its weight can only be worse.
      if (typeof count === 'number') return fromDevice(count, grams);
      if (scale === undefined || grams === undefined) return [];
      const result = weigh(state, scale, { grams, temperatureC: temperatureIn(measurements) });
      state = result.state;
      const { outcome } = result;
      if (outcome === null) return [];
      if (outcome.kind === 'count') return [countEvent(outcome.count, outcome.delta, outcome.cause, outcome.grams)];
      return [unknownLoad(config.id, [sku], outcome)];
    },
    saved: () => ({
      shelf: {
        count: state.count,
        zeroGrams: roundTo(state.zeroGrams, 3),
        referenceC: state.referenceC,
        unknown: state.unknown,
      },
    }),
  };
}

function mixedKeeper(
  config: SensorConfig,
  articles: MixedScale['articles'],
  saved: SavedSensor | undefined,
): ShelfKeeper {
  const scale: MixedScale = { ...scaleOf(config), articles };
  let state: MixedState = { ...freshMixed(scale), ...saved?.mixed };
  return {
    observe: (measurements) => {
      const grams = gramsIn(measurements);
      if (grams === undefined) return [];
      const result = weighMixed(state, scale, grams);
      state = result.state;
      const { outcome } = result;
      if (outcome === null) return [];
      if (outcome.kind === 'unknown-load') {
        const skus = articles.map((article) => article.sku);
        return [unknownLoad(config.id, skus, outcome)];
      }
      return outcome.changes.map(({ sku, count, delta, cause }) => ({
        type: SHELF_COUNT,
        data: { sensorId: config.id, sku, count, delta, grams: roundTo(outcome.grams, 1), cause },
      }));
    },
    saved: () => ({
      mixed: { counts: state.counts, baseGrams: roundTo(state.baseGrams, 3), unknown: state.unknown },
    }),
  };
}

function unknownLoad(
  sensorId: string,
  skus: readonly string[],
  outcome: { readonly present: boolean; readonly grams: number; readonly residualGrams: number },
): ShelfEvent {
  return {
    type: SHELF_UNKNOWN_LOAD,
    data: {
      sensorId,
      skus: [...skus],
      present: outcome.present,
      grams: roundTo(outcome.grams, 1),
      residualGrams: roundTo(outcome.residualGrams, 1),
    },
  };
}

/** The load in grams; `undefined` where the sensor sends none or says itself that it is still swinging. */
function gramsIn(measurements: readonly Measurement[]): number | undefined {
  const flag = (name: string): Measurement['value'] | undefined =>
    measurements.find((measurement) => measurement.name === name)?.value;
  // A Mi scale repeats the last weight after it was lifted off, marked so.
  if (flag('weight_removed') === true) return 0;
  if (flag('stabilized') === false) return undefined;
  const mass = measurements.find((measurement) => measurement.name === 'mass');
  const factor = GRAMS_PER[mass?.unit ?? ''];
  return typeof mass?.value === 'number' && factor !== undefined ? mass.value * factor : undefined;
}

function temperatureIn(measurements: readonly Measurement[]): number | undefined {
  const value = measurements.find((measurement) => measurement.name === 'temperature')?.value;
  return typeof value === 'number' ? value : undefined;
}
