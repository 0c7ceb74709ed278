import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noSmallDisk } from '../lib/small-disk.ts';
import { powerCuts } from './cut-power.ts';

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
  const cuts = await powerCuts(folder, 'normal', 2);
  expect(cuts.some(({ lost }) => lost > 0)).toBe(true);
});
