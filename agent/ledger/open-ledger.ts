import type { Chance } from '../../drivers/api/clock.ts';
import type { Log } from '../../drivers/api/driver.ts';
import type { JsonObject } from '../../drivers/api/reading.ts';
import type { KitClock } from '../core/host.ts';
import { isCorrupt, openDatabase, toLedgerError, type Database } from './database.ts';
import { ledgerFailure } from './errors.ts';
import type { LedgerFiles } from './files.ts';
import { resealedLog } from './log-damage.ts';
import { migrate } from './migrations.ts';
import { pageBudget } from './page-budget.ts';
import { replaceDamaged } from './replace-damaged.ts';
import { EPOCH_COPY } from './salvage.ts';
import { SqliteLedger } from './sqlite-ledger.ts';

/**
 * Files up to this size are checked as a whole at each start: 21 MB take 0.12 s on a busy machine of two cores, 62 MB 0.6 s.
 * Damage in a larger one is found when it is read, which ends the run, and the next start sets the file aside.
 */
export const CHECKED_BYTES: number = 32 * 1024 * 1024;

export interface OpenLedgerOptions {
  /** Where the ledger lies: the state folder's files, or the content of a simulated disk (`null`: an empty one). */
  readonly store: LedgerFiles | { readonly image: Uint8Array | null };
  readonly maxBytes: number;
  readonly retainAckedMs: number;
  readonly clock: KitClock;
  readonly chance: Chance;
  readonly log: Log;
  /** {@link CHECKED_BYTES} unless said. */
  readonly checkedBytes?: number;
}

/**
 * Opens the ledger of one kit, and makes it where there is none. A damaged file is set aside: what can still be read
 * goes on in a new one, with a new epoch and a `barrow.ledger.quarantined.v1` that says what is missing.
 * Throws `ledger-locked`, `ledger-newer`, `ledger-readonly`, `ledger-full` or `ledger-io`.
 */
export function openLedger(options: OpenLedgerOptions): SqliteLedger {
  const { store } = options;
  if ('image' in store) return build(openDatabase(store.image ?? ':memory:'), options);
  store.ensure();
  const found = store.found();
  if (!found.database && found.next) store.adoptNext();
  else if (found.next) store.discardNext();
  try {
    if (store.markedDamaged()) throw ledgerFailure('ledger-corrupt', { detail: 'found while it was open' });
    const log = store.log();
    if (log !== null && resealedLog(log) !== null) throw ledgerFailure('ledger-corrupt', { detail: 'its log' });
    return build(checked(store, options.checkedBytes ?? CHECKED_BYTES), options);
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    replaceDamaged({
      files: store,
      reason: reasonOf(error),
      maxBytes: options.maxBytes,
      log: options.log,
      label: folderName(options),
      found: (db, said) => begin(db, options, said),
    });
    return build(openDatabase(store.databasePath), options);
  }
}

function checked(store: LedgerFiles, checkedBytes: number): Database {
  const { databaseBytes } = store.found();
  const db = openDatabase(store.databasePath);
  if (databaseBytes > checkedBytes) return db;
  try {
    const verdict = db.pragma('quick_check(1)', { simple: true });
    if (verdict !== 'ok') throw ledgerFailure('ledger-corrupt', { detail: firstLine(String(verdict)) });
    return db;
  } catch (error) {
    closeQuietly(db);
    throw toLedgerError(error, store.databasePath);
  }
}

function build(db: Database, options: OpenLedgerOptions): SqliteLedger {
  const { store, clock, maxBytes, retainAckedMs, log } = options;
  try {
    migrate(db);
    let epoch = knownEpoch(db);
    if (epoch === undefined) {
      if (!('image' in store)) pageBudget(db, maxBytes).stock();
      epoch = newEpoch(db, options.chance);
    }
    return new SqliteLedger({
      db,
      epoch,
      maxBytes,
      retainAckedMs,
      clock,
      log,
      freeBytes: () => ('image' in store ? null : store.freeBytes()),
      damaged: () => {
        if (!('image' in store)) store.markDamaged();
      },
    });
  } catch (error) {
    closeQuietly(db);
    throw toLedgerError(error);
  }
}

/** A new ledger's first event says what became of the old one. */
function begin(db: Database, options: OpenLedgerOptions, said: JsonObject): void {
  const { clock, maxBytes, retainAckedMs, log } = options;
  const epoch = newEpoch(db, options.chance);
  const ledger = new SqliteLedger({
    db,
    epoch,
    maxBytes,
    retainAckedMs,
    clock,
    log,
    freeBytes: () => null,
    damaged: () => undefined,
  });
  ledger.transaction((tx) =>
    tx.append({
      type: 'barrow.ledger.quarantined.v1',
      stream: 'agent',
      subject: 'ledger',
      atMono: clock.monoMs(),
      data: said,
    }),
  );
}

function knownEpoch(db: Database): string | undefined {
  return db.prepare<[], string>(`SELECT value FROM meta WHERE key = 'epoch'`).pluck().get();
}

/** 80 random bits in lower-case base 32: two kits, or two lives of one card, never share an epoch. */
function newEpoch(db: Database, chance: Chance): string {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  const epoch = [...chance.bytes(16)].map((byte) => alphabet[byte & 31] ?? '0').join('');
  db.prepare<[string]>(`INSERT INTO meta (key, value) VALUES ('epoch', ?)`).run(epoch);
  // Once more on another page: without its epoch a damaged ledger's rows have no identity, and none could be rescued.
  db.prepare<[string, string, string]>('INSERT OR REPLACE INTO saved (owner, key, value) VALUES (?, ?, ?)').run(
    ...EPOCH_COPY,
    JSON.stringify(epoch),
  );
  return epoch;
}

/** Readable, and told apart by chance where the clock cannot be believed. */
function folderName(options: OpenLedgerOptions): string {
  const day = new Date(options.clock.wallMs()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `${day}-${Buffer.from(options.chance.bytes(3)).toString('hex')}`;
}

/** SQLite's word for it, or what its check found first: never a path. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return 'check-failed';
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

/** A damaged database may refuse even to be closed; the failure that matters is already on its way. */
function closeQuietly(db: Database): void {
  try {
    db.close();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}
