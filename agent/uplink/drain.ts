import type { MonoMs } from '../../drivers/api/clock.ts';
import { STREAMS, type Stream } from '../../drivers/api/reading.ts';
import type { StoredEvent } from '../core/event.ts';
import type { BrokerLink } from '../core/host.ts';
import type { InheritedId } from '../core/ledger.ts';
import { BATCH_FROM_ROWS, isFairTurn, makeLane, pickLane, type Lane } from './lane.ts';
import { lastOf, type LinkContext, type StreamHold } from './link-context.ts';
import { batch, single, type Outgoing } from './outgoing.ts';
import { pubackPolicy, type PubackPolicy } from './reason-codes.ts';
import type { InFlightHead } from './suspects.ts';

/** Pauses of a stream that the broker does not take, doubling from the first to the last. */
export const FIRST_HOLD_MS = 2_000;
export const LAST_HOLD_MS = 60_000;
/** Sales without a subscriber are tried again this often: someone is likely to be putting it right just now. */
export const NO_SUBSCRIBER_MS = 5_000;

/** A row under suspicion lets all others go first for this long; then they wait until it has had its turn. */
export const SOLO_PATIENCE_MS = 10_000;

const INHERITED_ROWS = 128;

/** One message on its way. */
export interface Flight {
  readonly outgoing: Outgoing;
  readonly origin: 'stream' | 'inherited' | 'solo' | 'resend';
  readonly sentMono: MonoMs;
}

/** Chooses what is sent next on one connection, and what becomes of rows afterwards. Sends nothing itself. */
export interface Drain {
  /** The next message, or `null` when nothing may go now. */
  next(now: MonoMs): { readonly outgoing: Outgoing; readonly origin: Flight['origin'] } | null;
  /** It is on its way. */
  sent(flight: Flight): void;
  /** The broker answered. */
  answered(flight: Flight, code: number, now: MonoMs): void;
  /** Writes the acknowledgements since the last time into the ledger. */
  flush(now: MonoMs): void;
  readonly unflushed: number;
  /** When it is worth asking again without news; `null` when never. */
  dueAt(now: MonoMs): MonoMs | null;
  /** Rows were appended. */
  refresh(): void;
  /** Takes a row out of delivery and says so. */
  quarantine(stream: Stream, sequence: number, reason: string): void;
  /** Oldest message on its way. */
  head(now: MonoMs): InFlightHead | null;
  inFlightRows(): number;
}

export function makeDrain(context: LinkContext, link: BrokerLink): Drain {
  const { parts, topics, suspects, meter } = context;
  const startMono = parts.clock.monoMs();
  const { ledger, kit, log } = parts;
  const packetMax = link.maximumPacketSize ?? Number.POSITIVE_INFINITY;
  const lanes = openLanes(context);
  const holds = new Map<Stream, StreamHold>();
  const flights = new Set<Flight>();
  const inFlightOf = new Map<Stream, number>();
  const acked = new Map<Stream, number[]>();
  const servedAt = new Map<Lane, number>();
  let inherited: { rows: readonly StoredEvent[]; at: number; open: number; done: InheritedId[] } | null = null;
  /** When it is worth looking for inherited rows; infinite when there are none. */
  let inheritedDue: number = startMono;
  let unflushed = 0;
  let turn = 0;
  let soloOpen = false;

  const openCount = (stream: Stream): number => inFlightOf.get(stream) ?? 0;

  /** Whether a stream may send now; ends its pause when that is over and what was on its way has been answered. */
  const mayGo = (stream: Stream, now: MonoMs): boolean => {
    const hold = holds.get(stream);
    if (hold === undefined) return true;
    if (now < hold.until) return false;
    if (openCount(stream) > 0) return false;
    if (hold.kept !== Number.POSITIVE_INFINITY) {
      flush(now);
      for (const lane of lanes) if (lane.stream === stream) lane.rewind(hold.kept);
      hold.kept = Number.POSITIVE_INFINITY;
    }
    hold.probing = true;
    return true;
  };

  const tooLarge = (row: StoredEvent, lane: Lane): void => {
    lane.advance(1);
    quarantine(row.stream, row.sequence, 'too-large-for-broker');
  };

  const quarantine = (stream: Stream, sequence: number, reason: string): void => {
    ledger.quarantine(stream, sequence, reason);
    meter.quarantined += 1;
    log.error('uplink.row-quarantined', { stream, sequence, reason });
  };

  const fromLane = (lane: Lane): Outgoing | null => {
    for (let row = lane.head(); row !== undefined; row = lane.head()) {
      if (lane.batched() && holds.get(lane.stream)?.probing !== true) {
        const outgoing = batch(lane.waiting(), kit, topics, packetMax);
        if (outgoing !== null) {
          lane.advance(outgoing.sequences.length);
          return outgoing;
        }
      }
      const outgoing = single(row, kit, topics);
      if (outgoing.packetBytes <= packetMax) {
        lane.advance(1);
        return outgoing;
      }
      tooLarge(row, lane);
    }
    return null;
  };

  const fromStreams = (now: MonoMs): Outgoing | null => {
    const ready = (lane: Lane): boolean => mayGo(lane.stream, now) && lane.head() !== undefined;
    const lane = isFairTurn(turn)
      ? pickLane(lanes.filter(ready), turn, (candidate) => servedAt.get(candidate) ?? -1)
      : lanes.find(ready);
    if (lane === undefined) return null;
    servedAt.set(lane, turn);
    turn += 1;
    return fromLane(lane);
  };

  const fromInherited = (now: MonoMs): Outgoing | null => {
    for (;;) {
      if (inherited === null && now >= inheritedDue) {
        const rows = ledger.peekInherited({ maxRows: INHERITED_ROWS, maxBytes: 64 * 1024 });
        if (rows.length === 0) inheritedDue = Number.POSITIVE_INFINITY;
        else inherited = { rows, at: 0, open: 0, done: [] };
      }
      const row = inherited?.rows[inherited.at];
      if (inherited === null || row === undefined) return null;
      inherited.at += 1;
      const outgoing = single(row, kit, topics);
      if (outgoing.packetBytes <= packetMax) return outgoing;
      // It belongs to a ledger that is gone: there is nowhere left to declare it but the log.
      log.error('uplink.inherited-too-large', { stream: row.stream, sequence: row.sequence });
      inherited.done.push(idOf(outgoing));
      finishInherited(now);
    }
  };

  /** Once all rows that were read have their answer. */
  const finishInherited = (now: MonoMs): void => {
    if (inherited === null || inherited.open > 0 || inherited.at < inherited.rows.length) return;
    ledger.ackInherited(inherited.done);
    // One that was not taken would only come back at once.
    if (inherited.done.length < inherited.rows.length) inheritedDue = now + LAST_HOLD_MS;
    inherited = null;
  };

  const settleInherited = (outgoing: Outgoing | null, now: MonoMs): void => {
    if (inherited === null) return;
    inherited.open -= 1;
    if (outgoing !== null) inherited.done.push(idOf(outgoing));
    finishInherited(now);
  };

  const soloRow = (): Outgoing | null => {
    for (let solo = suspects.solo(); solo !== null; solo = suspects.solo()) {
      if (flights.size > 0) return null;
      const [row] = ledger.peek(solo.stream, solo.from - 1, { maxRows: 1, maxBytes: 1 });
      if (row === undefined || row.sequence > solo.to) {
        suspects.drop();
        return null;
      }
      const outgoing = single(row, kit, topics);
      if (outgoing.packetBytes <= packetMax) return outgoing;
      quarantine(row.stream, row.sequence, 'too-large-for-broker');
      suspects.acquit(row.stream, row.sequence);
    }
    return null;
  };

  const flush = (now: MonoMs): void => {
    if (unflushed === 0) return;
    for (const [stream, sequences] of acked) if (sequences.length > 0) ledger.ack(stream, sequences);
    meter.addDelivered(unflushed, now);
    acked.clear();
    unflushed = 0;
  };

  const hold = (flight: Flight, policy: PubackPolicy, code: number, now: MonoMs): void => {
    const { stream, sequences } = flight.outgoing;
    const before = holds.get(stream);
    const pauseMs =
      policy === 'no-subscriber'
        ? NO_SUBSCRIBER_MS
        : policy === 'alarm'
          ? LAST_HOLD_MS
          : Math.min(LAST_HOLD_MS, before === undefined ? FIRST_HOLD_MS : before.pauseMs * (before.probing ? 2 : 1));
    const lowest = Math.min(before?.kept ?? Number.POSITIVE_INFINITY, sequences[0] ?? Number.POSITIVE_INFINITY);
    holds.set(stream, { until: (now + pauseMs) as MonoMs, kept: lowest, pauseMs, probing: false });
    meter.code = policy === 'no-subscriber' ? 'uplink-no-subscriber' : 'uplink-refused';
    meter.detail = `${stream}: reason code 0x${code.toString(16).padStart(2, '0')}`;
    const fields = { stream, reasonCode: code, pauseMs };
    if (policy === 'keep') log.warn('uplink.rows-not-taken', fields);
    else log.error('uplink.rows-not-taken', fields);
  };

  const taken = (flight: Flight): void => {
    const { stream, sequences } = flight.outgoing;
    const list = acked.get(stream);
    if (list === undefined) acked.set(stream, [...sequences]);
    else for (const sequence of sequences) list.push(sequence);
    unflushed += sequences.length;
    if (holds.get(stream)?.probing === true && holds.delete(stream) && holds.size === 0) {
      meter.code = null;
      meter.detail = null;
    }
  };

  const answeredStream = (flight: Flight, code: number, now: MonoMs): void => {
    const { stream, sequences, epoch } = flight.outgoing;
    const policy = pubackPolicy(code, stream, parts.profile);
    if (flight.origin === 'inherited')
      settleInherited(policy === 'delivered' || policy === 'quarantine' ? flight.outgoing : null, now);
    else if (policy === 'delivered') {
      if (epoch === ledger.epoch) taken(flight);
      if (flight.origin === 'solo') suspects.acquit(stream, sequences[0] ?? 0);
    } else if (flight.origin === 'resend') log.warn('uplink.resend-not-taken', { stream, reasonCode: code });
    else if (policy !== 'quarantine') hold(flight, policy, code, now);
    else if (sequences.length > 1) hold(flight, 'keep', code, now);
    else {
      quarantine(stream, sequences[0] ?? 0, `broker-reason-${code}`);
      holds.delete(stream);
      if (flight.origin === 'solo') suspects.acquit(stream, sequences[0] ?? 0);
    }
  };

  return {
    next: (now) => {
      if (soloOpen) return null;
      const soloFirst = now - startMono >= SOLO_PATIENCE_MS && suspects.solo() !== null;
      const outgoing = soloFirst ? null : fromStreams(now);
      if (outgoing !== null) return { outgoing, origin: 'stream' };
      const old = soloFirst ? null : fromInherited(now);
      if (old !== null) return { outgoing: old, origin: 'inherited' };
      const solo = soloRow();
      return solo === null ? null : { outgoing: solo, origin: 'solo' };
    },
    sent: (flight) => {
      flights.add(flight);
      soloOpen ||= flight.origin === 'solo';
      const { stream } = flight.outgoing;
      if (flight.origin === 'inherited' && inherited !== null) inherited.open += 1;
      inFlightOf.set(stream, openCount(stream) + 1);
    },
    answered: (flight, code, now) => {
      flights.delete(flight);
      if (flight.origin === 'solo') soloOpen = false;
      inFlightOf.set(flight.outgoing.stream, openCount(flight.outgoing.stream) - 1);
      answeredStream(flight, code, now);
    },
    flush,
    get unflushed() {
      return unflushed;
    },
    dueAt: (now) => {
      let due = inheritedDue > now ? inheritedDue : Number.POSITIVE_INFINITY;
      for (const waiting of holds.values()) if (waiting.until > now) due = Math.min(due, waiting.until);
      return due === Number.POSITIVE_INFINITY ? null : (due as MonoMs);
    },
    refresh: () => {
      for (const lane of lanes) lane.refresh();
    },
    quarantine,
    head: (now) => {
      for (const flight of flights)
        if (flight.origin === 'stream' || flight.origin === 'solo')
          return { stream: flight.outgoing.stream, sequences: flight.outgoing.sequences, ageMs: now - flight.sentMono };
      return null;
    },
    inFlightRows: () => [...flights].reduce((sum, flight) => sum + flight.outgoing.sequences.length, 0),
  };
}

function idOf(outgoing: Outgoing): InheritedId {
  return { epoch: outgoing.epoch, stream: outgoing.stream, sequence: outgoing.sequences[0] ?? 0 };
}

/** Live lanes first, each kind in the streams' order of priority. A short backlog goes singly, ahead of what is live. */
function openLanes(context: LinkContext): readonly Lane[] {
  const { ledger, batchFromRows = BATCH_FROM_ROWS } = context.parts;
  const live: Lane[] = [];
  const backlog: Lane[] = [];
  const skips = (stream: Stream, sequence: number): boolean => context.suspects.covers(stream, sequence);
  const last = lastOf(context.parts);
  for (const stream of STREAMS) {
    const known = last.get(stream) ?? { last: 0, pending: 0 };
    const split = known.pending >= batchFromRows;
    const after = split ? known.last : 0;
    live.push(
      makeLane({ ledger, stream, kind: 'live', after, through: Number.POSITIVE_INFINITY, batchFromRows, skips }),
    );
    if (split)
      backlog.push(makeLane({ ledger, stream, kind: 'backlog', after: 0, through: known.last, batchFromRows, skips }));
  }
  return [...live, ...backlog];
}
