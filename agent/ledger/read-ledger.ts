import { STREAMS, type Json, type Stream } from '../../drivers/api/reading.ts';
import type { StoredEvent } from '../core/event.ts';
import type { DeclaredLoss } from '../core/ledger.ts';
import { guarded, openDamaged } from './database.ts';
import { ledgerFailure } from './errors.ts';
import { inheritedTable } from './inherited-table.ts';
import { MIGRATIONS } from './migrations.ts';
import { RangeSet, type Range } from './range-set.ts';
import { readableRows } from './readable-rows.ts';
import { toStoredEvent } from './stream-log.ts';

/** What one stream's counters and losses say. */
export interface StreamFacts {
  readonly stream: Stream;
  readonly last: number;
  readonly delivered: number;
  readonly lost: number;
  readonly settled: readonly Range[];
  readonly losses: readonly (DeclaredLoss & { readonly declaredBy: number })[];
}

/** A ledger file that is only read. */
export interface LedgerReader extends Disposable {
  readonly epoch: string;
  /** Rows of one stream, ascending, as far as a damaged file gives them. */
  events(stream: Stream, from: number, to: number): Iterable<StoredEvent>;
  /** Rows of earlier ledgers that wait for delivery. */
  inherited(): readonly StoredEvent[];
  stream(stream: Stream): StreamFacts;
  saved(owner: string, key: string): Json | undefined;
  /** SQLite's own check: complaints, none when the file is whole. At most 20. */
  integrity(): readonly string[];
}

const INHERITED_ROWS = 1_000_000;

/**
 * Opens a database file to read it. Give it a copy: reading folds the copy's log into it.
 * Throws `ledger-corrupt` when nothing can be read and `ledger-newer`.
 */
export function readLedger(path: string): LedgerReader {
  const db = openDamaged(path);
  const version = Number(db.pragma('user_version', { simple: true }));
  if (version > MIGRATIONS.length || version === 0) {
    db.close();
    throw version === 0
      ? ledgerFailure('ledger-corrupt', { detail: `${path} has no ledger in it` })
      : ledgerFailure('ledger-newer', { detail: `schema ${version}` });
  }
  const one = (sql: string, ...values: string[]): unknown =>
    guarded(() =>
      db
        .prepare<string[]>(sql)
        .pluck()
        .get(...values),
    );
  const boots = new Map(guarded(() => db.prepare<[], [number, string]>('SELECT boot, boot_id FROM boots').raw().all()));
  const named = one(`SELECT value FROM meta WHERE key = 'epoch'`);
  const epoch = typeof named === 'string' ? named : 'unknown';
  return {
    epoch,
    *events(stream, from, to) {
      for (const row of readableRows(db, stream, from)) {
        if (row[0] > to) return;
        yield toStoredEvent(stream, row, epoch, boots.get(row[5]) ?? 'unknown');
      }
    },
    inherited: () => guarded(() => inheritedTable(db).peek({ maxRows: INHERITED_ROWS, maxBytes: Infinity })),
    stream(stream) {
      const row = guarded(() =>
        db
          .prepare<[string], { last: number; delivered: number; lost: number; settled: string }>(
            'SELECT last, delivered, lost, settled FROM streams WHERE stream = ?',
          )
          .get(stream),
      );
      const newest = guarded(() => db.prepare<[], number | null>(`SELECT max(seq) FROM event_${stream}`).pluck().get());
      const losses = guarded(() =>
        db
          .prepare<[string], DeclaredLoss & { declaredBy: number }>(
            'SELECT first AS "from", last AS "to", count, reason, declared_by AS declaredBy FROM losses WHERE stream = ? ORDER BY first',
          )
          .all(stream),
      );
      return {
        stream,
        last: Math.max(row?.last ?? 0, newest ?? 0),
        delivered: row?.delivered ?? 0,
        lost: row?.lost ?? 0,
        settled: row === undefined ? [] : (JSON.parse(row.settled) as Range[]),
        losses,
      };
    },
    saved(owner, key) {
      const text = one('SELECT value FROM saved WHERE owner = ? AND key = ?', owner, key);
      return typeof text === 'string' ? (JSON.parse(text) as Json) : undefined;
    },
    integrity() {
      const verdicts = guarded(() => db.pragma('integrity_check(20)') as readonly { integrity_check: string }[]);
      return verdicts.map((row) => row.integrity_check).filter((word) => word !== 'ok');
    },
    [Symbol.dispose]() {
      db.close();
    },
  };
}

/** What one stream's rows say against its counters. */
export interface StreamVerdict {
  readonly stream: Stream;
  readonly first: number;
  readonly last: number;
  readonly held: number;
  readonly delivered: number;
  readonly pending: number;
  readonly lost: number;
  /** Sequences that are neither held nor delivered nor declared lost. Empty when all is accounted for; at most 64. */
  readonly unaccounted: readonly Range[];
  /** `last = delivered + pending + lost`, counted anew. */
  readonly balanced: boolean;
}

/** Proves one stream of a ledger: accepted = delivered + pending + declared lost, and every sequence is accounted for. */
export function verifyStream(ledger: LedgerReader, stream: Stream): StreamVerdict {
  const facts = ledger.stream(stream);
  const settled = new RangeSet(facts.settled);
  const accounted = new RangeSet(facts.settled);
  for (const { from, to } of facts.losses) accounted.add(from, to);
  let first = 0;
  let held = 0;
  let pending = 0;
  for (const { sequence } of ledger.events(stream, 1, Infinity)) {
    if (first === 0) first = sequence;
    held += 1;
    if (!settled.has(sequence)) pending += 1;
    accounted.add(sequence, sequence);
  }
  const { last, delivered, lost } = facts;
  return {
    stream,
    first,
    last,
    held,
    delivered,
    pending,
    lost,
    unaccounted: [...accounted.gaps(1, last)].slice(0, 64),
    balanced: delivered + pending + lost === last && facts.losses.reduce((sum, { count }) => sum + count, 0) === lost,
  };
}

export function verifyAll(ledger: LedgerReader): readonly StreamVerdict[] {
  return STREAMS.map((stream) => verifyStream(ledger, stream));
}
