import type { CloudEvent } from '../../agent/core/event.ts';
import type { Book } from '../devices/zvt-terminal/book.ts';
import { paymentFaults, paymentTruth, type PaymentTruth } from './payment-truth.ts';
import { priceTruth, type PriceTruth } from './price-truth.ts';
import { replacedLedgers } from './replaced.ts';
import { STREAMS, type Json, type Stream } from '../../drivers/api/reading.ts';

/** A scan that a shopper's item made, and what became of it on the kit's side of the cable. */
export interface ScanTruth {
  readonly text: string;
  readonly atMs: number;
  /** The agent had the port open. */
  heard: boolean;
  /** It lived on, with a working disk, long enough to have committed it. */
  safe: boolean;
}

/** A sale that the till was told is on disk. */
export interface SaleTruth {
  readonly key: string;
  /** The event's id, as the till was told; `null` while no answer came. */
  eventId: string | null;
}

/** Knows what happened in the shop and what the subscriber got, and compares the two at the end. */
export interface Oracle {
  readonly scans: ScanTruth[];
  readonly sales: SaleTruth[];
  readonly payments: PaymentTruth;
  readonly prices: PriceTruth;
  /** Units on each shelf, by sensor. */
  readonly shelves: Map<string, number>;
  /** A ledger was opened: its epoch comes after those known. */
  opened(epoch: string): void;
  /** The ledger's file was damaged while nothing had it open; it had given these sequences. */
  damaged(epoch: string, lasts: ReadonlyMap<Stream, number>): void;
  /** The prices on show are the last ones decided. */
  pricesAgree(): boolean;
  /** What the subscriber gets: one event or an array of them. */
  receive(topic: string, payload: string): void;
  /** Every way in which the kit broke its promises; empty when it kept them. */
  judge(ends: ReadonlyMap<string, ReadonlyMap<Stream, number>>, book: Book): readonly string[];
  readonly received: number;
  readonly duplicates: number;
  readonly epochs: number;
}

/** Violations that are told; more say nothing new. */
const TOLD = 20;

export function makeOracle(kitId: string): Oracle {
  const events = new Map<string, CloudEvent>();
  const inOrder: CloudEvent[] = [];
  const clashes: string[] = [];
  const epochs: string[] = [];
  const damages = new Map<string, ReadonlyMap<Stream, number>>();
  let excusedPayments = 0;
  let received = 0;
  /** One stream over all epochs, the oldest first. */
  const inOrderOf = (stream: Stream): readonly CloudEvent[] =>
    [...events.values()]
      .filter((event) => event.stream === stream)
      .sort((a, b) =>
        a.epoch === b.epoch
          ? Number(a.sequence) - Number(b.sequence)
          : epochs.indexOf(a.epoch) - epochs.indexOf(b.epoch),
      );
  const oracle: Oracle = {
    scans: [],
    sales: [],
    payments: paymentTruth(),
    prices: priceTruth(),
    shelves: new Map(),
    get received() {
      return received;
    },
    get epochs() {
      return epochs.length;
    },
    get duplicates() {
      return received - events.size;
    },
    opened(epoch) {
      if (!epochs.includes(epoch)) epochs.push(epoch);
    },
    damaged(epoch, lasts) {
      damages.set(epoch, lasts);
      excusedPayments = oracle.payments.asked.length;
    },
    pricesAgree: () => oracle.prices.agrees(inOrderOf('price')),
    receive(topic, payload) {
      const [, , , kind, name] = topic.split('/');
      if (kind === 'price' && name !== undefined) oracle.prices.shown(name, payload);
      if (kind !== 'event' && kind !== 'batch') return;
      const parsed = JSON.parse(payload) as CloudEvent | readonly CloudEvent[];
      for (const event of Array.isArray(parsed) ? (parsed as readonly CloudEvent[]) : [parsed as CloudEvent]) {
        received += 1;
        if (event.source !== `/kits/${kitId}`) clashes.push(`foreign source ${event.source}`);
        const known = events.get(event.id);
        if (known === undefined) {
          events.set(event.id, event);
          inOrder.push(event);
        } else if (JSON.stringify(known.data) !== JSON.stringify(event.data) || known.type !== event.type)
          clashes.push(`${event.id} was ${known.type} and came again as ${event.type}`);
      }
    },
    judge(ends, book) {
      const all = [...events.values()];
      const lasts = new Map([...damages, ...ends]);
      const replaced = replacedLedgers(all);
      /** Whether the ledger that replaced an epoch's owns up to a sequence of it. */
      const declared: Declared = (epoch, stream, sequence) =>
        !ends.has(epoch) &&
        replaced.some((one) => one.epoch === null || (one.epoch === epoch && one.declares(stream, sequence)));
      const unread = [...damages]
        .filter(([epoch]) => !ends.has(epoch))
        .flatMap(([epoch, counts]) => [...counts].map(([stream, last]) => ({ epoch, stream, last })));
      const given = (stream: Stream): number =>
        unread
          .filter((one) => one.stream === stream)
          .reduce((sum, { epoch, last }) => {
            let lost = 0;
            for (let sequence = 1; sequence <= last; sequence += 1)
              if (!events.has(`${epoch}/${stream}/${sequence}`) && declared(epoch, stream, sequence)) lost += 1;
            return sum + lost;
          }, 0);
      return [
        ...clashes,
        ...silentFaults(unread, replaced),
        ...missing(all, lasts, declared),
        ...scanFaults(inOrderOf('scan'), oracle.scans, given('scan')),
        ...saleFaults(inOrderOf('sale'), oracle.sales, declared),
        ...shelfFaults(inOrderOf('shelf'), oracle.shelves, given('shelf') > 0),
        ...paymentFaults(inOrderOf('sale'), {
          truth: oracle.payments,
          book,
          excused: unread.length > 0 ? excusedPayments : 0,
        }),
        ...oracle.prices.faults(inOrderOf('price')),
      ].slice(0, TOLD);
    },
  };
  return oracle;
}

interface LossData {
  readonly from: number;
  readonly to: number;
}

function word(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

type Declared = (epoch: string, stream: Stream, sequence: number) => boolean;

/** A ledger that was replaced is spoken of by the one that took its place. */
function silentFaults(
  gone: readonly { readonly epoch: string }[],
  replaced: readonly { readonly epoch: string | null }[],
): string[] {
  return [...new Set(gone.map(({ epoch }) => epoch))]
    .filter((epoch) => !replaced.some((one) => one.epoch === epoch || one.epoch === null))
    .map((epoch) => `the ledger ${epoch} was replaced and nobody said so`);
}

/** Every sequence up to the last one given came, or is declared lost. */
function missing(
  all: readonly CloudEvent[],
  ends: ReadonlyMap<string, ReadonlyMap<Stream, number>>,
  declared: Declared,
): string[] {
  const faults: string[] = [];
  for (const [epoch, lasts] of ends)
    for (const stream of STREAMS) {
      const own = all.filter((event) => event.epoch === epoch && event.stream === stream);
      const have = new Set(own.map((event) => Number(event.sequence)));
      const losses = own
        .filter((event) => event.type === 'barrow.loss.v1')
        .map((event) => event.data as unknown as LossData);
      const last = lasts.get(stream) ?? 0;
      for (let sequence = 1; sequence <= last; sequence += 1)
        if (
          !have.has(sequence) &&
          !losses.some(({ from, to }) => from <= sequence && sequence <= to) &&
          !declared(epoch, stream, sequence)
        )
          faults.push(`${epoch}/${stream}/${sequence} never came and was not declared`);
      for (const sequence of have) if (sequence > last) faults.push(`${epoch}/${stream}/${sequence} was never given`);
    }
  return faults;
}

/**
 * Every safe scan once, none twice, none invented, in the order of the shop, whatever the clocks did. As many may be
 * missing as were declared.
 */
function scanFaults(inOrder: readonly CloudEvent[], scans: readonly ScanTruth[], declared: number): string[] {
  const faults: string[] = [];
  const order = new Map(scans.map((scan, index) => [scan.text, index]));
  const came = new Map<string, number>();
  let before = -1;
  let left = declared;
  for (const event of inOrder) {
    if (event.type !== 'barrow.scan.v1') continue;
    const text = word(event.data['text']);
    const index = order.get(text);
    if (index === undefined) {
      faults.push(`scan ${text} was never made`);
      continue;
    }
    came.set(text, (came.get(text) ?? 0) + 1);
    if (index < before) faults.push(`scan ${text} is out of order`);
    before = Math.max(before, index);
  }
  for (const { text, safe, atMs } of scans) {
    const times = came.get(text) ?? 0;
    if (times > 1) faults.push(`scan ${text} came ${times} times under different ids`);
    if (safe && times === 0 && (left -= 1) < 0) faults.push(`scan ${text} at ${atMs} ms was safe and never came`);
  }
  return faults;
}

/** Every sale that was answered is there once, under the id that the till was told. */
function saleFaults(inOrder: readonly CloudEvent[], sales: readonly SaleTruth[], declared: Declared): string[] {
  const faults: string[] = [];
  const byKey = new Map<string, CloudEvent[]>();
  for (const event of inOrder) {
    if (event.type !== 'barrow.sale.v1') continue;
    const key = word(event.data['eventId']);
    byKey.set(key, [...(byKey.get(key) ?? []), event]);
  }
  for (const { key, eventId } of sales) {
    const came = byKey.get(key) ?? [];
    // An answer that went with the damaged file is asked for again, of a ledger that knows nothing of it.
    if (new Set(came.map(({ epoch }) => epoch)).size !== came.length)
      faults.push(`sale ${key} was booked ${came.length} times`);
    const [epoch = '', stream, sequence] = (eventId ?? '').split('/');
    if (stream === 'sale' && declared(epoch, stream, Number(sequence))) continue;
    if (eventId !== null && !came.some(({ id }) => id === eventId))
      faults.push(`sale ${key} was answered as ${eventId}, came as ${came[0]?.id ?? 'nothing'}`);
  }
  return faults;
}

/** The differences add up to what lies on the shelf, from the first count of each ledger on. */
function shelfFaults(all: readonly CloudEvent[], shelves: ReadonlyMap<string, number>, incomplete: boolean): string[] {
  const faults: string[] = [];
  if (all.some(({ type }) => type === 'barrow.loss.v1')) return faults;
  for (const [sensorId, units] of shelves) {
    const counts = all.filter((event) => event.type === 'barrow.shelf.count.v1' && event.data['sensorId'] === sensorId);
    const last = counts.at(-1);
    if (last === undefined) {
      faults.push(`shelf ${sensorId} never told a count`);
      continue;
    }
    if (last.data['count'] !== units) faults.push(`shelf ${sensorId} holds ${units}, told ${word(last.data['count'])}`);
    if (incomplete) continue;
    let epoch = '';
    let count = 0;
    for (const event of counts) {
      count = event.epoch === epoch ? count + Number(event.data['delta']) : Number(event.data['count']);
      ({ epoch } = event);
      if (count !== Number(event.data['count'])) {
        faults.push(
          `shelf ${sensorId}: differences add up to ${count} at ${event.id}, told ${word(event.data['count'])}`,
        );
        break;
      }
    }
  }
  return faults;
}
