import { AgentError } from '../../drivers/api/agent-error.ts';
import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { Log } from '../../drivers/api/driver.ts';
import { STREAMS, type Json, type JsonObject, type Stream } from '../../drivers/api/reading.ts';
import type { ClockTrust, PendingEvent, StoredEvent } from '../core/event.ts';
import type { KitClock } from '../core/host.ts';
import type { Depth, InheritedId, Ledger, LedgerTables, LedgerTx, StreamManifest } from '../core/ledger.ts';
import { BUDGETS } from './budgets.ts';
import { PAGE_BYTES, type Database, type Statement, toLedgerError, isCorrupt } from './database.ts';
import { ledgerFailure } from './errors.ts';
import { openBoots, type Boots } from './boots.ts';
import { inheritedTable, type InheritedTable } from './inherited-table.ts';
import { idempotencyTable, type KeptIdempotencyTable } from './idempotency-table.ts';
import { ledgerTime, type LedgerTime } from './ledger-time.ts';
import { lossesTable, type LossesTable } from './losses-table.ts';
import { marksTable, type MarksTable } from './marks-table.ts';
import { pageBudget, type PageBudget } from './page-budget.ts';
import { paymentTable } from './payment-table.ts';
import { savedTable, type SavedTable } from './saved-table.ts';
import { settle, settleThrough } from './settling.ts';
import { declare, withRange, type Shedding } from './shedding.ts';
import { openStreamLog, type EventRow, type StreamLog } from './stream-log.ts';
import { upkeep, type Upkeep } from './upkeep.ts';

/** Acknowledgements ride on the next commit once they are so many, … */
const RIDE_ALONG_ROWS = 32;
/** … but not more often than this under load, … */
const RIDE_ALONG_MS = 2_000;
/** … and, however few, once they are this old: a kit at rest has some four a minute, and each ride costs a page. */
const RIDE_ALONG_AT_REST_MS = 5 * 60_000;
/** With no commit to ride on, `maintain` writes them down once they are this old. */
const PERSIST_AFTER_MS: number = RIDE_ALONG_AT_REST_MS + 90_000;

export interface SqliteLedgerOptions {
  readonly db: Database;
  readonly epoch: string;
  readonly maxBytes: number;
  readonly retainAckedMs: number;
  readonly clock: KitClock;
  readonly log: Log;
  readonly freeBytes: () => number | null;
  /** Called once when the file turns out to be damaged while it is open. */
  readonly damaged: () => void;
}

/** The ledger on one open database. Made by `openLedger`. */
export class SqliteLedger implements Ledger {
  readonly epoch: string;
  readonly #db: Database;
  readonly #clock: KitClock;
  readonly #boots: Boots;
  readonly #logs: readonly StreamLog[];
  readonly #byStream: ReadonlyMap<Stream, StreamLog>;
  readonly #damaged: () => void;
  readonly #notes: Log;
  readonly #saved: SavedTable;
  readonly #losses: LossesTable;
  readonly #marks: MarksTable;
  readonly #idempotency: KeptIdempotencyTable;
  readonly #inherited: InheritedTable;
  readonly #tables: LedgerTables;
  readonly #time: LedgerTime;
  readonly #pages: PageBudget;
  readonly #upkeep: Upkeep;
  readonly #shedding: Shedding;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #rollback: Statement;
  readonly #maxBytes: number;
  #busy = false;
  #persistedMs: number;
  /** Deliveries of all streams that the file knows of. */
  #persistedDelivered: number;

  constructor(options: SqliteLedgerOptions) {
    const { db, clock } = options;
    this.#db = db;
    this.epoch = options.epoch;
    this.#clock = clock;
    this.#boots = openBoots(db, clock.bootId);
    this.#maxBytes = options.maxBytes;
    this.#logs = STREAMS.map((stream) => openStreamLog(db, stream));
    this.#byStream = new Map(this.#logs.map((log) => [log.stream, log]));
    this.#damaged = options.damaged;
    this.#notes = options.log;
    this.#saved = savedTable(db);
    this.#losses = lossesTable(db);
    this.#marks = marksTable(db);
    this.#inherited = inheritedTable(db);
    this.#time = ledgerTime(db, clock);
    this.#idempotency = idempotencyTable(db, () => this.#time.nowMs());
    const payments = paymentTable(db);
    this.#tables = { idempotency: this.#idempotency, payments };
    this.#pages = pageBudget(db, options.maxBytes);
    this.#shedding = {
      losses: this.#losses,
      append: (event) => this.#append(event).sequence,
      nowMono: () => clock.monoMs(),
    };
    this.#upkeep = upkeep({
      logs: this.#logs,
      marks: this.#marks,
      time: this.#time,
      pages: this.#pages,
      idempotency: this.#idempotency,
      payments,
      shedding: this.#shedding,
      maxBytes: options.maxBytes,
      retainAckedMs: options.retainAckedMs,
      freeBytes: options.freeBytes,
      log: options.log,
      atomically: (work) => this.#atomically(work),
      read: (stream, sequence) => this.range(stream, sequence, sequence, 1)[0],
    });
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
    this.#persistedMs = this.#time.nowMs();
    this.#persistedDelivered = this.#delivered();
  }

  transaction<T>(work: (tx: LedgerTx) => T): T {
    this.#upkeep.makeRoom();
    return this.#atomically(() => {
      let open = true;
      const use = <R>(step: () => R): R => {
        if (!open) throw new TypeError('a ledger transaction was used after it ended');
        return step();
      };
      const tx: LedgerTx = {
        append: (event) => use(() => this.#accept(event)),
        save: (owner, key, value) => use(() => this.#saved.put(owner, key, value)),
        saved: (owner, key) => use(() => this.#saved.find(owner, key)),
        declareLoss: (stream, loss) => use(() => this.#declareUnstored(stream, loss)),
        tables: this.#tables,
      };
      try {
        return work(tx);
      } finally {
        open = false;
      }
    });
  }

  peek(
    stream: Stream,
    after: number,
    limit: { readonly maxRows: number; readonly maxBytes: number },
  ): readonly StoredEvent[] {
    return this.#reading(() =>
      this.#log(stream)
        .pending(after, limit)
        .map((row) => this.#toWaiting(stream, row)),
    );
  }

  range(stream: Stream, from: number, to: number, maxRows: number): readonly StoredEvent[] {
    return this.#reading(() =>
      this.#log(stream)
        .rows(from, to, maxRows)
        .map((row) => this.#toEvent(stream, row)),
    );
  }

  ack(stream: Stream, sequences: readonly number[]): void {
    this.#reading(() => settle(this.#log(stream), sequences));
  }

  ackThrough(stream: Stream, through: number): void {
    this.#reading(() => settleThrough(this.#log(stream), through));
  }

  quarantine(stream: Stream, sequence: number, reason: string): void {
    const log = this.#log(stream);
    this.#atomically(() => {
      const { count, bytes } = log.tally(sequence, sequence);
      if (count === 0 || log.state.settled.has(sequence)) return;
      log.state.settled = withRange(log.state.settled, sequence, sequence);
      log.state.lost += 1;
      log.state.pendingBytes -= bytes;
      log.dirty = 'rows';
      declare(log, this.#shedding, { from: sequence, to: sequence, count: 1, bytes, reason });
    });
  }

  peekInherited(limit: { readonly maxRows: number; readonly maxBytes: number }): readonly StoredEvent[] {
    return this.#reading(() => this.#inherited.peek(limit));
  }

  ackInherited(ids: readonly InheritedId[]): void {
    if (ids.length > 0) this.#atomically(() => this.#inherited.remove(ids));
  }

  restamp(offsetMs: number, trust: ClockTrust): number {
    return this.#atomically(() =>
      this.#logs.reduce((sum, log) => sum + log.restamp(this.#boots.current, offsetMs, trust), 0),
    );
  }

  manifest(stream: Stream): StreamManifest {
    return this.#reading(() => {
      const log = this.#log(stream);
      const first = log.first() ?? log.state.last + 1;
      return { epoch: this.epoch, first, last: log.state.last, losses: this.#losses.list(stream) };
    });
  }

  depth(): Depth {
    return this.#reading(() => ({
      epoch: this.epoch,
      streams: this.#logs.map((log) => {
        const { last, delivered, lost, pendingBytes } = log.state;
        const pendingRows = last - delivered - lost;
        return {
          stream: log.stream,
          last,
          pendingRows,
          pendingBytes,
          oldestPendingMono: pendingRows > 0 ? this.#oldestPendingMono(log) : null,
          lostRows: lost,
        };
      }),
      bytes: this.#pages.usedPages * PAGE_BYTES,
      maxBytes: Math.min(this.#maxBytes, this.#pages.maxPages * PAGE_BYTES),
    }));
  }

  saved(owner: string, key: string): Json | undefined {
    return this.#reading(() => this.#saved.find(owner, key));
  }

  maintain(nowMono: MonoMs): readonly StoredEvent[] {
    return this.#upkeep.run(nowMono, () => {
      if (this.#time.nowMs() - this.#persistedMs >= PERSIST_AFTER_MS) this.#persist();
    });
  }

  /** Writes every stream's counters and the ledger's time down, as closing does: they tell how far a damaged page went. */
  flush(): void {
    this.#atomically(() => {
      for (const log of this.#logs) log.persist();
      this.#persisted();
      this.#time.persist();
    });
  }

  [Symbol.dispose](): void {
    if (!this.#db.open) return;
    try {
      this.flush();
    } catch (error) {
      // A disk that takes nothing more costs the newest acknowledgements, which costs duplicates: no reason to fail.
      if (!(error instanceof AgentError)) throw error;
      this.#notes.warn('ledger-closed-dirty', { code: error.code });
    } finally {
      this.#db.close();
    }
  }

  /** The committed content as one SQLite file, for a simulated machine's disk. */
  image(): Uint8Array {
    return this.#reading(() => this.#db.serialize());
  }

  #log(stream: Stream): StreamLog {
    const log = this.#byStream.get(stream);
    if (log === undefined) throw new TypeError(`no such stream: ${JSON.stringify(stream)}`);
    return log;
  }

  #accept(event: PendingEvent): StoredEvent {
    if (BUDGETS[event.stream].evictable && this.#upkeep.reserved)
      throw ledgerFailure('ledger-full', { detail: 'what is left is kept for sales' });
    return this.#append(event);
  }

  #append(event: PendingEvent): StoredEvent {
    const nowMono = this.#clock.monoMs();
    const trust = this.#clock.trust();
    const wallMs = Math.round(this.#clock.wallMs() - Math.max(0, nowMono - event.atMono)) as WallMs;
    const sequence = this.#log(event.stream).append(event, { boot: this.#boots.enter(), wallMs, trust });
    // Member by member: spreading the event costs 4.8 µs a row, more than its INSERT.
    const { type, stream, subject, data, atMono } = event;
    const { bootId } = this.#boots;
    return { type, stream, subject, data, atMono, epoch: this.epoch, sequence, bootId, wallMs, clockTrust: trust };
  }

  #declareUnstored(
    stream: Stream,
    loss: { readonly count: number; readonly bytes: number; readonly reason: string; readonly atMono: MonoMs },
  ): StoredEvent {
    const log = this.#log(stream);
    const from = log.state.last + 1;
    const to = log.state.last + loss.count;
    log.state.last = to;
    log.state.lost += loss.count;
    log.dirty = 'rows';
    const data: JsonObject = { from, to, count: loss.count, bytes: loss.bytes, reason: loss.reason };
    const stored = this.#append({ type: 'barrow.loss.v1', stream, subject: 'ledger', data, atMono: loss.atMono });
    this.#losses.put(stream, { from, to, count: loss.count, bytes: loss.bytes, reason: loss.reason }, stored.sequence);
    return stored;
  }

  #reading<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#worded(error);
    }
  }

  /** One transaction: all of `work` with the counters, or nothing of either. */
  #atomically<T>(work: () => T): T {
    if (this.#busy) throw new TypeError('ledger transactions do not nest');
    this.#busy = true;
    const before = this.#logs.map((log) => ({ state: { ...log.state }, dirty: log.dirty }));
    try {
      this.#begin.run();
      const result = work();
      if (result instanceof Promise) throw new TypeError('a ledger transaction cannot wait');
      const appended = this.#logs.some((log, index) => log.state.last !== before[index]?.state.last);
      if (appended) this.#upkeep.ride();
      for (const log of this.#logs) if (log.dirty === 'rows') log.persist();
      if (appended && this.#mayRide()) this.#persist();
      this.#commit.run();
      this.#boots.keep();
      return result;
    } catch (error) {
      this.#undo(before);
      throw this.#worded(error);
    } finally {
      this.#busy = false;
    }
  }

  /** A damaged file cannot be trusted with another event: the run has to end, and the next start replaces it. */
  #worded(error: unknown): unknown {
    const worded = toLedgerError(error);
    if (isCorrupt(worded)) this.#damaged();
    // The next attempt finds the log's own blocks free again.
    if (worded instanceof AgentError && worded.code === 'ledger-full') this.#pages.relieve();
    return worded;
  }

  #undo(before: readonly { readonly state: StreamLog['state']; readonly dirty: StreamLog['dirty'] }[]): void {
    this.#boots.undo();
    this.#losses.undo();
    this.#upkeep.missed();
    this.#persistedMs = -Infinity;
    // SQLite itself has rolled back after some I/O errors.
    if (this.#db.inTransaction) this.#rollback.run();
    for (const [index, log] of this.#logs.entries()) {
      const kept = before[index];
      if (kept === undefined) continue;
      log.state = kept.state;
      log.dirty = kept.dirty;
    }
  }

  #mayRide(): boolean {
    const ageMs = this.#time.nowMs() - this.#persistedMs;
    if (ageMs < RIDE_ALONG_MS) return false;
    return ageMs >= RIDE_ALONG_AT_REST_MS || this.#delivered() - this.#persistedDelivered >= RIDE_ALONG_ROWS;
  }

  #persist(): void {
    for (const log of this.#logs) if (log.dirty !== 'no') log.persist();
    this.#persisted();
  }

  #persisted(): void {
    this.#persistedMs = this.#time.nowMs();
    this.#persistedDelivered = this.#delivered();
  }

  #delivered(): number {
    return this.#logs.reduce((sum, log) => sum + log.state.delivered, 0);
  }

  /** With the very text that is published: parsing it again proves that it is JSON, writing it again proves nothing. */
  #toWaiting(stream: Stream, row: EventRow): StoredEvent {
    const { type, subject, data, atMono, epoch, sequence, bootId, wallMs, clockTrust } = this.#toEvent(stream, row);
    const dataText = row[3];
    return { type, stream, subject, data, atMono, epoch, sequence, bootId, wallMs, clockTrust, dataText };
  }

  #toEvent(stream: Stream, row: EventRow): StoredEvent {
    return this.#log(stream).toEvent(row, this.epoch, this.#boots.idOf(row[5]));
  }

  /** In this boot's time; of earlier boots as far back as the ledger knows, which may be negative. */
  #oldestPendingMono(log: StreamLog): MonoMs | null {
    const row = log.pending(0, { maxRows: 1, maxBytes: 1 })[0];
    if (row === undefined) return null;
    if (row[5] === this.#boots.current) return row[4] as MonoMs;
    const born = this.#marks.bornAfter(log.stream, row[0]) ?? 0;
    return (this.#clock.monoMs() - (this.#time.nowMs() - born)) as MonoMs;
  }
}
