import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Clock } from '../../../drivers/api/clock.ts';
import { openPty } from '../../../firmware-sim/wire/pty.ts';
import { systemClock } from '../clock.ts';
import { isLocked } from './port-locks.ts';
import { POLL_MS, waitForPort } from './wait-for-port.ts';

const real = systemClock();
const never = new AbortController().signal;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barrow-wait-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The machine's clock, with every sleep counted. */
function countingClock(): Clock & { sleeps: number } {
  const clock = {
    sleeps: 0,
    wallMs: real.wallMs,
    monoMs: real.monoMs,
    sleep: (ms: number, signal: AbortSignal) => {
      clock.sleeps += 1;
      return real.sleep(ms, signal);
    },
  };
  return clock;
}

test('a port that is there is not waited for', async () => {
  await using line = openPty();
  const clock = countingClock();
  expect(await waitForPort(line.path, { waitMs: 60_000, clock }, never)).toBe(true);
  expect(clock.sleeps).toBe(0);
});

test('a link that appears, by itself or by a renaming, is seen before the next poll', async () => {
  await using line = openPty();
  const made = (path: string): Promise<void> => symlink(line.path, path);
  const renamed = async (path: string): Promise<void> => {
    await symlink(line.path, `${path}.new`);
    await rename(`${path}.new`, path);
  };
  for (const [name, appear] of Object.entries({ made, renamed })) {
    const path = join(folder, name);
    const clock = countingClock();
    const waiting = waitForPort(path, { waitMs: 60_000, clock }, never);
    await expect.poll(() => clock.sleeps).toBe(1);
    await appear(path);
    expect(await waiting).toBe(true);
    expect(clock.sleeps).toBe(1);
  }
});

test('a link in a folder that does not exist yet is found', async () => {
  await using line = openPty();
  const path = join(folder, 'serial', 'by-id', 'usb-x');
  const waiting = waitForPort(path, { waitMs: 60_000, clock: real }, never);
  await mkdir(join(folder, 'serial', 'by-id'), { recursive: true });
  await symlink(line.path, path);
  expect(await waiting).toBe(true);
});

test('a link that leads nowhere is asked again until something stands behind it', async () => {
  await using line = openPty();
  const path = join(folder, 'port');
  const middle = join(folder, '..', `barrow-middle-${process.pid}-${Date.now()}`);
  await symlink(middle, path);
  try {
    const clock = countingClock();
    const waiting = waitForPort(path, { waitMs: 60_000, clock }, never);
    await expect.poll(() => clock.sleeps).toBe(1);
    await symlink(line.path, middle);
    expect(await waiting).toBe(true);
    expect(POLL_MS).toBeLessThanOrEqual(1_000);
  } finally {
    await rm(middle, { force: true });
  }
});

test('traffic on other names in the folder wakes nobody', async () => {
  const clock = countingClock();
  const stop = new AbortController();
  const waiting = waitForPort(join(folder, 'port'), { waitMs: 60_000, clock }, stop.signal);
  await expect.poll(() => clock.sleeps).toBe(1);
  for (let number = 0; number < 50; number += 1) await writeFile(join(folder, `other-${number}`), '');
  expect(clock.sleeps).toBeLessThanOrEqual(2);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});

test('waiting ends with its time', async () => {
  expect(await waitForPort(join(folder, 'port'), { waitMs: 30, clock: real }, never)).toBe(false);
});

test('a file that nobody holds is not locked, and one that is not there cannot be told', async () => {
  await using line = openPty();
  expect(await isLocked(line.path)).toBe(false);
  expect(await isLocked(join(folder, 'nothing'))).toBeNull();
});
