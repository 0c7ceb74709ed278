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

/** What of a sensor's values is worth an event. */
export interface ChangedValues {
  /** The values that changed or are due again; empty when there is nothing to tell. */
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
        if (before !== undefined && before.value === measurement.value && roundOf(nowMono) <= roundOf(before.atMono))
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
