import { execFile } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { heldByControl, heldByLedger } from './held.ts';
import { startWriter } from './writer.ts';

const run = promisify(execFile);

/** `_IOR('X', 125, __u32)`, linux/fs/ext4/ext4.h. */
const EXT4_IOC_SHUTDOWN = 0x8004587d;
/** EXT4_GOING_FLAGS_NOLOGFLUSH: as if the power went, without flushing the journal first. */
const NO_LOG_FLUSH = 2;

/** One cut: commits told before it, rows held after it, and how many of those told are gone. */
export interface Cut {
  readonly told: number;
  readonly held: number;
  readonly lost: number;
}

const ioctl = (
  createRequire(import.meta.url)('koffi') as {
    load(path: string | null): { func(prototype: string): (fd: number, request: number, flags: Uint8Array) => number };
  }
)
  .load(null)
  .func('int ioctl(int fd, unsigned long request, void *argument)');

function cutPower(mountPoint: string): void {
  const fd = openSync(mountPoint, 'r');
  try {
    if (ioctl(fd, EXT4_IOC_SHUTDOWN, Uint8Array.of(NO_LOG_FLUSH, 0, 0, 0)) !== 0)
      throw new Error('EXT4_IOC_SHUTDOWN was refused');
  } finally {
    closeSync(fd);
  }
}

/** Cuts the power of one file system again and again while a process writes to it. */
export async function powerCuts(folder: string, mode: 'ledger' | 'normal', count: number): Promise<readonly Cut[]> {
  const image = join(folder, `${mode}.img`);
  const mountPoint = join(folder, mode);
  await mkdir(mountPoint);
  await run('truncate', ['-s', '96M', image]);
  await run('mkfs.ext4', ['-q', '-F', image]);
  const done: Cut[] = [];
  let before = 0;
  for (let cut = 0; cut < count; cut += 1) {
    await run('mount', ['-o', 'loop', image, mountPoint]);
    const writer = startWriter(mountPoint, mode);
    try {
      for (let tries = 0; tries < 400 && writer.committed() <= before; tries += 1) await wait(25);
      await wait(100 + Math.random() * 400);
      const told = writer.committed();
      cutPower(mountPoint);
      await writer.kill();
      await run('umount', [mountPoint]);
      await run('mount', ['-o', 'loop', image, mountPoint]);
      const { rows } = mode === 'ledger' ? heldByLedger(mountPoint) : heldByControl(mountPoint);
      done.push({ told, held: rows, lost: Math.max(0, told - rows) });
      before = rows;
    } finally {
      await writer.kill();
      await run('umount', [mountPoint]).catch(() => undefined);
    }
  }
  return done;
}
