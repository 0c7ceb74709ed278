import type { Database } from './database.ts';
import { PAGE_BYTES } from './database.ts';
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
  /** Gives pages back when far more are free than the next burst needs. */
  shrink(): void;
}

/** `max_page_count` makes SQLite itself refuse what would pass the cap: nothing here can be forgotten. */
export function pageBudget(db: Database, maxBytes: number): PageBudget {
  const pageCount = db.prepare<[], number>('PRAGMA page_count').pluck();
  const freeCount = db.prepare<[], number>('PRAGMA freelist_count').pluck();
  const capPages = Math.max(64, Math.floor(maxBytes / PAGE_BYTES));
  let maxPages = capPages;
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
      const pages = pageCount.get() ?? 0;
      const spare = Math.floor(Math.max(0, freeBytes - FREE_SPACE_RESERVE_BYTES) / PAGE_BYTES);
      const wanted = Math.max(64, Math.min(capPages, pages + spare));
      if (wanted === maxPages) return;
      maxPages = wanted;
      db.pragma(`max_page_count = ${wanted}`);
    },
    shrink() {
      const free = freeCount.get() ?? 0;
      if (free > SPARE_PAGES + VACUUM_PAGES) db.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
    },
  };
}
