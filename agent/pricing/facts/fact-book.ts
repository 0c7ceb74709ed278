import type { Json } from '../../../drivers/api/reading.ts';
import type { StoredEvent } from '../../core/event.ts';
import type { KitClock } from '../../core/host.ts';
import type { FactReading, FactReadings, ItemState, Quality } from '../decide/inputs.ts';
import { localTime, parseInstant } from '../decide/instant.ts';
import { MinuteWindow } from './minute-window.ts';
import { isObject, textOf, type SalesCount } from './sales-book.ts';
import { Watch } from './watch.ts';

export interface FactBookParts {
  readonly clock: KitClock;
  readonly kit: {
    readonly timezone: string;
    readonly opens?: string | undefined;
    readonly closes?: string | undefined;
  };
  /** Ids of the drivers that count people; footfall is known as soon as one of them exists. */
  readonly counters: readonly string[];
}

/** What is asked about one item beside what the sensors say. */
export interface ItemMoment {
  readonly state: ItemState;
  readonly sales: SalesCount;
  readonly soldToday: number;
  readonly budgetLeftMinor: number;
}

interface ShelfCount {
  readonly count: number;
  readonly sku: string;
}

/** Sensors and parts that are remembered; a kit has a dozen. */
const MAX_SENSORS = 1_024;

/**
 * The kit's facts, folded from its own events. Everything here can be had again by folding the same events, so nothing
 * is saved but what the till said.
 */
export class FactBook {
  readonly #parts: FactBookParts;
  readonly #counts = new Map<string, ShelfCount>();
  /** When each sensor was last heard, changed or not. */
  readonly #heardMono = new Map<string, number>();
  readonly #troubled = new Set<string>();
  readonly #people = new MinuteWindow();
  readonly #watch = new Watch();
  readonly #sales = new MinuteWindow();
  readonly #folded = new Map<string, number>();
  #temperature: { readonly deciCelsius: number; readonly atMono: number } | null = null;
  #counterSeen = false;

  constructor(parts: FactBookParts) {
    this.#parts = parts;
    this.#counterSeen = parts.counters.length > 0;
  }

  /**
   * Takes one event in; an event that was folded before is left out, so that a repeated transaction counts once.
   * Events of an earlier boot are placed by their wall time. Returns whether a fact may have changed.
   */
  fold(event: StoredEvent): boolean {
    if (event.sequence <= (this.#folded.get(event.stream) ?? 0)) return false;
    this.#folded.set(event.stream, event.sequence);
    const atMono = this.#placed(event);
    if (atMono === null) {
      // Those of the door that cannot be dated are missing from every window.
      if (event.stream === 'footfall') this.#watch.lose(this.#parts.clock.monoMs());
      return false;
    }
    const { data } = event;
    if (event.type === 'barrow.agent.started.v1') this.#watch.restart(atMono);
    this.#watch.hear(atMono);
    switch (event.type) {
      case 'barrow.shelf.count.v1':
        return this.#shelf(data['sensorId'], data['sku'], data['count'], atMono);
      case 'barrow.sensor.v1':
        return this.#sensor(data['sensorId'], data['measurements'], atMono);
      case 'barrow.footfall.crossing.v1':
        this.#counterSeen = true;
        if (data['direction'] === 'in') this.#people.add(atMono);
        return true;
      case 'barrow.sale.v1':
        this.#sales.add(atMono);
        return true;
      case 'barrow.driver.state.v1':
        return this.#state(textOf(data['part']) ?? textOf(data['driverId']), data['state'], atMono);
      default:
        return false;
    }
  }

  /** Every fact of one item that is known now, with its age and quality. */
  readings(sku: string, moment: ItemMoment): FactReadings {
    const { clock, kit } = this.#parts;
    const nowMono = clock.monoMs();
    const readings: Record<string, FactReading> = {};
    const known = (name: string, value: number | string | null, ageS = 0, quality: Quality = 'ok'): void => {
      readings[name] = { value, ageS, quality };
    };
    const stock = this.#stock(sku, moment, nowMono);
    if (stock !== null) readings['stock'] = stock;
    known('sold_today', moment.soldToday);
    const base = moment.sales.brought ?? (stock === null ? null : moment.sales.sold + Number(stock.value));
    if (base !== null && base > 0)
      known(
        'sell_through_bp',
        Math.trunc((moment.sales.sold * 10_000) / base),
        stock?.ageS ?? 0,
        stock?.quality ?? 'ok',
      );
    if (this.#counterSeen) this.#footfall(nowMono, known);
    if (this.#temperature !== null)
      known('temperature_dc', this.#temperature.deciCelsius, age(nowMono, this.#temperature.atMono));
    known('rung', moment.state.rung);
    known('price_minor', moment.state.priceMinor);
    known('budget_left_minor', moment.budgetLeftMinor);
    const nowMs = clock.wallMs();
    const timed: Quality = clock.trust() === 'unset' ? 'bad' : 'ok';
    const minutes = (text: string | undefined, sign: 1 | -1): number | null => {
      const at = text === undefined ? null : parseInstant(text);
      return at === null ? null : Math.max(0, Math.floor((sign * (nowMs - at)) / 60_000));
    };
    const open = minutes(kit.opens, 1);
    if (open !== null) known('minutes_open', open, 0, timed);
    const left = minutes(kit.closes, -1);
    if (left !== null) known('minutes_left', left, 0, timed);
    const local = localTime(nowMs, kit.timezone);
    known('daypart', daypartOf(local.hour), 0, timed);
    known('weekday', local.weekday, 0, timed);
    return readings;
  }

  #footfall(
    nowMono: number,
    known: (name: string, value: number | null, ageS?: number, quality?: Quality) => void,
  ): void {
    const quality = (minutes: number): Quality =>
      this.#hasTrouble() || this.#watch.hasMissed(nowMono, minutes * 60_000) ? 'suspect' : 'ok';
    const hour = this.#people.sum(nowMono, 60);
    known('footfall_in_15m', this.#people.sum(nowMono, 15), 0, quality(15));
    known('footfall_in_60m', hour, 0, quality(60));
    if (hour > 0) known('conversion_bp', Math.trunc((this.#sales.sum(nowMono, 60) * 10_000) / hour), 0, quality(60));
  }

  /** The sum over the item's shelves, as old as the oldest of them; without a shelf, what the till's books say. */
  #stock(sku: string, { sales }: ItemMoment, nowMono: number): FactReading | null {
    let value = 0;
    let ageS = 0;
    let quality: Quality = 'ok';
    let shelves = 0;
    for (const [sensorId, shelf] of this.#counts) {
      if (shelf.sku !== sku) continue;
      shelves += 1;
      value += shelf.count;
      ageS = Math.max(ageS, age(nowMono, this.#heardMono.get(sensorId) ?? Number.NEGATIVE_INFINITY));
      if (this.#troubled.has(sensorId)) quality = 'suspect';
    }
    if (shelves > 0) return { value, ageS, quality };
    return sales.brought === null ? null : { value: sales.brought - sales.sold, ageS: 0, quality: 'ok' };
  }

  #shelf(sensorId: Json | undefined, sku: Json | undefined, count: Json | undefined, atMono: number): boolean {
    if (typeof sensorId !== 'string' || typeof sku !== 'string' || typeof count !== 'number') return false;
    if (this.#counts.size >= MAX_SENSORS && !this.#counts.has(sensorId)) return false;
    this.#counts.set(sensorId, { sku, count: Math.trunc(count) });
    this.#heardMono.set(sensorId, atMono);
    return true;
  }

  #sensor(sensorId: Json | undefined, measurements: Json | undefined, atMono: number): boolean {
    if (typeof sensorId !== 'string' || !Array.isArray(measurements)) return false;
    if (this.#heardMono.size < MAX_SENSORS || this.#heardMono.has(sensorId)) this.#heardMono.set(sensorId, atMono);
    for (const item of measurements as readonly Json[]) {
      if (!isObject(item) || item['name'] !== 'temperature' || typeof item['value'] !== 'number') continue;
      this.#temperature = { deciCelsius: Math.round(item['value'] * 10), atMono };
    }
    return true;
  }

  #state(id: string | undefined, state: Json | undefined, atMono: number): boolean {
    if (id === undefined) return false;
    if (state === 'silent' || state === 'failed' || state === 'degraded' || state === 'stopped') {
      if (this.#troubled.size < MAX_SENSORS) this.#troubled.add(id);
    } else this.#troubled.delete(id);
    if (this.#hasTrouble()) this.#watch.leave(atMono);
    else this.#watch.enter(atMono);
    return true;
  }

  /** Whether a counter is out of order. */
  #hasTrouble(): boolean {
    return this.#parts.counters.some((id) => this.#troubled.has(id));
  }

  #placed(event: StoredEvent): number | null {
    const { clock } = this.#parts;
    if (event.bootId === clock.bootId) return event.atMono;
    if (event.clockTrust === 'unset' || clock.trust() === 'unset') return null;
    const agoMs = clock.wallMs() - event.wallMs;
    return agoMs < 0 ? null : clock.monoMs() - agoMs;
  }
}

/** Whole seconds, rounded up: a fact is never younger than it says. */
function age(nowMono: number, atMono: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.ceil((nowMono - atMono) / 1000)));
}

function daypartOf(hour: number): string {
  if (hour < 11) return 'morning';
  if (hour < 14) return 'midday';
  return hour < 17 ? 'afternoon' : 'evening';
}
