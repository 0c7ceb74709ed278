import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { join } from 'node:path';
import type { LedgerFiles } from '../ledger/files.ts';
import { ledgerFailure } from '../ledger/errors.ts';

/** Damaged ledgers that are kept for a look; the oldest go first. */
export const KEPT_ASIDE = 8;

const ASIDE = 'quarantine';
const FILES = ['ledger.db', 'ledger.db-wal', 'ledger.db-shm', 'ledger.db-journal'] as const;

/** The state folder on a real disk. `now` names folders of ledgers set aside: any text that sorts by time. */
export function stateDir(path: string): LedgerFiles {
  return {
    databasePath: join(path, 'ledger.db'),
    ensure: () => attempt(path, () => void mkdirSync(path, { recursive: true, mode: 0o700 })),
    setAside: (label) =>
      attempt(path, () => {
        const folder = freeFolder(join(path, ASIDE), label);
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        // The log first: a database whose log is missing is only older; a log without its database is nothing.
        for (const name of [...FILES].reverse()) {
          if (existsSync(join(path, name))) renameSync(join(path, name), join(folder, name));
        }
        syncFolder(folder);
        syncFolder(path);
        forgetOldest(join(path, ASIDE));
        return folder;
      }),
    freeBytes() {
      try {
        const { bavail, bsize } = statfsSync(path);
        return bavail * bsize;
      } catch {
        // A folder that cannot be asked is no reason to shrink the ledger.
        return null;
      }
    },
  };
}

function freeFolder(parent: string, label: string): string {
  for (let index = 0; index < 1000; index += 1) {
    const folder = join(parent, index === 0 ? label : `${label}-${index}`);
    if (!existsSync(folder)) return folder;
  }
  throw ledgerFailure('ledger-io', { detail: `${parent} holds too many folders` });
}

function forgetOldest(parent: string): void {
  const names = readdirSync(parent).sort();
  for (const name of names.slice(0, Math.max(0, names.length - KEPT_ASIDE)))
    rmSync(join(parent, name), { recursive: true, force: true });
}

/** Renames are on disk only when their folder is. */
function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const readonly = code === 'EROFS' || code === 'EACCES' || code === 'EPERM';
    if (code === undefined) throw error;
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    throw ledgerFailure(readonly ? 'ledger-readonly' : full ? 'ledger-full' : 'ledger-io', {
      detail: `${path} (${code})`,
      cause: error,
    });
  }
}
