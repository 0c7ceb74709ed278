import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { JsonObject, Stream } from '../../drivers/api/reading.ts';
import type { ClockTrust, PendingEvent, StoredEvent } from '../core/event.ts';
import type { Database } from './database.ts';
import { ledgerFailure } from './errors.ts';
import { isEventTooLarge } from './limits.ts';
import { RangeSet, type Range } from './range-set.ts';

/** What a row costs beside its texts: key, times, record header; measured on 233-byte rows. */
export const ROW_OVERHEAD_BYTES = 40;

/**
 * Ranges of settled sequences that are written down for one stream. Beyond it the highest are forgotten at a restart,
 * which sends rows again and loses none.
 */
export const SETTLED_RANGES = 2048;

const TRUST: readonly ClockTrust[] = ['unset', 'estimated', 'synced'];
const ROW_BYTES = `octet_length(data) + octet_length(type) + octet_length(subject) + ${ROW_OVERHEAD_BYTES}`;

/** The counters of one stream. `last = delivered + lost + pending` always. */
export interface StreamState {
  last: number;
  delivered: number;
  /** Declared: dropped, thinned, quarantined or never stored. */
  lost: number;
  heldBytes: number;
  pendingBytes: number;
  /** Sequences that need no delivery any more. Replaced, never changed, inside a transaction. */
  settled: RangeSet;
}

export type EventRow = readonly [
  seq: number,
  type: string,
  subject: string,
  data: string,
  mono: number,
  boot: number,
  wall: number,
  trust: number,
];

export interface Tally {
  readonly count: number;
  readonly bytes: number;
}

/** One stream's table with its counters in memory. Every write belongs inside a transaction of the caller. */
export interface StreamLog {
  readonly stream: Stream;
  state: StreamState;
  /**
   * How the counters differ from the file's: by acknowledgements, which may be written later, or by rows that went or
   * never were, which belong into the same transaction.
   */
  dirty: 'no' | 'acks' | 'rows';
  append(event: PendingEvent, stamp: Stamp): number;
  /** Rows in a range, ascending. */
  rows(from: number, to: number, limit: number): readonly EventRow[];
  /** Count and size of the rows that exist in a range. */
  tally(from: number, to: number): Tally;
  /** Sequence of the newest row below `seq`, 0 when none. */
  previous(seq: number): number;
  /** Sequence of the oldest row held, `null` when none. */
  first(): number | null;
  /** The sequence below or at which all is settled. */
  settledThrough(): number;
  /** Unsettled rows after a sequence, ascending. */
  pending(after: number, limit: { readonly maxRows: number; readonly maxBytes: number }): readonly EventRow[];
  remove(from: number, to: number): void;
  rewrite(seq: number, data: string): void;
  /** Gives wall times to unsettled rows of one boot: `wall = mono + offsetMs`. Returns how many. */
  restamp(boot: number, offsetMs: number, trust: ClockTrust): number;
  /** Writes the counters down. */
  persist(): void;
  toEvent(row: EventRow, epoch: string, bootId: string): StoredEvent;
}

export interface Stamp {
  readonly boot: number;
  readonly wallMs: WallMs;
  readonly trust: ClockTrust;
}

interface StateRow {
  readonly last: number;
  readonly delivered: number;
  readonly lost: number;
  readonly held_bytes: number;
  readonly pending_bytes: number;
  readonly settled: string;
}

export function rowBytes(row: EventRow): number {
  return Buffer.byteLength(row[3]) + row[1].length + Buffer.byteLength(row[2]) + ROW_OVERHEAD_BYTES;
}

/** Opens one stream: counters as last written down, plus the rows that came after. */
export function openStreamLog(db: Database, stream: Stream): StreamLog {
  const table = `event_${stream}`;
  const columns = 'seq, type, subject, data, mono, boot, wall, trust';
  const insert = db.prepare<[number, string, string, string, number, number, number, number]>(
    `INSERT INTO ${table} (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const between = db
    .prepare<[number, number, number], EventRow>(
      `SELECT ${columns} FROM ${table} WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?`,
    )
    .raw();
  const tally = db.prepare<[number, number], Tally>(
    `SELECT count(*) AS count, coalesce(sum(${ROW_BYTES}), 0) AS bytes FROM ${table} WHERE seq BETWEEN ? AND ?`,
  );
  const previous = db.prepare<[number], number | null>(`SELECT max(seq) FROM ${table} WHERE seq < ?`).pluck();
  const first = db.prepare<[], number | null>(`SELECT min(seq) FROM ${table}`).pluck();
  const remove = db.prepare<[number, number]>(`DELETE FROM ${table} WHERE seq BETWEEN ? AND ?`);
  const rewrite = db.prepare<[string, number]>(`UPDATE ${table} SET data = ? WHERE seq = ?`);
  const restamp = db.prepare<[number, number, number, number, number, number]>(
    `UPDATE ${table} SET wall = CAST(mono + ? AS INTEGER), trust = ? WHERE seq BETWEEN ? AND ? AND boot = ? AND trust < ?`,
  );
  const persist = db.prepare<[string, number, number, number, number, number, string]>(
    `INSERT INTO streams (stream, last, delivered, lost, held_bytes, pending_bytes, settled) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (stream) DO UPDATE SET last = excluded.last, delivered = excluded.delivered, lost = excluded.lost,
       held_bytes = excluded.held_bytes, pending_bytes = excluded.pending_bytes, settled = excluded.settled`,
  );
  return {
    stream,
    state: readState(db, stream, tally.get.bind(tally)),
    dirty: 'no',
    append(event, stamp) {
      const data = JSON.stringify(event.data);
      if (isEventTooLarge(data)) throw ledgerFailure('ledger-event', { detail: `${event.type} of ${event.subject}` });
      const seq = this.state.last + 1;
      const trust = TRUST.indexOf(stamp.trust);
      insert.run(seq, event.type, event.subject, data, event.atMono, stamp.boot, stamp.wallMs, trust);
      const bytes = Buffer.byteLength(data) + event.type.length + Buffer.byteLength(event.subject) + ROW_OVERHEAD_BYTES;
      this.state.last = seq;
      this.state.heldBytes += bytes;
      this.state.pendingBytes += bytes;
      return seq;
    },
    rows: (from, to, limit) => between.all(from, to, limit),
    tally: (from, to) => tally.get(from, to) ?? { count: 0, bytes: 0 },
    previous: (seq) => previous.get(seq) ?? 0,
    first: () => first.get() ?? null,
    settledThrough() {
      const head = this.state.settled.ranges[0];
      return head !== undefined && head[0] <= 1 ? head[1] : 0;
    },
    pending(after, limit) {
      const rows: EventRow[] = [];
      let bytes = 0;
      for (const [from, to] of this.state.settled.gaps(after + 1, this.state.last)) {
        let next = from;
        while (next <= to && rows.length < limit.maxRows) {
          const chunk = between.all(next, to, Math.min(limit.maxRows - rows.length, 256));
          for (const row of chunk) {
            bytes += rowBytes(row);
            if (rows.length > 0 && bytes > limit.maxBytes) return rows;
            rows.push(row);
          }
          const newest = chunk.at(-1);
          if (newest === undefined) break;
          next = newest[0] + 1;
        }
        if (rows.length >= limit.maxRows) break;
      }
      return rows;
    },
    remove: (from, to) => void remove.run(from, to),
    rewrite: (seq, data) => void rewrite.run(data, seq),
    restamp(boot, offsetMs, trust) {
      const rank = TRUST.indexOf(trust);
      let changed = 0;
      for (const [from, to] of this.state.settled.gaps(1, this.state.last))
        changed += restamp.run(offsetMs, rank, from, to, boot, rank).changes;
      return changed;
    },
    persist() {
      const { last, delivered, lost, heldBytes, pendingBytes, settled } = this.state;
      const kept = settled.ranges.slice(0, SETTLED_RANGES) satisfies readonly Range[];
      persist.run(stream, last, delivered, lost, heldBytes, pendingBytes, JSON.stringify(kept));
      this.dirty = 'no';
    },
    toEvent: (row, epoch, bootId) => toStoredEvent(stream, row, epoch, bootId),
  };
}

function readState(db: Database, stream: Stream, tally: (from: number, to: number) => Tally | undefined): StreamState {
  const row = db
    .prepare<[string], StateRow>(
      'SELECT last, delivered, lost, held_bytes, pending_bytes, settled FROM streams WHERE stream = ?',
    )
    .get(stream);
  const newest = db.prepare<[], number | null>(`SELECT max(seq) FROM event_${stream}`).pluck().get() ?? 0;
  const written = row?.last ?? 0;
  const later = newest > written ? tally(written + 1, newest) : undefined;
  const bytes = later?.bytes ?? 0;
  return {
    last: Math.max(newest, written),
    delivered: row?.delivered ?? 0,
    lost: row?.lost ?? 0,
    heldBytes: (row?.held_bytes ?? 0) + bytes,
    pendingBytes: (row?.pending_bytes ?? 0) + bytes,
    settled: new RangeSet(row === undefined ? [] : (JSON.parse(row.settled) as Range[])),
  };
}

/** The public shape of a row. Throws `ledger-corrupt` where its data is not JSON any more: SQLite has no checksums. */
export function toStoredEvent(stream: Stream, row: EventRow, epoch: string, bootId: string): StoredEvent {
  const [sequence, type, subject, data, mono, , wall, trust] = row;
  return {
    type,
    stream,
    subject,
    data: parsed(stream, sequence, data),
    atMono: mono as MonoMs,
    epoch,
    sequence,
    bootId,
    wallMs: wall as WallMs,
    clockTrust: TRUST[trust] ?? 'unset',
  };
}

/** Written by `append` from a JsonObject. */
function parsed(stream: Stream, sequence: number, text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch (error) {
    throw ledgerFailure('ledger-corrupt', { detail: `${stream}/${sequence} is not JSON`, cause: error });
  }
}
