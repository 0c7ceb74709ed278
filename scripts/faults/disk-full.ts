import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { heldByLedger } from './held.ts';
import { startWriter } from './writer.ts';

/**
 * A disk that fills up under a writing ledger, by somebody else's file, and is freed again. The writer must live, be
 * refused by code while there is no room, go on afterwards, and lose nothing that was told. Needs root (tmpfs).
 *
 *   node --import tsx scripts/faults/disk-full.ts
 */
const run = promisify(execFile);
const SIZE_BYTES = 24 * 1024 * 1024;
const PATIENCE_TRIES = 600;

async function until(what: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < PATIENCE_TRIES; tries += 1) {
    if (what()) return true;
    await wait(25);
  }
  return false;
}

/** Somebody else's file takes all that is left. */
async function fillUp(file: string): Promise<void> {
  try {
    await writeFile(file, new Uint8Array(SIZE_BYTES));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

async function main(): Promise<number> {
  if (process.getuid?.() !== 0) {
    console.log('a full disk needs root (tmpfs): not possible here');
    return 0;
  }
  const folder = await mkdtemp(join(tmpdir(), 'barrow-full-'));
  await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_BYTES}`, 'tmpfs', folder]);
  const writer = startWriter(folder, 'ledger');
  try {
    const wrote = await until(() => writer.committed() > 50);
    const ballast = join(folder, 'ballast');
    await fillUp(ballast);
    const refused = await until(() => writer.refused().times > 20);
    const toldWhenFull = writer.committed();
    const livedWhenFull = writer.alive();
    await rm(ballast);
    const wentOn = await until(() => writer.committed() > toldWhenFull + 50);
    await writer.kill();
    const told = writer.committed();
    const { rows } = heldByLedger(folder);
    const lost = Math.max(0, told - rows);
    console.table([{ wrote, refused, code: writer.refused().code, livedWhenFull, wentOn, told, held: rows, lost }]);
    return wrote && refused && livedWhenFull && wentOn && lost === 0 ? 0 : 1;
  } finally {
    await writer.kill();
    await run('umount', [folder]);
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
