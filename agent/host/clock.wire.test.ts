import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemChance, systemClock } from './clock.ts';

const run = promisify(execFile);
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barrow-clock-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the machine’s clock', () => {
  it('tells monotonic times that compare across processes of one boot', async () => {
    const before = systemClock({ env: {} });
    const code = `import('${new URL('./clock.ts', import.meta.url).href}').then((m) => {
      const c = m.systemClock(); console.log(JSON.stringify([c.bootId, c.monoMs()])); })`;
    const from = before.monoMs();
    const { stdout } = await run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code]);
    const to = before.monoMs();
    const [bootId, mono] = JSON.parse(stdout) as [string, number];
    expect(bootId).toBe(before.bootId);
    expect(mono).toBeGreaterThan(from);
    expect(mono).toBeLessThan(to);
  });

  it('believes timesyncd’s file, else the kernel, else nobody', async () => {
    const timesyncFile = join(folder, 'synchronized');
    expect(systemClock({ timesyncFile, kernel: () => null }).trust()).toBe('estimated');
    expect(systemClock({ timesyncFile, kernel: () => false }).trust()).toBe('estimated');
    expect(systemClock({ timesyncFile, kernel: () => true }).trust()).toBe('synced');
    await writeFile(timesyncFile, '');
    expect(systemClock({ timesyncFile, kernel: () => false }).trust()).toBe('synced');
  });

  it('takes the boot id from the unit where /proc hides it, and never guesses one twice', () => {
    const bootIdFile = join(folder, 'missing');
    expect(systemClock({ bootIdFile, env: { BARROW_BOOT_ID: 'AB-cd' } }).bootId).toBe('abcd');
    const one = systemClock({ bootIdFile, env: {} }).bootId;
    expect(one).toMatch(/^[0-9a-f]{32}$/);
    expect(systemClock({ bootIdFile, env: {} }).bootId).not.toBe(one);
  });

  it('sleeps until it is told to stop, with the reason it was given', async () => {
    const stop = new AbortController();
    const asleep = systemClock().sleep(2 ** 40, stop.signal);
    const reason = new Error('stop');
    stop.abort(reason);
    await expect(asleep).rejects.toBe(reason);
    await expect(systemClock().sleep(1, stop.signal)).rejects.toBe(reason);
    await systemClock().sleep(0, new AbortController().signal);
  });

  it('draws chance that is uniform enough to tell and of the length asked for', () => {
    const chance = systemChance();
    const drawn = Array.from({ length: 2_000 }, () => chance.float());
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...drawn)).toBeLessThan(1);
    const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
    expect(mean).toBeGreaterThan(0.4);
    expect(mean).toBeLessThan(0.6);
    expect(chance.bytes(7)).toHaveLength(7);
  });
});
