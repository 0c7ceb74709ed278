import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { noSmallDisk } from '../lib/small-disk.ts';
import { powerCuts, type Cut } from './cut-power.ts';

/**
 * Power cuts on a real ext4: a loop mount is forced down with EXT4_IOC_SHUTDOWN while a process writes, mounted again,
 * and read. Everything whose commit was told before the cut must be there. The control, SQLite with
 * synchronous=NORMAL, must lose, or the test proves nothing. Needs root and loop devices.
 *
 *   node --import tsx scripts/faults/power-cut.ts --cuts 30
 */
const { values } = parseArgs({
  options: { cuts: { type: 'string', default: '30' }, control: { type: 'string', default: '5' } },
});

async function main(): Promise<number> {
  if (noSmallDisk() !== null) {
    console.log(noSmallDisk());
    return 1;
  }
  const folder = await mkdtemp(join(tmpdir(), 'barrow-power-'));
  try {
    const ledger = await powerCuts(folder, 'ledger', Number(values.cuts));
    const control = await powerCuts(folder, 'normal', Number(values.control));
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
