import type { Json, JsonObject } from '../../drivers/api/reading.ts';
import type { EventRow } from './stream-log.ts';

/** Sensor values of one minute become one row. */
export const THIN_TO_MS = 60_000;

export const THINNABLE_TYPE = 'barrow.sensor.v1';

export interface Thinning {
  /** Rows that go. */
  readonly drop: readonly EventRow[];
  /** The last row of each minute with its minute's minimum, maximum and mean. */
  readonly rewrite: readonly { readonly row: EventRow; readonly data: string }[];
}

interface Series {
  readonly name: string;
  readonly rest: JsonObject;
  value: Json;
  min: number;
  max: number;
  sum: number;
  n: number;
  numeric: boolean;
}

/** Finds what `barrow.sensor.v1` rows of one sensor and one minute can be told in one. Pure. */
export function thin(rows: readonly EventRow[]): Thinning {
  const groups = new Map<string, EventRow[]>();
  for (const row of rows) {
    if (row[1] !== THINNABLE_TYPE) continue;
    const key = `${row[5]}/${Math.floor(row[4] / THIN_TO_MS)}/${row[2]}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  const drop: EventRow[] = [];
  const rewrite: { row: EventRow; data: string }[] = [];
  for (const group of groups.values()) {
    const last = group.at(-1);
    if (last === undefined || group.length < 2) continue;
    drop.push(...group.slice(0, -1));
    rewrite.push({ row: last, data: JSON.stringify(summary(group)) });
  }
  drop.sort((a, b) => a[0] - b[0]);
  return { drop, rewrite };
}

function summary(group: readonly EventRow[]): JsonObject {
  const series = new Map<string, Series>();
  let last: JsonObject = {};
  for (const row of group) {
    // Written by `append` from a JsonObject.
    last = JSON.parse(row[3]) as JsonObject;
    const seen = new Map<string, number>();
    for (const entry of entries(last)) {
      const name = JSON.stringify(entry['name']);
      // A sensor may send one name twice (two thermometers): the position tells them apart.
      const nth = seen.get(name) ?? 0;
      seen.set(name, nth + 1);
      collect(series, `${name}/${nth}`, name, entry);
    }
  }
  return { ...last, measurements: [...series.values()].map(toMeasurement) };
}

function entries(data: JsonObject): readonly JsonObject[] {
  const list = data['measurements'];
  if (!Array.isArray(list)) return [];
  return list.filter(
    (entry): entry is JsonObject => typeof entry === 'object' && entry !== null && !Array.isArray(entry),
  );
}

function collect(series: Map<string, Series>, key: string, name: string, entry: JsonObject): void {
  const { value, min, max, mean, n, ...rest } = entry;
  const numeric = typeof value === 'number';
  const weight = typeof n === 'number' ? n : 1;
  const low = typeof min === 'number' ? min : numeric ? value : 0;
  const high = typeof max === 'number' ? max : numeric ? value : 0;
  const middle = typeof mean === 'number' ? mean : numeric ? value : 0;
  const known = series.get(key);
  if (known === undefined) {
    series.set(key, {
      name,
      rest,
      value: value ?? null,
      min: low,
      max: high,
      sum: middle * weight,
      n: weight,
      numeric,
    });
    return;
  }
  known.value = value ?? null;
  known.numeric &&= numeric;
  known.min = Math.min(known.min, low);
  known.max = Math.max(known.max, high);
  known.sum += middle * weight;
  known.n += weight;
}

function toMeasurement(series: Series): JsonObject {
  const { rest, value, min, max, sum, n, numeric } = series;
  if (!numeric) return { ...rest, value, n };
  return { ...rest, value, min, max, mean: Number((sum / n).toFixed(6)), n };
}
