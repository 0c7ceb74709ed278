import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { KeptFiles } from '../core/host.ts';
import { ledgerFailure } from '../ledger/errors.ts';

/** A small file's largest size: a key or a few hashes. */
const MAX_BYTES = 64 * 1024;

/** Small files beside the ledger in the state folder, each replaced as a whole and readable by the agent alone. */
export function keptFiles(folder: string): KeptFiles {
  return {
    read(name) {
      const path = join(folder, name);
      return existsSync(path) ? new Uint8Array(readFileSync(path)) : null;
    },
    write(name, bytes) {
      if (bytes.length > MAX_BYTES) throw new RangeError(`${name} has ${bytes.length} bytes`);
      try {
        replace(folder, name, bytes);
      } catch (error) {
        throw ledgerFailure('ledger-io', { detail: name, cause: error });
      }
    },
  };
}

function replace(folder: string, name: string, bytes: Uint8Array): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, name);
  synced(`${path}.next`, 'w', (file) => void writeSync(file, bytes));
  // A cut before this leaves the old file whole, one after it the new one.
  renameSync(`${path}.next`, path);
  synced(folder, 'r', () => undefined);
}

function synced(path: string, flags: string, write: (file: number) => void): void {
  const file = openSync(path, flags, 0o600);
  try {
    write(file);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
