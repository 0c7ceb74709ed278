import type { MonoMs } from '../../drivers/api/clock.ts';
import type { Json, Stream } from '../../drivers/api/reading.ts';
import type { ClockTrust, PendingEvent, StoredEvent } from './event.ts';

/** The inside of one transaction. Valid only until the transaction's work returns. */
export interface LedgerTx {
  /** Gives the event its identity. */
  append(event: PendingEvent): StoredEvent;
  /** Keeps a small value (≤ 64 KiB of JSON) under an owner, e.g. `driver/shelves`; `null` deletes. */
  save(owner: string, key: string, value: Json): void;
  saved(owner: string, key: string): Json | undefined;
  /**
   * Declares events that could not be stored (disk full, read-only): they get sequences without rows and one
   * `barrow.loss.v1` right after, which is returned.
   */
  declareLoss(
    stream: Stream,
    loss: { readonly count: number; readonly bytes: number; readonly reason: string; readonly atMono: MonoMs },
  ): StoredEvent;
  /** Runs one of the ledger's own statement sets (idempotency, payment journal, bundles …) inside this transaction. */
  readonly tables: LedgerTables;
}

/** Tables beside the events; each is a small interface with its SQL in `agent/ledger/`. */
export interface LedgerTables {
  readonly idempotency: IdempotencyTable;
  readonly payments: PaymentTable;
}

/** Answers already given, by `Idempotency-Key`; kept for at least 7 days and across restarts. */
export interface IdempotencyTable {
  find(key: string): { readonly bodyHash: string; readonly status: number; readonly answer: Json } | undefined;
  put(
    key: string,
    entry: { readonly bodyHash: string; readonly status: number; readonly answer: Json; readonly atMono: MonoMs },
  ): void;
}

export interface PaymentRow {
  readonly intentId: string;
  readonly driverId: string;
  readonly step: 'intent' | 'sent' | 'accepted' | 'outcome' | 'done';
  readonly outcome: 'pending' | 'approved' | 'declined' | 'unknown' | 'reversed' | 'refunded';
  /** Intent, facts for recovery and result, as JSON. */
  readonly body: Json;
}

export interface PaymentTable {
  put(row: PaymentRow): void;
  find(intentId: string): PaymentRow | undefined;
  /** Rows of one driver that are not `done`, or whose outcome is `unknown`; oldest first. */
  unsettled(driverId: string): readonly PaymentRow[];
}

export interface StreamDepth {
  readonly stream: Stream;
  /** First and last sequence ever given in this epoch; 0 when none. */
  readonly last: number;
  readonly pendingRows: number;
  readonly pendingBytes: number;
  readonly oldestPendingMono: MonoMs | null;
  readonly lostRows: number;
}

export interface Depth {
  readonly epoch: string;
  readonly streams: readonly StreamDepth[];
  readonly bytes: number;
  readonly maxBytes: number;
}

/** Declared losses of one stream in this epoch, for the manifest. */
export interface DeclaredLoss {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly reason: string;
}

export interface StreamManifest {
  readonly epoch: string;
  /** First sequence still to be had from this kit, last given. */
  readonly first: number;
  readonly last: number;
  readonly losses: readonly DeclaredLoss[];
}

/** The identity of a row that came from an earlier ledger file. */
export interface InheritedId {
  readonly epoch: string;
  readonly stream: Stream;
  readonly sequence: number;
}

/**
 * Every event, once, in order, durable. Synchronous: when `transaction` returns, its effect is on disk (WAL,
 * synchronous=FULL). Acknowledgements are written down with a later commit, within about five seconds: a crash before that
 * costs duplicates, never an event.
 * Throws AgentError `ledger-full`, `ledger-readonly`, `ledger-io` or `ledger-corrupt`; nothing of a failed transaction remains.
 */
export interface Ledger extends Disposable {
  readonly epoch: string;
  /** One transaction, all or nothing. */
  transaction<T>(work: (tx: LedgerTx) => T): T;
  /** Unacknowledged rows of one stream after a sequence, ascending, at most `maxRows` and `maxBytes` (at least one row). */
  peek(
    stream: Stream,
    after: number,
    limit: { readonly maxRows: number; readonly maxBytes: number },
  ): readonly StoredEvent[];
  /** Rows by sequence, acknowledged or not, as far as they are still held. */
  range(stream: Stream, from: number, to: number, maxRows: number): readonly StoredEvent[];
  /** Marks single rows as delivered (PUBACKs come out of order). */
  ack(stream: Stream, sequences: readonly number[]): void;
  /** A back-end's cumulative word that it has everything up to here. */
  ackThrough(stream: Stream, through: number): void;
  /** Takes a row out of delivery that a broker will never take; it stays readable and is declared. */
  quarantine(stream: Stream, sequence: number, reason: string): void;
  /**
   * Rows that a damaged earlier file gave up and that may never have been delivered, oldest first. They keep the epoch
   * and sequence they were born with, so a consumer that already has them drops them.
   */
  peekInherited(limit: { readonly maxRows: number; readonly maxBytes: number }): readonly StoredEvent[];
  /** Delivered: inherited rows are forgotten after PUBACK. */
  ackInherited(ids: readonly InheritedId[]): void;
  /**
   * The clock has been set: unacknowledged rows of this boot with less trust get `wallMs = atMono + offsetMs`.
   * Returns how many. Rows that were sent already keep what the consumer has seen.
   */
  restamp(offsetMs: number, trust: ClockTrust): number;
  manifest(stream: Stream): StreamManifest;
  depth(): Depth;
  saved(owner: string, key: string): Json | undefined;
  /** Retention, budgets, checkpoints: called every second or so by the agent. Returns the losses it had to declare. */
  maintain(nowMono: MonoMs): readonly StoredEvent[];
}
