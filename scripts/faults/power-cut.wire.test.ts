import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noSmallDisk } from '../lib/small-disk.ts';
import { powerCuts } from './cut-power.ts';

/** Controls that are tried until one loses. */
const CONTROLS = 5;

let folder = '';

beforeEach(async () => {
  expect(noSmallDisk()).toBeNull();
  folder = await mkdtemp(join(tmpdir(), 'barrow-power-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('every commit that was told before the power went is there after it', async () => {
  const cuts = await powerCuts(folder, 'ledger', 4);
  expect(cuts.map(({ lost }) => lost)).toEqual([0, 0, 0, 0]);
  expect(cuts.every(({ told }) => told > 0)).toBe(true);
});

test('the same cuts cost a log that is not synced at each commit, so they can be trusted', async () => {
  let lost = 0;
  // A checkpoint or the kernel's own flush may save one control, not several new ones.
  for (let attempt = 0; attempt < CONTROLS && lost === 0; attempt += 1) {
    const fresh = await mkdtemp(join(folder, 'control-'));
    for (const cut of await powerCuts(fresh, 'normal', 1)) lost += cut.lost;
  }
  expect(lost).toBeGreaterThan(0);
});
