import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../../../scripts/lib/free-port.ts';
import { smallDisk } from '../../../scripts/lib/small-disk.ts';
import { wrongClock } from '../../../scripts/lib/wrong-clock.ts';
import type { AgentStatus } from '../../core/status.ts';
import type { Finding } from './finding.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const SOON = { timeout: 40_000, interval: 100 };

type Env = Readonly<Record<string, string>>;
type Reasons = AgentStatus['reasons'];

let folder = '';
let api = '';
const cleanups: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barrow-machine-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function kitAt(state: string): Promise<string> {
  const port = await freePort();
  api = `http://127.0.0.1:${port}`;
  const kit = join(folder, 'kit.yaml');
  await writeFile(
    kit,
    `kit: { id: broken-kit, currency: EUR, timezone: Europe/Berlin }\nstate: ${state}\napi: { listen: "127.0.0.1:${port}" }\ndrivers: []\n`,
  );
  return kit;
}

/** A real agent; stopped after the test, or by what is returned. */
function agent(kit: string, env: Env = {}): () => Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, 'run', '-c', kit], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  cleanups.push(stop);
  return stop;
}

function doctor(kit: string, env: Env = {}): Promise<readonly Finding[]> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', MAIN, 'doctor', '-c', kit, '--json'],
      { env: { ...process.env, ...env }, timeout: 50_000 },
      (_error, stdout) => resolve((JSON.parse(stdout) as { readonly checks: readonly Finding[] }).checks),
    );
  });
}

async function reasonsNow(): Promise<Reasons> {
  const answer = await fetch(`${api}/v1/status`).catch(() => null);
  return answer === null ? [] : ((await answer.json()) as AgentStatus).reasons;
}

/** The reason of this code, once the agent tells it. */
async function reason(code: string): Promise<Reasons[number]> {
  await expect.poll(async () => (await reasonsNow()).map((one) => one.code), SOON).toContain(code);
  return (await reasonsNow()).find((one) => one.code === code) ?? expect.fail(`${code} is gone`);
}

describe('what is wrong with the machine has one code and one next step on the status and in doctor', () => {
  test('a full disk', async () => {
    const disk = await smallDisk(12);
    cleanups.push(async () => disk[Symbol.asyncDispose]());
    const kit = await kitAt(join(disk.path, 'state'));
    const stop = agent(kit);
    await reason('disk-full');
    await disk.fill();
    await expect.poll(async () => (await reason('disk-full')).sentence, SOON).toContain(': 0 MiB free');
    const told = await reason('disk-full');
    expect(told.hint).toMatch(/^Free some space now/);
    const full = { check: 'disk space', state: 'fail', code: 'disk-full', next: told.hint };
    expect(await doctor(kit)).toContainEqual(expect.objectContaining(full));
    await stop();
    expect(await doctor(kit)).toContainEqual(expect.objectContaining(full));
  }, 120_000);

  test('a clock that stands in 1970', async () => {
    const env = { LD_PRELOAD: await wrongClock(folder) };
    const kit = await kitAt(join(folder, 'state'));
    const stop = agent(kit, env);
    const told = await reason('clock-unset');
    expect(told.hint).toMatch(/timedatectl set-time/);
    const unset = {
      check: 'clock',
      state: 'fail',
      code: 'clock-unset',
      sentence: expect.stringContaining('1970-01-01') as string,
      next: told.hint,
    };
    expect(await doctor(kit, env)).toContainEqual(expect.objectContaining(unset));
    await stop();
    expect(await doctor(kit, env)).toContainEqual(expect.objectContaining(unset));
  }, 120_000);
});
