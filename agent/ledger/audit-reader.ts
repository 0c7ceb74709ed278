import type { Json } from '../../drivers/api/reading.ts';
import type { ClockTrust } from '../core/event.ts';
import { guarded, isCorrupt, isUnreadable, openDamaged, type Database } from './database.ts';
import { ledgerFailure } from './errors.ts';
import { MIGRATIONS } from './migrations.ts';
import { readableRows } from './readable-rows.ts';

/** A row of the `price` stream in the very bytes that lie on disk: an auditor trusts no reading of them. */
export interface AuditRow {
  readonly sequence: number;
  readonly type: string;
  readonly subject: string;
  readonly data: string;
  readonly atMono: number;
  readonly bootId: string;
  readonly wallMs: number;
  readonly clockTrust: ClockTrust;
}

/** What an audit needs of a ledger file. */
export interface AuditReader extends Disposable {
  readonly epoch: string;
  /** Last sequence of the stream that the ledger's counters know of, whether its row is there or not. */
  readonly last: number;
  /** Rows ascending; one that cannot be read is left out, and so is one that is no row any more. */
  rows(): Iterable<AuditRow>;
  saved(owner: string, key: string): Json | undefined;
  /** Whether anything lies under a sequence, be it a sound row or not. */
  holds(sequence: number): boolean;
}

const TRUST: readonly ClockTrust[] = ['unset', 'estimated', 'synced'];

/** Opens a copy of a ledger file for an audit. Throws `ledger-corrupt` when it is no ledger, `ledger-newer`. */
export function openAuditReader(path: string): AuditReader {
  const db = openDamaged(path);
  const version = Number(db.pragma('user_version', { simple: true }));
  if (version > MIGRATIONS.length || version === 0) {
    db.close();
    throw ledgerFailure(version === 0 ? 'ledger-corrupt' : 'ledger-newer', { detail: `schema ${version}` });
  }
  const text = (sql: string, ...values: string[]): unknown =>
    whole(() =>
      db
        .prepare<string[]>(sql)
        .pluck()
        .get(...values),
    );
  const { boots, epoch, last } = closedOnFailure(db, () => ({
    boots: new Map(whole(() => db.prepare<[], [number, string]>('SELECT boot, boot_id FROM boots').raw().all())),
    epoch: text(`SELECT value FROM meta WHERE key = 'epoch'`),
    last: Number(text(`SELECT last FROM streams WHERE stream = 'price'`) ?? 0),
  }));
  return {
    epoch: typeof epoch === 'string' ? epoch : 'unknown',
    last,
    *rows() {
      for (const [sequence, type, subject, data, atMono, boot, wallMs, trust] of readableRows(db, 'price'))
        yield {
          sequence,
          type,
          subject,
          data,
          atMono,
          bootId: boots.get(boot) ?? 'unknown',
          wallMs,
          clockTrust: TRUST[trust] ?? 'unset',
        };
    },
    saved(owner, key) {
      const value = text('SELECT value FROM saved WHERE owner = ? AND key = ?', owner, key);
      return typeof value === 'string' ? parsed(value) : undefined;
    },
    holds: (sequence) => {
      try {
        return (
          guarded(() => db.prepare<[number]>('SELECT 1 FROM event_price WHERE seq = ?').get(sequence)) !== undefined
        );
      } catch (error) {
        // A table that is gone, like a page, holds nothing.
        if (!isUnreadable(error)) throw error;
        return false;
      }
    },
    [Symbol.dispose]() {
      db.close();
    },
  };
}

/** A table that every ledger has and this file lacks makes it none. */
function whole<T>(work: () => T): T {
  try {
    return guarded(work);
  } catch (error) {
    if (!isUnreadable(error) || isCorrupt(error)) throw error;
    throw ledgerFailure('ledger-corrupt', { cause: error });
  }
}

function closedOnFailure<T>(db: Database, work: () => T): T {
  try {
    return work();
  } catch (error) {
    db.close();
    throw error;
  }
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    // A damaged note is no note; the audit says which record lacks it.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
