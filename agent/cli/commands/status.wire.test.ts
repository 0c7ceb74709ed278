import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { scriptedKit, servedKit, type ScriptedKit } from '../../../scripts/lib/scripted-kit.ts';
import { OPEN_SHOP, TROUBLED_SHOP } from '../../../scripts/lib/scripted-shop.ts';

// By its place, not its name: the command runs in another folder.
const TSX = new URL('../../../node_modules/tsx/dist/loader.mjs', import.meta.url).href;
const MAIN = new URL('../main.ts', import.meta.url).pathname;
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function served(token?: string): Promise<{ readonly kit: ScriptedKit; readonly url: string }> {
  const kit = scriptedKit(token === undefined ? {} : { token });
  const api = await servedKit(kit, new AbortController().signal);
  cleanups.push(async () => api[Symbol.asyncDispose]());
  return { kit, url: api.url };
}

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function barrow(
  args: readonly string[],
  more: { readonly env?: Record<string, string>; readonly until?: RegExp; readonly cwd?: string } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', TSX, MAIN, ...args], {
      env: { ...process.env, ...more.env },
      cwd: more.cwd,
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (more.until?.test(out) === true) child.kill('SIGINT');
    });
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('close', (status) => resolve({ status, out, err }));
  });
}

test('says Ready and exits 0, or Not ready with what to do and exits 1', async () => {
  const { kit, url } = await served();
  kit.status = OPEN_SHOP;
  const good = await barrow(['status', '--url', url]);
  expect(good).toMatchObject({ status: 0, err: '' });
  expect(good.out).toMatch(/^popup-014 \(leeds-trinity, northern\) {2}READY\n/);
  expect(good.out).toContain('s2 battery 11 %');
  expect(good.out).not.toContain('\u001B');
  kit.status = TROUBLED_SHOP;
  const bad = await barrow(['status', '--url', `${url}/`]);
  expect(bad.status).toBe(1);
  expect(bad.out).toContain('NOT READY');
  expect(bad.out).toContain('The camera sends no pictures [door camera-stalled]\n    → Check its cable and power');
  expect(bad.out).toMatch(/delivery {2}waiting .* 1801 queued {2}oldest 47 min {2}0 lost/);
});

test('gives the whole status as JSON', async () => {
  const { kit, url } = await served();
  kit.status = TROUBLED_SHOP;
  const { status, out } = await barrow(['status', '--json', '--url', url]);
  expect(status).toBe(1);
  expect(JSON.parse(out)).toEqual(TROUBLED_SHOP);
});

test('names an agent that does not answer, and one that wants its token', async () => {
  const { url } = await served('correct-horse-battery');
  const refused = await barrow(['status', '--url', url]);
  expect(refused.status).toBe(1);
  expect(refused.err).toMatch(/^error\[agent-refused\]: .*401\nhint: .*\n$/);
  const opened = await barrow(['status', '--url', url], { env: { BARROW_TOKEN: 'correct-horse-battery' } });
  expect(opened.out).toContain('popup-014');
  const away = await barrow(['status', '--json', '--url', 'http://127.0.0.1:1']);
  expect(away.status).toBe(1);
  expect(JSON.parse(away.out)).toMatchObject({ error: { code: 'agent-unreachable' } });
});

test('finds address and token in kit.yaml', async () => {
  const { url } = await served('correct-horse-battery');
  const folder = await mkdtemp(join(tmpdir(), 'barrow-status-'));
  cleanups.push(async () => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'api.token'), 'correct-horse-battery\n');
  const config = [
    'kit: { id: popup-014, currency: GBP, timezone: Europe/London }',
    `state: ${folder}`,
    `api: { listen: "${new URL(url).host}", token: { file: api.token } }`,
  ];
  await writeFile(join(folder, 'kit.yaml'), `${config.join('\n')}\n`);
  expect(await barrow(['status', '-c', join(folder, 'kit.yaml')])).toMatchObject({
    err: '',
    out: expect.stringContaining('popup-014') as string,
  });
  expect((await barrow(['status'], { cwd: folder })).out).toContain('popup-014');
});

test('watches until it is stopped', async () => {
  const { kit, url } = await served();
  kit.status = OPEN_SHOP;
  const { status, out } = await barrow(['status', '--watch', '--json', '--url', url], { until: /\n.*\n/ });
  expect(status).toBe(0);
  expect(out.trim().split('\n').length).toBeGreaterThanOrEqual(2);
});

test('shows the page’s address as a code, with the token only when asked', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'barrow-status-'));
  cleanups.push(async () => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'api.token'), 'correct horse battery\n');
  const config = [
    'kit: { id: popup-014, currency: GBP, timezone: Europe/London }',
    `state: ${folder}`,
    'api: { listen: "0.0.0.0:8080", token: { file: api.token } }',
    'mdns: true',
  ];
  await writeFile(join(folder, 'kit.yaml'), `${config.join('\n')}\n`);
  const shown = await barrow(['status', '--qr', '-c', join(folder, 'kit.yaml')]);
  expect(shown).toMatchObject({ status: 0, err: '' });
  expect(shown.out.trimEnd().split('\n').at(-1)).toBe('http://popup-014.local:8080/');
  expect(shown.out).toMatch(/[█▀▄]{10}/);
  expect(shown.out).not.toContain('token');
  const open = await barrow(['status', '--qr', '--with-token', '--json', '-c', join(folder, 'kit.yaml')]);
  expect(JSON.parse(open.out)).toEqual({ url: 'http://popup-014.local:8080/#token=correct%20horse%20battery' });
});
