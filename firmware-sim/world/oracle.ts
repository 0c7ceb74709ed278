import type { CloudEvent } from '../../agent/core/event.ts';
import type { Book } from '../devices/zvt-terminal/book.ts';
import { paymentFaults, paymentTruth, type PaymentTruth } from './payment-truth.ts';
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
  /** Units on each shelf, by sensor. */
  readonly shelves: Map<string, number>;
  /** What the subscriber gets: one event or an array of them. */
  receive(topic: string, payload: string): void;
  /** Every way in which the kit broke its promises; empty when it kept them. */
  judge(ends: ReadonlyMap<string, ReadonlyMap<Stream, number>>, book: Book): readonly string[];
  readonly received: number;
  readonly duplicates: number;
}

/** Violations that are told; more say nothing new. */
const TOLD = 20;

export function makeOracle(kitId: string): Oracle {
  const events = new Map<string, CloudEvent>();
  const inOrder: CloudEvent[] = [];
  const clashes: string[] = [];
  let received = 0;
  const oracle: Oracle = {
    scans: [],
    sales: [],
    payments: paymentTruth(),
    shelves: new Map(),
    get received() {
      return received;
    },
    get duplicates() {
      return received - events.size;
    },
    receive(topic, payload) {
      const [, , , kind] = topic.split('/');
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
      return [
        ...clashes,
        ...missing(all, ends),
        ...scanFaults(all, oracle.scans),
        ...saleFaults(all, oracle.sales),
        ...shelfFaults(all, oracle.shelves),
        ...paymentFaults(all, oracle.payments, book),
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

/** Every sequence up to the last one given came, or is declared lost. */
function missing(all: readonly CloudEvent[], ends: ReadonlyMap<string, ReadonlyMap<Stream, number>>): string[] {
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
        if (!have.has(sequence) && !losses.some(({ from, to }) => from <= sequence && sequence <= to))
          faults.push(`${epoch}/${stream}/${sequence} never came and was not declared`);
      for (const sequence of have) if (sequence > last) faults.push(`${epoch}/${stream}/${sequence} was never given`);
    }
  return faults;
}

function bySequence(all: readonly CloudEvent[], stream: Stream): readonly CloudEvent[] {
  return all.filter((event) => event.stream === stream).sort((a, b) => Number(a.sequence) - Number(b.sequence));
}

/** Every safe scan once, none twice, none invented, in the order of the shop, whatever the clocks did. */
function scanFaults(all: readonly CloudEvent[], scans: readonly ScanTruth[]): string[] {
  const faults: string[] = [];
  const order = new Map(scans.map((scan, index) => [scan.text, index]));
  const came = new Map<string, number>();
  let before = -1;
  for (const event of bySequence(all, 'scan')) {
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
    if (safe && times === 0) faults.push(`scan ${text} at ${atMs} ms was safe and never came`);
  }
  return faults;
}

/** Every sale that was answered is there once, under the id that the till was told. */
function saleFaults(all: readonly CloudEvent[], sales: readonly SaleTruth[]): string[] {
  const faults: string[] = [];
  const byKey = new Map<string, CloudEvent[]>();
  for (const event of bySequence(all, 'sale')) {
    if (event.type !== 'barrow.sale.v1') continue;
    const key = word(event.data['eventId']);
    byKey.set(key, [...(byKey.get(key) ?? []), event]);
  }
  for (const { key, eventId } of sales) {
    const came = byKey.get(key) ?? [];
    if (came.length > 1) faults.push(`sale ${key} was booked ${came.length} times`);
    if (eventId !== null && came[0]?.id !== eventId)
      faults.push(`sale ${key} was answered as ${eventId}, came as ${came[0]?.id ?? 'nothing'}`);
  }
  return faults;
}

/** The differences add up to what lies on the shelf. */
function shelfFaults(all: readonly CloudEvent[], shelves: ReadonlyMap<string, number>): string[] {
  const faults: string[] = [];
  if (all.some((event) => event.stream === 'shelf' && event.type === 'barrow.loss.v1')) return faults;
  for (const [sensorId, units] of shelves) {
    const counts = bySequence(all, 'shelf').filter(
      (event) => event.type === 'barrow.shelf.count.v1' && event.data['sensorId'] === sensorId,
    );
    const last = counts.at(-1);
    if (last === undefined) {
      faults.push(`shelf ${sensorId} never told a count`);
      continue;
    }
    if (last.data['count'] !== units) faults.push(`shelf ${sensorId} holds ${units}, told ${word(last.data['count'])}`);
    let count = Number(counts[0]?.data['count']);
    for (const event of counts.slice(1)) {
      count += Number(event.data['delta']);
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
