import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentStatus } from '../core/status.ts';
import { freePort } from '../../scripts/lib/free-port.ts';

const TSX = new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url).href;
const MAIN = new URL('main.ts', import.meta.url).pathname;
const PATIENCE = { timeout: 20_000 } as const;

let folder: string;
let port: number;
let child: ChildProcess | null = null;
let printed = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barrow-stay-'));
  port = await freePort();
  printed = '';
});

afterEach(async () => {
  if (child !== null && child.exitCode === null) {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  child = null;
  await rm(folder, { recursive: true, force: true });
});

const kitFile = (): string => join(folder, 'kit.yaml');
const kitText = (more = ''): string =>
  [
    'kit: { id: stall-9, currency: EUR, timezone: Europe/Berlin }',
    `state: ${join(folder, 'state')}`,
    `api: { listen: '127.0.0.1:${port}' }`,
    'drivers: []',
    more,
  ].join('\n');

function start(): ChildProcess {
  const started = spawn(process.execPath, ['--import', TSX, MAIN, 'run', '-c', kitFile(), '--stay'], { cwd: folder });
  started.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  started.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child = started;
  return started;
}

async function ask(path: string, at = port): Promise<Response | null> {
  return fetch(`http://127.0.0.1:${at}${path}`).catch(() => null);
}

async function status(at = port): Promise<AgentStatus | null> {
  const answer = await ask('/v1/status', at);
  return answer === null ? null : ((await answer.json()) as AgentStatus);
}

test('a kit.yaml with a fault is told with its place on the page, and the agent starts when it is corrected', async () => {
  await writeFile(kitFile(), kitText('brokr: { url: mqtt://127.0.0.1:1883 }'));
  const started = start();
  await expect
    .poll(() => status(), PATIENCE)
    .toMatchObject({
      ready: false,
      kit: { id: 'stall-9' },
      reasons: [{ code: 'config-unknown-key', sentence: expect.stringContaining('line 5, column 1') as string }],
    });
  expect((await ask('/'))?.headers.get('content-type')).toContain('text/html');
  expect((await ask('/healthz'))?.status).toBe(503);
  expect(await (await ask('/metrics'))?.text()).toContain('barrow_ready 0');
  expect((await ask('/v1/sales'))?.status).toBe(404);
  const pid = started.pid;
  await writeFile(kitFile(), kitText());
  await expect.poll(() => status(), PATIENCE).toMatchObject({ ready: true, reasons: [], ledger: { accepting: true } });
  expect(started.pid).toBe(pid);
  started.kill('SIGTERM');
  expect(await once(started, 'close')).toEqual([0, null]);
});

test('a kit without a kit.yaml waits for one, and stops when it is told to', async () => {
  const started = start();
  await expect.poll(() => printed, PATIENCE).toContain('config-unreadable');
  started.kill('SIGTERM');
  expect(await once(started, 'close')).toEqual([0, null]);
});

test('a hang-up is a request to look again, and ends nothing', async () => {
  await writeFile(kitFile(), 'kit: {');
  const started = start();
  await expect.poll(() => printed, PATIENCE).toContain('config-syntax');
  started.kill('SIGHUP');
  await expect.poll(() => printed.split('config-syntax').length, PATIENCE).toBeGreaterThan(2);
  expect(started.exitCode).toBeNull();
});

test('an address that somebody else holds leaves the page away and not the waiting', async () => {
  const squatter = createServer().listen(port, '127.0.0.1');
  await once(squatter, 'listening');
  try {
    await writeFile(kitFile(), kitText('brokr: {}'));
    start();
    await expect.poll(() => printed, PATIENCE).toContain('page-missing');
    expect(child?.exitCode).toBeNull();
  } finally {
    squatter.close();
  }
});

test('a token that cannot be read keeps the page on this machine, with the reason', async () => {
  const text = kitText()
    .replace(`127.0.0.1:${port}`, `0.0.0.0:${port}`)
    .replace("' }", "', token: { file: api.token } }");
  await writeFile(kitFile(), text);
  start();
  await expect.poll(() => status(), PATIENCE).toMatchObject({ reasons: [{ code: 'secret-unreadable' }] });
});

test('an address that is not this machine’s leaves the page on loopback, with the token that was set', async () => {
  await writeFile(join(folder, 'api.token'), 'a-token-of-more-than-16-bytes');
  const text = kitText('brokr: {}').replace(`127.0.0.1:${port}' }`, `192.0.2.1:${port}', token: { file: api.token } }`);
  await writeFile(kitFile(), text);
  start();
  await expect.poll(() => ask('/v1/status').then((answer) => answer?.status), PATIENCE).toBe(401);
  const headers = { authorization: 'Bearer a-token-of-more-than-16-bytes' };
  const answer = await fetch(`http://127.0.0.1:${port}/v1/status`, { headers });
  expect(await answer.json()).toMatchObject({ ready: false, reasons: [{ code: 'config-unknown-key' }] });
});

test('without --stay it ends with status 2 and the place, as a script wants it', async () => {
  await writeFile(kitFile(), kitText('brokr: {}'));
  const run = spawn(process.execPath, ['--import', TSX, MAIN, 'run', '-c', kitFile()], { cwd: folder });
  run.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  expect(await once(run, 'close')).toEqual([2, null]);
  expect(printed).toMatch(/error\[config-invalid\]: .*line 5, column 1/);
});
