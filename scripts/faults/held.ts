import Database from 'better-sqlite3';
import { join } from 'node:path';
import type { Log } from '../../drivers/api/driver.ts';
import { systemChance, systemClock } from '../../agent/host/clock.ts';
import { stateDir } from '../../agent/host/state-dir.ts';
import { openLedger } from '../../agent/ledger/open-ledger.ts';

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** What a ledger holds after the fault: rows that can be read without a hole from 1, and the last sequence given out. */
export function heldByLedger(state: string): { readonly last: number; readonly rows: number } {
  using ledger = openLedger({
    store: stateDir(state),
    maxBytes: 256 * 1024 * 1024,
    retainAckedMs: 3_600_000,
    clock: systemClock(),
    chance: systemChance(),
    log: silent,
  });
  const { last } = ledger.manifest('sale');
  let rows = 0;
  for (let from = 1; from <= last; from += 1_000)
    for (const row of ledger.range('sale', from, from + 999, 1_000)) if (row.sequence === rows + 1) rows += 1;
  return { last, rows };
}

/** The same of the control. */
export function heldByControl(state: string): { readonly last: number; readonly rows: number } {
  const db = new Database(join(state, 'normal.db'));
  try {
    const table = db.prepare(`SELECT count(*) FROM sqlite_master WHERE name = 'event'`).pluck().get() as number;
    const rows = table === 0 ? 0 : (db.prepare('SELECT count(*) FROM event').pluck().get() as number);
    return { last: rows, rows };
  } finally {
    db.close();
  }
}
