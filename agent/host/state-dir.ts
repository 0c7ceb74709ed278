import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { ledgerFailure } from '../ledger/errors.ts';
import type { LedgerFiles } from '../ledger/files.ts';

/** Damaged ledgers that are kept for a look; the oldest go first. */
export const KEPT_ASIDE = 8;

const SUFFIXES = ['', '-wal', '-shm', '-journal'] as const;

/** The state folder on a real disk. */
export function stateDir(path: string): LedgerFiles {
  const databasePath = join(path, 'ledger.db');
  const logPath = `${databasePath}-wal`;
  const nextPath = join(path, 'ledger.next.db');
  const copyPath = join(path, 'ledger.salvage.db');
  const markPath = join(path, 'ledger.damaged');
  return {
    databasePath,
    nextPath,
    ensure: () =>
      attempt(path, () => {
        mkdirSync(path, { recursive: true, mode: 0o700 });
        // SQLite calls a log that it cannot open for writing an I/O error; the file system knows better.
        accessSync(path, constants.W_OK);
      }),
    found: () =>
      attempt(path, () => ({
        database: sizeOf(databasePath) > 0,
        next: sizeOf(nextPath) > 0,
        databaseBytes: sizeOf(databasePath),
      })),
    discardNext: () =>
      attempt(path, () => {
        for (const suffix of SUFFIXES) {
          rmSync(nextPath + suffix, { force: true });
          rmSync(copyPath + suffix, { force: true });
        }
      }),
    adoptNext: () =>
      attempt(path, () => {
        for (const suffix of SUFFIXES) rmSync(databasePath + suffix, { force: true });
        renameSync(nextPath, databasePath);
        syncFolder(path);
      }),
    setAside: (label) =>
      attempt(path, () => {
        const parent = join(path, 'quarantine');
        const folder = freeFolder(parent, label);
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        // The log first: a database without its log is only older, and is still found when this is cut short.
        for (const suffix of [...SUFFIXES].reverse()) {
          const from = databasePath + suffix;
          if (existsSync(from)) renameSync(from, join(folder, basename(from)));
        }
        rmSync(markPath, { force: true });
        syncFolder(folder);
        syncFolder(path);
        forgetOldest(parent);
        return folder;
      }),
    log: () => attempt(path, () => (sizeOf(logPath) > 0 ? new Uint8Array(readFileSync(logPath)) : null)),
    copyWith: ({ head, log }) =>
      attempt(path, () => {
        for (const suffix of SUFFIXES) rmSync(copyPath + suffix, { force: true });
        copyFileSync(databasePath, copyPath);
        if (log !== undefined) writeFileSync(`${copyPath}-wal`, log, { mode: 0o600 });
        else if (existsSync(logPath)) copyFileSync(logPath, `${copyPath}-wal`);
        if (head === undefined) return copyPath;
        const fd = openSync(copyPath, 'r+');
        try {
          writeSync(fd, head, 0, head.length, 0);
        } finally {
          closeSync(fd);
        }
        return copyPath;
      }),
    markDamaged: () => attempt(path, () => closeSync(openSync(markPath, 'w', 0o600))),
    markedDamaged: () => existsSync(markPath),
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

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function freeFolder(parent: string, label: string): string {
  for (let index = 0; index < 1000; index += 1) {
    const folder = join(parent, index === 0 ? label : `${label}-${index}`);
    if (!existsSync(folder)) return folder;
  }
  throw ledgerFailure('ledger-io', { detail: `${parent} holds too many folders` });
}

function forgetOldest(parent: string): void {
  const byAge = readdirSync(parent)
    .map((name) => ({ name, at: statSync(join(parent, name)).mtimeMs }))
    .sort((a, b) => a.at - b.at);
  for (const { name } of byAge.slice(0, Math.max(0, byAge.length - KEPT_ASIDE)))
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
    if (code === undefined || !/^E[A-Z]+$/.test(code)) throw error;
    const readonly = code === 'EROFS' || code === 'EACCES' || code === 'EPERM';
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    throw ledgerFailure(readonly ? 'ledger-readonly' : full ? 'ledger-full' : 'ledger-io', {
      detail: `${path} (${code})`,
      cause: error,
    });
  }
}
