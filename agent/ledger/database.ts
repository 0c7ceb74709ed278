import Sqlite, { type Database, type Statement } from 'better-sqlite3';
import { AgentError } from '../../drivers/api/agent-error.ts';
import { ledgerFailure, type ledgerErrors } from './errors.ts';

export type { Database, Statement };

/**
 * SQLite's page size here. A commit writes whole pages: with rows of 140 bytes in groups of 25 a page of 2,048 costs
 * 664 bytes of disk a row, one of 4,096 costs 851; single commits cost 6.6 instead of 8.6 kB (/proc/self/io, ext4).
 */
export const PAGE_BYTES = 2048;

/** Frames in the write-ahead log at which a commit also checkpoints: 4 MB, about a second of writing on a slow card. */
export const CHECKPOINT_FRAMES = 2000;

/**
 * Opens one database file for one process.
 *
 * `locking_mode=EXCLUSIVE` before the first read keeps the log's index in the heap: without a memory-mapped `-shm`
 * there is nothing that a full disk could turn into SIGBUS, and a second process is refused instead of corrupting ours.
 * `synchronous` is set, because this build's default for WAL is NORMAL, which loses commits in a power cut.
 * Throws `ledger-locked`, `ledger-corrupt`, `ledger-readonly` or `ledger-io`.
 */
export function openDatabase(source: string | Uint8Array): Database {
  let db: Database | undefined;
  try {
    db = typeof source === 'string' ? new Sqlite(source, { timeout: 0 }) : new Sqlite(Buffer.from(source));
    db.pragma('locking_mode = EXCLUSIVE');
    // Only an empty file takes these two, before its first table; on another the second would write, which a full disk
    // refuses.
    if (db.pragma('page_count', { simple: true }) === 0) {
      db.pragma(`page_size = ${PAGE_BYTES}`);
      db.pragma('auto_vacuum = INCREMENTAL');
    }
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('temp_store = MEMORY');
    db.pragma('foreign_keys = OFF');
    db.pragma(`wal_autocheckpoint = ${CHECKPOINT_FRAMES}`);
    db.pragma('cache_size = -8192');
    // Takes the lock now, so that a second agent hears of it at start and not at its first event.
    db.exec('BEGIN IMMEDIATE; COMMIT');
    return db;
  } catch (error) {
    db?.close();
    throw toLedgerError(error, typeof source === 'string' ? source : 'image');
  }
}

/** Words SQLite's result code as one of the ledger's errors; anything else (a bug) comes back as it is. */
export function toLedgerError(error: unknown, detail?: string): unknown {
  if (!(error instanceof Sqlite.SqliteError)) return error;
  const code = ledgerCode(error.code);
  if (code === null) return error;
  return ledgerFailure(code, { detail: detail === undefined ? error.code : `${detail} (${error.code})`, cause: error });
}

function ledgerCode(sqlite: string): keyof typeof ledgerErrors | null {
  if (sqlite === 'SQLITE_FULL') return 'ledger-full';
  if (sqlite === 'SQLITE_BUSY' || sqlite.startsWith('SQLITE_BUSY_') || sqlite === 'SQLITE_LOCKED')
    return 'ledger-locked';
  if (sqlite === 'SQLITE_CORRUPT' || sqlite.startsWith('SQLITE_CORRUPT_') || sqlite === 'SQLITE_NOTADB')
    return 'ledger-corrupt';
  if (sqlite === 'SQLITE_READONLY' || sqlite.startsWith('SQLITE_READONLY_') || sqlite === 'SQLITE_PERM')
    return 'ledger-readonly';
  if (sqlite === 'SQLITE_IOERR' || sqlite.startsWith('SQLITE_IOERR_') || sqlite.startsWith('SQLITE_CANTOPEN'))
    return 'ledger-io';
  return null;
}

/** Whether an error means that the file itself can no longer be trusted. */
export function isCorrupt(error: unknown): boolean {
  return error instanceof AgentError && error.code === 'ledger-corrupt';
}

/** Whether a read failed by what the file or the disk under it holds: damage, a bad sector, a table that is not there. */
export function isUnreadable(error: unknown): boolean {
  if (error instanceof AgentError) return error.code === 'ledger-corrupt' || error.code === 'ledger-io';
  return error instanceof Sqlite.SqliteError && error.code === 'SQLITE_ERROR';
}

/**
 * Opens a damaged database as far as it opens, to read it. Writes nothing to it but what its log holds.
 * Throws `ledger-corrupt` when not even its table of contents can be read.
 */
export function openDamaged(path: string): Database {
  let db: Database | undefined;
  try {
    db = new Sqlite(path, { timeout: 0, fileMustExist: true });
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('query_only = ON');
    db.pragma('cache_size = -8192');
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return db;
  } catch (error) {
    db?.close();
    throw toLedgerError(error, path);
  }
}

/** Runs one piece of work on the database; its failures come out as the ledger's own. */
export function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toLedgerError(error);
  }
}
