import {
  closeSync,
  copyFileSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ledgerFailure } from '../ledger/errors.ts';

/** Header of SQLite's write-ahead log: its salts change whenever the log starts over (file format §4.1). */
const WAL_HEADER_BYTES = 32;
const ATTEMPTS = 10;

/** A private copy of a ledger, in a temporary folder that goes with it. */
export interface LedgerCopy extends Disposable {
  readonly path: string;
  /** Replaces the copy's first bytes, for a file whose own beginning is gone. */
  putHead(head: Uint8Array): void;
}

/**
 * Copies a ledger to read it, whether the agent runs or not; the original is neither locked nor touched.
 *
 * While the log does not start over, every page that a checkpoint changes under the copy is in the log as well, and the
 * log is copied after the database: the pair is the ledger as of the log's last commit. A log that did start over is
 * seen by its salts, and the copy is made again.
 * Throws `ledger-absent` and `ledger-io`.
 */
export function copyLedger(databasePath: string): LedgerCopy {
  const found = statSync(databasePath, { throwIfNoEntry: false });
  // SQLite makes the file before it writes to it: an empty one is no ledger yet.
  const written = found !== undefined && (found.size > 0 || existsSync(`${databasePath}-wal`));
  if (!written) throw ledgerFailure('ledger-absent', { detail: databasePath });
  if (!found.isFile()) throw ledgerFailure('ledger-absent', { detail: `${databasePath} is no file` });
  const folder = mkdtempSync(join(tmpdir(), 'barrow-ledger-'));
  const path = join(folder, basename(databasePath));
  const drop = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const before = logIdentity(databasePath);
      rmSync(`${path}-wal`, { force: true });
      copyFileSync(databasePath, path, constants.COPYFILE_FICLONE);
      if (existsSync(`${databasePath}-wal`)) copyFileSync(`${databasePath}-wal`, `${path}-wal`);
      if (before === logIdentity(databasePath))
        return { path, putHead: (head) => overwrite(path, head), [Symbol.dispose]: drop };
    }
    throw ledgerFailure('ledger-io', { detail: `${databasePath} changes faster than it can be copied` });
  } catch (error) {
    drop();
    throw error;
  }
}

function overwrite(path: string, head: Uint8Array): void {
  const fd = openSync(path, 'r+');
  try {
    writeSync(fd, head, 0, head.length, 0);
  } finally {
    closeSync(fd);
  }
}

/** Paths of the ledgers that were set aside in a state folder, oldest first. */
export function setAsideLedgers(stateDir: string): readonly string[] {
  const parent = join(stateDir, 'quarantine');
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .sort()
    .map((name) => join(parent, name, 'ledger.db'))
    .filter((path) => existsSync(path));
}

export function ledgerPath(stateDir: string): string {
  return join(stateDir, 'ledger.db');
}

function logIdentity(databasePath: string): string {
  const log = `${databasePath}-wal`;
  const header = Buffer.alloc(WAL_HEADER_BYTES);
  let read = 0;
  try {
    const fd = openSync(log, 'r');
    try {
      read = readSync(fd, header, 0, WAL_HEADER_BYTES, 0);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  // Without a log the database itself must stand still.
  if (read < WAL_HEADER_BYTES) return `none ${statSync(databasePath).mtimeMs} ${statSync(databasePath).size}`;
  return header.toString('hex');
}
