import type { MonoMs } from '../../drivers/api/clock.ts';
import type { Log } from '../../drivers/api/driver.ts';
import type { Stream } from '../../drivers/api/reading.ts';
import type { StoredEvent } from '../core/event.ts';
import { BUDGETS, CUT_TO_PERCENT, PASS_ROWS, SHEDDING_ORDER } from './budgets.ts';
import { PAGE_BYTES } from './database.ts';
import type { KeptIdempotencyTable } from './idempotency-table.ts';
import { TIME_SAVED_EVERY_MS, type LedgerTime } from './ledger-time.ts';
import type { MarksTable } from './marks-table.ts';
import type { PageBudget } from './page-budget.ts';
import { dropOldest, forgetSettled, thinOldest, type Shedding } from './shedding.ts';
import type { KeptPaymentTable } from './payment-table.ts';
import type { StreamLog } from './stream-log.ts';

/** How often the disk's free space is asked for. */
const FREE_SPACE_EVERY_MS = 5_000;

/**
 * A commit that is made anyway takes the marks and the rows past their retention along once these are so old: a kit at
 * rest has a commit a minute, and each of its own would cost 12 KB (measured).
 */
const RIDE_AFTER_MS = 45_000;
/** With no commit to ride on, `run` sees to them after this. So finely are the ages of rows known. */
const RIDE_AT_LATEST_MS = 90_000;
/** More rows past their retention are no guests of a sale's commit: `run` removes them. */
const RIDE_ROWS = 200;

/** How often answers past their time are looked for. */
const FORGET_EVERY_MS = 60_000;

/** Passes over all streams when the ledger is full; each frees up to {@link PASS_ROWS} rows. */
const ROOM_PASSES = 16;

export interface UpkeepOptions {
  readonly logs: readonly StreamLog[];
  readonly marks: MarksTable;
  readonly time: LedgerTime;
  readonly pages: PageBudget;
  readonly idempotency: KeptIdempotencyTable;
  readonly payments: KeptPaymentTable;
  readonly shedding: Shedding;
  readonly maxBytes: number;
  readonly retainAckedMs: number;
  readonly freeBytes: () => number | null;
  readonly log: Log;
  atomically<T>(work: () => T): T;
  read(stream: Stream, sequence: number): StoredEvent | undefined;
}

/** Retention, budgets, the hard cap and the file's size. */
export interface Upkeep {
  /** Only what is kept for sales and prices is left: other streams are refused. */
  readonly reserved: boolean;
  /** Called before each transaction: cheap unless the ledger is full. */
  makeRoom(): void;
  /** Called within a transaction that appended something: what may wait for one. */
  ride(): void;
  /** The transaction was rolled back: what rode on it is due again. */
  missed(): void;
  /** Called every second or so. Returns the losses declared since the last call. */
  run(nowMono: MonoMs, persist: () => void): readonly StoredEvent[];
}

export function upkeep(options: UpkeepOptions): Upkeep {
  const { logs, marks, time, pages, shedding } = options;
  const declared: { stream: Stream; sequence: number }[] = [];
  const thinned = new Map<Stream, number>();
  const marked = new Map<Stream, { last: number; acked: number }>();
  let reserved = false;
  let askedFreeMs = -Infinity;
  let forgotMs = -Infinity;
  let rodeMs = -Infinity;

  const note = (stream: Stream, sequence: number | null): boolean => {
    if (sequence !== null) declared.push({ stream, sequence });
    return sequence !== null;
  };

  /** Thins where the stream thins, else drops. False when nothing is left to give. */
  const cut = (log: StreamLog, bytes: number, reason: string): boolean => {
    if (BUDGETS[log.stream].thins) {
      const { through, declaredBy } = thinOldest(log, shedding, thinned.get(log.stream) ?? 0);
      thinned.set(log.stream, through);
      if (note(log.stream, declaredBy)) return true;
    }
    return note(log.stream, dropOldest(log, shedding, { bytes, through: log.state.last, reason }));
  };

  /** One pass while the ledger is full: delivered rows first, then the streams in their order. */
  const free = (): boolean => {
    for (const stream of SHEDDING_ORDER) {
      const log = logs.find((each) => each.stream === stream);
      if (log !== undefined && forgetSettled(log, log.settledThrough()) > 0) return true;
    }
    const candidates = logs.filter((log) => BUDGETS[log.stream].evictable && log.state.pendingBytes > 0);
    candidates.sort((a, b) => SHEDDING_ORDER.indexOf(a.stream) - SHEDDING_ORDER.indexOf(b.stream));
    // The stream that takes the largest part of its share gives first: one noisy sensor must not cost the scans.
    candidates.sort((a, b) => usage(b) - usage(a));
    const bytes = Math.max(64 * PAGE_BYTES, Math.floor((pages.maxPages * PAGE_BYTES) / 64));
    if (candidates.some((log) => cut(log, bytes, 'full'))) return true;
    // A sale that was delivered can be asked for again until its retention ends; a new one could not be taken at all.
    return logs.some((log) => !BUDGETS[log.stream].evictable && forgetSettled(log, log.settledThrough()) > 0);
  };

  const usage = (log: StreamLog): number => log.state.heldBytes / BUDGETS[log.stream].sharePercent;

  /** Removes delivered rows whose retention has ended; `guest`: only if they are few, else only if they are many. */
  const forgetRetained = (log: StreamLog, nowMs: number, guest: boolean): void => {
    const { acked } = marks.at(log.stream, nowMs - options.retainAckedMs);
    const first = acked > 0 ? log.first() : null;
    if (first !== null && acked - first < RIDE_ROWS === guest) forgetSettled(log, acked);
  };

  const keepBudget = (log: StreamLog, nowMs: number): void => {
    const budget = BUDGETS[log.stream];
    if (!budget.evictable) return;
    const old = marks.at(log.stream, nowMs - budget.maxAgeMs).last;
    if (old > 0) note(log.stream, dropOldest(log, shedding, { bytes: Infinity, through: old, reason: 'age' }));
    const limit = (options.maxBytes / 100) * budget.sharePercent;
    if (log.state.heldBytes <= limit) return;
    const excess = log.state.heldBytes - (limit / 100) * CUT_TO_PERCENT;
    if (forgetSettled(log, log.settledThrough()) === 0) cut(log, excess, 'budget');
  };

  const mark = (log: StreamLog, nowMs: number): void => {
    const acked = log.settledThrough();
    const { last } = log.state;
    const known = marked.get(log.stream);
    if (known?.last === last && known.acked === acked) return;
    marks.put(log.stream, nowMs, { last, acked });
    marked.set(log.stream, { last, acked });
    const oldest = Math.max(options.retainAckedMs, Math.min(BUDGETS[log.stream].maxAgeMs, 60 * 24 * 60 * 60_000));
    marks.forget(log.stream, nowMs - oldest);
  };

  const ride = (nowMs: number): void => {
    rodeMs = nowMs;
    for (const log of logs) {
      forgetRetained(log, nowMs, true);
      mark(log, nowMs);
    }
    if (time.unsavedMs() >= TIME_SAVED_EVERY_MS - RIDE_AT_LATEST_MS) time.persist();
  };

  return {
    get reserved() {
      return reserved;
    },
    makeRoom() {
      if (pages.usedPages <= pages.softPages) {
        reserved = false;
        return;
      }
      for (let pass = 0; pass < ROOM_PASSES && pages.usedPages > pages.softPages; pass += 1)
        if (!options.atomically(free)) break;
      reserved = pages.usedPages > pages.softPages;
    },
    ride() {
      const nowMs = time.nowMs();
      if (nowMs - rodeMs >= RIDE_AFTER_MS) ride(nowMs);
    },
    missed() {
      rodeMs = -Infinity;
      marked.clear();
    },
    run(_nowMono, persist) {
      const nowMs = time.nowMs();
      if (nowMs - askedFreeMs >= FREE_SPACE_EVERY_MS) {
        askedFreeMs = nowMs;
        pages.fit(options.freeBytes());
      }
      this.makeRoom();
      options.atomically(() => {
        for (const log of logs) {
          forgetRetained(log, nowMs, false);
          keepBudget(log, nowMs);
        }
        if (nowMs - rodeMs >= RIDE_AT_LATEST_MS) ride(nowMs);
        if (nowMs - forgotMs >= FORGET_EVERY_MS) {
          forgotMs = nowMs;
          options.idempotency.forget(PASS_ROWS);
          options.payments.forget();
        }
        if (time.unsavedMs() >= TIME_SAVED_EVERY_MS) time.persist();
        persist();
      });
      pages.shrink();
      if (pages.tight) pages.relieve();
      return declared.splice(0).flatMap(({ stream, sequence }) => options.read(stream, sequence) ?? []);
    },
  };
}
