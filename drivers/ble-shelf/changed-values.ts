import type { Measurement } from '../api/format.ts';

/**
 * An unchanged value is repeated once in each of these, counted by the kit's own clock: so all values of all sensors are
 * repeated in the same second and share a commit.
 */
export const REPEAT_MS = 60_000;
/** Names per sensor whose last value is remembered; an advert holds a dozen at most. */
export const NAMES_MAX = 64;

/** These count frames or samples: they change with every frame and say nothing by themselves. */
const bookkeeping: ReadonlySet<string> = new Set(['packet_id', 'measurement_sequence', 'adv_cnt', 'sec_cnt']);

/**
 * Air, cells and batteries tremble: a value that lies within so much of the one that was told last is told with the
 * minute's. Each is below the accuracy that makers claim (Ruuvi: ± 0.2 °C, ± 3 %, ± 1 hPa) and above the noise of one
 * tag at rest, which would otherwise write 600 MB a day onto the card.
 */
const TREMOR: ReadonlyMap<string, number> = new Map([
  ['temperature °C', 0.1],
  ['dew_point °C', 0.1],
  ['humidity %', 0.5],
  ['pressure hPa', 0.3],
  ['voltage V', 0.02],
  ['mass kg', 0.015],
  ['acceleration_x G', 0.05],
  ['acceleration_y G', 0.05],
  ['acceleration_z G', 0.05],
]);

/** 20.1 − 20 is a little more than 0.1. */
const DECIMALS = 1e-9;

/** Whether a value says no more than the one before it. */
function isSame(before: Measurement['value'], { name, unit, value }: Measurement): boolean {
  const tremor = TREMOR.get(`${name} ${unit ?? ''}`);
  return tremor === undefined || typeof before !== 'number' || typeof value !== 'number'
    ? before === value
    : Math.abs(value - before) <= tremor + DECIMALS;
}

/** What of a sensor's values is worth an event. */
export interface ChangedValues {
  /** The values that changed by more than they tremble, or are due again; empty when there is nothing to tell. */
  pick(measurements: readonly Measurement[], nowMono: number): readonly Measurement[];
}

/** The repeat that a moment belongs to. */
const roundOf = (mono: number): number => Math.floor(mono / REPEAT_MS);

export function changedValues(): ChangedValues {
  const last = new Map<string, { readonly value: Measurement['value']; readonly atMono: number }>();
  return {
    pick: (measurements, nowMono) => {
      const places = new Map<string, number>();
      const picked: { readonly key: string; readonly measurement: Measurement }[] = [];
      let worthwhile = false;
      for (const measurement of measurements) {
        // A repeated name is another sensor on the same board: told apart by its place and unit.
        const place = (places.get(measurement.name) ?? 0) + 1;
        places.set(measurement.name, place);
        const key = `${measurement.name}/${measurement.unit ?? ''}/${place}`;
        const before = last.get(key);
        if (before !== undefined && isSame(before.value, measurement) && roundOf(nowMono) <= roundOf(before.atMono))
          continue;
        if (before === undefined && last.size + picked.length >= NAMES_MAX) continue;
        picked.push({ key, measurement });
        if (before === undefined || !bookkeeping.has(measurement.name)) worthwhile = true;
      }
      if (!worthwhile) return [];
      for (const { key, measurement } of picked) last.set(key, { value: measurement.value, atMono: nowMono });
      return picked.map(({ measurement }) => measurement);
    },
  };
}
