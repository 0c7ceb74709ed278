import { execFile } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { heldByControl, heldByLedger } from './held.ts';
import { startWriter } from './writer.ts';

/**
 * Power cuts on a real ext4: a loop mount is forced down with EXT4_IOC_SHUTDOWN while a process writes, mounted again,
 * and read. Everything whose commit was told before the cut must be there. The control, SQLite with
 * synchronous=NORMAL, must lose, or the test proves nothing. Needs root and loop devices.
 *
 *   node --import tsx scripts/faults/power-cut.ts --cuts 30
 */
const run = promisify(execFile);

/** `_IOR('X', 125, __u32)`, linux/fs/ext4/ext4.h. */
const EXT4_IOC_SHUTDOWN = 0x8004587d;
/** EXT4_GOING_FLAGS_NOLOGFLUSH: as if the power went, without flushing the journal first. */
const NO_LOG_FLUSH = 2;

const { values } = parseArgs({
  options: { cuts: { type: 'string', default: '30' }, control: { type: 'string', default: '5' } },
});

interface Cut {
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

async function cuts(folder: string, mode: 'ledger' | 'normal', count: number): Promise<readonly Cut[]> {
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

async function main(): Promise<number> {
  if (process.getuid?.() !== 0 || !existsSync('/dev/loop-control')) {
    console.log('power cuts need root and loop devices: not possible here');
    return 0;
  }
  const folder = await mkdtemp(join(tmpdir(), 'barrow-power-'));
  try {
    const ledger = await cuts(folder, 'ledger', Number(values.cuts));
    const control = await cuts(folder, 'normal', Number(values.control));
    console.table([summary('ledger, FULL', ledger), summary('control, NORMAL', control)]);
    const lost = ledger.some((cut) => cut.lost > 0);
    const proves = control.some((cut) => cut.lost > 0);
    if (lost) console.log('LOST: a commit that was told is gone');
    if (!proves) console.log('The control lost nothing: this run proves nothing');
    return lost || !proves ? 1 : 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function summary(name: string, done: readonly Cut[]): object {
  const sum = (pick: (cut: Cut) => number): number => done.reduce((total, cut) => total + pick(cut), 0);
  return {
    name,
    cuts: done.length,
    told: done.at(-1)?.told ?? 0,
    lost: sum((cut) => cut.lost),
    cutsThatLost: done.filter((cut) => cut.lost > 0).length,
  };
}

process.exitCode = await main();
