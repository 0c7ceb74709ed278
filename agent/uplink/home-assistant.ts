import type { JsonObject, Stream } from '../../drivers/api/reading.ts';
import type { KitClock } from '../core/host.ts';
import type { Ledger } from '../core/ledger.ts';
import { businessDay } from '../till/business-day.ts';
import type { RetainedMessage } from './parts.ts';

const DISCOVERY = 'homeassistant';

/** Rows that are read at a time, so that a busy day never holds the uplink. */
export const ROWS_AT_A_TIME = 2_000;
/** Rows of each stream that are read when the agent starts: a day of a busy shop. */
export const ROWS_AT_START = 20_000;
/** Things that may become entities. */
export const THINGS_MAX = 256;

/** What an entity's id, a topic level and a template's quotes take as it is. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export interface HomeAssistantParts {
  readonly kit: { readonly id: string; readonly timezone: string };
  readonly version: string;
  readonly ledger: Pick<Ledger, 'epoch' | 'manifest' | 'range'>;
  readonly clock: KitClock;
  readonly drivers: () => readonly string[];
}

/** What Home Assistant shows of a kit. */
export interface HomeState {
  readonly day: string | null;
  /** Units by sensor. */
  readonly shelves: Readonly<Record<string, number>>;
  /** Crossings of today by line. */
  readonly footfall: Readonly<Record<string, { readonly in: number; readonly out: number }>>;
}

/**
 * A kit as a device of Home Assistant: its retained discovery messages, and one retained message with what no other topic
 * retains. Counts are read from the ledger, so they survive a restart of the agent.
 * @see https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
 */
export function homeAssistant(parts: HomeAssistantParts): () => readonly RetainedMessage[] {
  const book = new HomeBook(parts);
  return () => {
    const state = book.catchUp();
    return [
      { topic: homeTopic(parts.kit.id), payload: JSON.stringify(state) },
      ...discovery(parts.kit.id, parts.version, state, parts.drivers()),
    ];
  };
}

/** Where the kit retains {@link HomeState}. */
export function homeTopic(kitId: string): string {
  return `barrow/v1/${kitId}/home`;
}

/** The retained discovery messages of everything that is known of a kit, in a stable order. */
export function discovery(
  kitId: string,
  version: string,
  state: HomeState,
  drivers: readonly string[],
): readonly RetainedMessage[] {
  const base = `barrow/v1/${kitId}`;
  const node = `barrow_${plainId(kitId)}`;
  const common = {
    availability_topic: `${base}/state`,
    availability_template: "{{ 'online' if value_json.online else 'offline' }}",
    device: {
      identifiers: [node],
      name: `Barrow ${kitId}`,
      manufacturer: 'Barrow',
      model: 'pop-up kit',
      sw_version: version,
    },
    origin: { name: 'Barrow', sw_version: version },
  };
  const entity = (kind: 'sensor' | 'binary_sensor', id: string, config: JsonObject): RetainedMessage => ({
    topic: `${DISCOVERY}/${kind}/${node}/${id}/config`,
    payload: JSON.stringify({ ...config, unique_id: `${node}_${id}`, object_id: `${node}_${id}`, ...common }),
  });
  const home = homeTopic(kitId);
  return [
    entity('binary_sensor', 'problem', {
      name: 'Problem',
      state_topic: `${base}/health`,
      value_template: "{{ 'OFF' if value_json.ready else 'ON' }}",
      device_class: 'problem',
      json_attributes_topic: `${base}/health`,
      json_attributes_template: "{{ {'reasons': value_json.reasons | map(attribute='code') | list} | tojson }}",
    }),
    entity('sensor', 'backlog', {
      name: 'Events waiting',
      state_topic: `${base}/health`,
      value_template: '{{ value_json.ledger.pending.values() | sum }}',
      state_class: 'measurement',
      entity_category: 'diagnostic',
      icon: 'mdi:tray-full',
    }),
    ...Object.keys(state.shelves).map((id) =>
      entity('sensor', `shelf_${plainId(id)}`, {
        name: `Shelf ${id}`,
        state_topic: home,
        value_template: `{{ value_json.shelves['${id}'] }}`,
        unit_of_measurement: 'units',
        state_class: 'measurement',
        icon: 'mdi:bookshelf',
      }),
    ),
    ...Object.keys(state.footfall).map((id) =>
      entity('sensor', `footfall_${plainId(id)}`, {
        name: `Footfall today ${id}`,
        state_topic: home,
        value_template: `{{ value_json.footfall['${id}'].in }}`,
        unit_of_measurement: 'visitors',
        state_class: 'total_increasing',
        icon: 'mdi:shoe-print',
      }),
    ),
    ...drivers
      .filter((id) => PLAIN.test(id))
      .slice(0, THINGS_MAX)
      .map((id) =>
        entity('binary_sensor', `driver_${plainId(id)}`, {
          name: `Driver ${id}`,
          state_topic: `${base}/health`,
          value_template: `{{ 'OFF' if value_json.drivers | selectattr('id', 'eq', '${id}') | selectattr('state', 'eq', 'ready') | list | count > 0 else 'ON' }}`,
          device_class: 'problem',
          entity_category: 'diagnostic',
        }),
      ),
  ];
}

/** Home Assistant takes letters, digits, underscore and hyphen; two names never become one. */
function plainId(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9-]/g, (char) => `_${char.codePointAt(0)?.toString(16) ?? ''}`);
}

/** Counts by reading the ledger's rows behind the uplink's back: it is told nothing and keeps no rows. */
class HomeBook {
  readonly #parts: HomeAssistantParts;
  readonly #next = new Map<Stream, number>();
  readonly #shelves = new Map<string, number>();
  readonly #footfall = new Map<string, { in: number; out: number }>();
  #epoch: string | null = null;
  #day: string | null = null;

  constructor(parts: HomeAssistantParts) {
    this.#parts = parts;
  }

  catchUp(): HomeState {
    const { ledger, clock, kit } = this.#parts;
    if (this.#epoch !== ledger.epoch) {
      this.#epoch = ledger.epoch;
      this.#next.clear();
    }
    const today = businessDay(clock, kit.timezone, undefined) ?? null;
    if (today !== this.#day) {
      this.#day = today;
      for (const line of this.#footfall.keys()) this.#footfall.set(line, { in: 0, out: 0 });
    }
    this.#read('shelf');
    this.#read('footfall');
    return { day: today, shelves: Object.fromEntries(this.#shelves), footfall: Object.fromEntries(this.#footfall) };
  }

  #read(stream: Stream): void {
    const { ledger, clock, kit } = this.#parts;
    const { first, last } = ledger.manifest(stream);
    if (last === 0) return;
    const next = Math.max(this.#next.get(stream) ?? last - ROWS_AT_START + 1, first, 1);
    const rows = ledger.range(stream, next, last, ROWS_AT_A_TIME);
    for (const row of rows) {
      const { sensorId, count, lineId, direction } = row.data;
      if (row.type === 'barrow.shelf.count.v1' && typeof count === 'number')
        this.#put(this.#shelves, sensorId, () => count);
      if (row.type !== 'barrow.footfall.crossing.v1') continue;
      const day = businessDay(clock, kit.timezone, new Date(row.wallMs).toISOString()) ?? null;
      const seen = day === this.#day ? 1 : 0;
      this.#put(this.#footfall, lineId, (line) => ({
        in: (line?.in ?? 0) + (direction === 'in' ? seen : 0),
        out: (line?.out ?? 0) + (direction === 'out' ? seen : 0),
      }));
    }
    // Rows that are gone leave holes: what was asked for has been answered when less came back than was allowed.
    const answered = rows.length < ROWS_AT_A_TIME ? last : (rows.at(-1)?.sequence ?? last);
    this.#next.set(stream, answered + 1);
  }

  #put<T>(into: Map<string, T>, id: unknown, value: (known: T | undefined) => T): void {
    if (typeof id !== 'string' || !PLAIN.test(id)) return;
    if (into.has(id) || into.size < THINGS_MAX) into.set(id, value(into.get(id)));
  }
}
