import type { Chance } from '../../drivers/api/clock.ts';
import type { Log } from '../../drivers/api/driver.ts';
import type { KitClock } from '../core/host.ts';
import { openDatabase, toLedgerError, type Database } from './database.ts';
import type { LedgerFiles } from './files.ts';
import { migrate } from './migrations.ts';
import { SqliteLedger } from './sqlite-ledger.ts';

export interface OpenLedgerOptions {
  /** Where the ledger lies: the state folder's files, or the content of a simulated disk (`null`: an empty one). */
  readonly store: LedgerFiles | { readonly image: Uint8Array | null };
  readonly maxBytes: number;
  readonly retainAckedMs: number;
  readonly clock: KitClock;
  readonly chance: Chance;
  readonly log: Log;
}

/**
 * Opens the ledger of one kit, and makes it where there is none.
 * Throws `ledger-locked`, `ledger-newer`, `ledger-readonly`, `ledger-full` or `ledger-io`.
 */
export function openLedger(options: OpenLedgerOptions): SqliteLedger {
  const { store } = options;
  if ('image' in store) return build(openDatabase(store.image ?? ':memory:'), options, () => null);
  store.ensure();
  return build(openDatabase(store.databasePath), options, () => store.freeBytes());
}

function build(db: Database, options: OpenLedgerOptions, freeBytes: () => number | null): SqliteLedger {
  const { clock, maxBytes, retainAckedMs, log } = options;
  try {
    migrate(db);
    const epoch = knownEpoch(db) ?? newEpoch(db, options.chance);
    const boot = bootOrdinal(db, clock.bootId);
    return new SqliteLedger({ db, epoch, boot, maxBytes, retainAckedMs, clock, log, freeBytes });
  } catch (error) {
    db.close();
    throw toLedgerError(error);
  }
}

function knownEpoch(db: Database): string | undefined {
  return db.prepare<[], string>(`SELECT value FROM meta WHERE key = 'epoch'`).pluck().get();
}

/** 80 random bits in lower-case base 32: two kits, or two lives of one card, never share an epoch. */
function newEpoch(db: Database, chance: Chance): string {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  const epoch = [...chance.bytes(16)].map((byte) => alphabet[byte & 31] ?? '0').join('');
  db.prepare<[string]>(`INSERT INTO meta (key, value) VALUES ('epoch', ?)`).run(epoch);
  return epoch;
}

function bootOrdinal(db: Database, bootId: string): number {
  const find = db.prepare<[string], number>('SELECT boot FROM boots WHERE boot_id = ?').pluck();
  const known = find.get(bootId);
  if (known !== undefined) return known;
  return Number(db.prepare<[string]>('INSERT INTO boots (boot_id) VALUES (?)').run(bootId).lastInsertRowid);
}
