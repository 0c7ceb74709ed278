import type { Log } from '../../drivers/api/driver.ts';
import type { JsonObject } from '../../drivers/api/reading.ts';
import { isUnreadable, openDamaged, openDatabase, PAGE_BYTES, type Database } from './database.ts';
import type { LedgerFiles } from './files.ts';
import { resealedLog } from './log-damage.ts';
import { migrate } from './migrations.ts';
import { salvage, salvageData, type SalvageReport } from './salvage.ts';

export interface ReplaceOptions {
  readonly files: LedgerFiles;
  /** Why the ledger is replaced: an error code. */
  readonly reason: string;
  readonly maxBytes: number;
  readonly log: Log;
  /** Name of the folder that keeps the damaged file. */
  readonly label: string;
  /** Gives the new database its epoch and the event that says what happened. */
  readonly found: (db: Database, said: JsonObject) => void;
}

const NOTHING: SalvageReport = {
  epoch: null,
  streams: [],
  kept: { saved: 0, idempotency: 0, payments: 0, inherited: 0 },
};

/**
 * Builds a new ledger from what the damaged one still gives, then lets it take the damaged one's place. The order makes
 * every interruption harmless: until the new file is complete the damaged one stays where it is, and between the two
 * renames the next start finds a complete new file and no old one.
 */
export function replaceDamaged(options: ReplaceOptions): void {
  const { files, log, reason } = options;
  files.discardNext();
  const folder = `quarantine/${options.label}`;
  const next = openDatabase(files.nextPath);
  let said: JsonObject;
  try {
    migrate(next);
    const source = openSource(files);
    let report = NOTHING;
    if (source !== null) {
      try {
        report = salvage(source, next, options.maxBytes);
      } finally {
        close(source);
      }
    }
    said = salvageData(report, reason, folder);
    options.found(next, said);
  } finally {
    // Closing folds the log into the file, so that one rename moves all of it.
    next.close();
  }
  files.setAside(options.label);
  files.adoptNext();
  files.discardNext();
  log.error('ledger-quarantined', said);
}

function openSource(files: LedgerFiles): Database | null {
  const found = files.log();
  const log = found === null ? null : resealedLog(found);
  const sealed = log === null ? {} : { log };
  try {
    return openDamaged(log === null ? files.databasePath : files.copyWith(sealed));
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  try {
    return openDamaged(files.copyWith({ ...sealed, head: freshHead() }));
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return null;
  }
}

/**
 * The first page of an empty ledger: header and table of contents. The same migrations in the same order put every
 * table's root on the same page, so that it fits a file whose own first page is gone.
 */
export function freshHead(): Uint8Array {
  const fresh = openDatabase(':memory:');
  try {
    migrate(fresh);
    const head = new Uint8Array(fresh.serialize().subarray(0, PAGE_BYTES));
    const view = new DataView(head.buffer);
    // File format 1.3: 18 and 19 say "write-ahead log"; 28, the size, is taken from the file where 24 and 92 differ;
    // 32 and 36 say that no page is free.
    head[18] = 2;
    head[19] = 2;
    view.setUint32(24, 1);
    view.setUint32(28, 0);
    view.setUint32(32, 0);
    view.setUint32(36, 0);
    view.setUint32(92, 0);
    return head;
  } finally {
    fresh.close();
  }
}

/** Closing writes the log back, which a damaged file may refuse; its content has been read by then. */
function close(db: Database): void {
  try {
    db.close();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}
