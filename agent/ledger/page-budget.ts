import { AgentError } from '../../drivers/api/agent-error.ts';
import { PAGE_BYTES, toLedgerError, type Database } from './database.ts';
import { FREE_SPACE_RESERVE_BYTES, RESERVE_PERCENT } from './budgets.ts';

/** Free pages kept in the file for the next burst before any go back to the file system. */
export const SPARE_PAGES = 512;

/** Pages given back in one pass: each costs a move and a log frame. */
export const VACUUM_PAGES = 256;

/** The hard cap in pages, of the file and of what the disk still has. */
export interface PageBudget {
  readonly usedPages: number;
  readonly maxPages: number;
  /** Pages beyond which only sales and prices are taken. */
  readonly softPages: number;
  /** Takes the file system's free space into account; `null` when it cannot be told. */
  fit(freeBytes: number | null): void;
  /**
   * Takes the spare pages from the disk once, while it has them: on a full disk a row can still go where one was
   * dropped. The log keeps the blocks that this took, and writes into them from its beginning: a commit that makes the log
   * longer costs 8 KB more (measured, ext4). For a new ledger.
   */
  stock(): void;
  /**
   * Folds the log into the file, so that the next commit re-uses the log's blocks from the beginning: on a full disk
   * that is the only room there is. Does nothing where even that fails.
   */
  relieve(): void;
  /** The disk is nearly full. */
  readonly tight: boolean;
  /** Gives pages back when far more are free than the next burst needs. */
  shrink(): void;
}

/** With less than this free the log is kept short: twice what it may grow to between two checkpoints. */
const TIGHT_BYTES = 8 * 1024 * 1024;

/** `max_page_count` makes SQLite itself refuse what would pass the cap: nothing here can be forgotten. */
export function pageBudget(db: Database, maxBytes: number): PageBudget {
  const pageCount = db.prepare<[], number>('PRAGMA page_count').pluck();
  const freeCount = db.prepare<[], number>('PRAGMA freelist_count').pluck();
  const capPages = Math.max(64, Math.floor(maxBytes / PAGE_BYTES));
  let maxPages = capPages;
  let tight = false;
  db.pragma(`max_page_count = ${capPages}`);
  return {
    get usedPages() {
      return (pageCount.get() ?? 0) - (freeCount.get() ?? 0);
    },
    get maxPages() {
      return maxPages;
    },
    get softPages() {
      return Math.floor((maxPages * (100 - RESERVE_PERCENT)) / 100);
    },
    fit(freeBytes) {
      if (freeBytes === null) return;
      tight = freeBytes < TIGHT_BYTES;
      const pages = pageCount.get() ?? 0;
      // A disk that others fill stops growth; it does not cost rows that are there.
      const spareBytes = Math.max(freeBytes - FREE_SPACE_RESERVE_BYTES, freeBytes / 2);
      const wanted = Math.max(64, Math.min(capPages, pages + Math.floor(spareBytes / PAGE_BYTES)));
      if (wanted === maxPages) return;
      maxPages = wanted;
      db.pragma(`max_page_count = ${wanted}`);
    },
    stock() {
      const pages = Math.min(SPARE_PAGES, Math.floor(capPages / 4));
      // A row and not a table: the table of contents must stand where it stands in every ledger (see `freshHead`).
      db.exec(`INSERT INTO saved VALUES ('ledger', 'spare', hex(zeroblob(${(pages * PAGE_BYTES) / 2})));
               DELETE FROM saved WHERE owner = 'ledger' AND key = 'spare'; PRAGMA wal_checkpoint(RESTART);`);
    },
    get tight() {
      return tight;
    },
    relieve() {
      try {
        db.pragma('wal_checkpoint(PASSIVE)');
      } catch (error) {
        if (!(toLedgerError(error) instanceof AgentError)) throw error;
      }
    },
    shrink() {
      const free = freeCount.get() ?? 0;
      if (free > SPARE_PAGES + VACUUM_PAGES) db.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
    },
  };
}
