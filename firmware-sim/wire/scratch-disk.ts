import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stateDir } from '../../agent/host/state-dir.ts';
import type { ScratchDisk } from '../world/damage.ts';

/** Folders under the machine's folder for temporary files; gone when it is disposed of. */
export function scratchDisk(): ScratchDisk {
  const root = mkdtempSync(join(tmpdir(), 'barrow-world-'));
  let cuts = 0;
  const folder = (): string => join(root, String(cuts));
  mkdirSync(folder());
  return {
    // The world's disk has the room that the world says, not the machine's.
    files: () => ({ ...stateDir(folder()), freeBytes: () => null }),
    cut() {
      const left = folder();
      cuts += 1;
      mkdirSync(folder());
      for (const entry of readdirSync(left, { withFileTypes: true }))
        if (entry.isFile()) copyFileSync(join(left, entry.name), join(folder(), entry.name));
    },
    edit(work) {
      const names = { database: join(folder(), 'ledger.db'), log: join(folder(), 'ledger.db-wal') };
      const bytes = { database: readOr(names.database), log: readOr(names.log) };
      work(bytes);
      writeFileSync(names.database, bytes.database);
      if (bytes.log.length > 0) writeFileSync(names.log, bytes.log);
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

function readOr(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Uint8Array();
    throw error;
  }
}
