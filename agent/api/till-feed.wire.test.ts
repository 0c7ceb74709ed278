import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';

const MAIN = new URL('../cli/main.ts', import.meta.url).pathname;
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Running {
  readonly url: string;
  readonly child: ChildProcess;
}

/** A whole agent on a folder of its own; the address comes from its log. */
async function agent(folder: string): Promise<Running> {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, 'run', '-c', join(folder, 'kit.yaml')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  cleanups.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      const found = /"url":"(http:[^"]+)"/.exec(log)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.on('exit', () => reject(new Error(`the agent ended: ${log}`)));
  });
  return { url, child };
}

interface Sold {
  readonly eventId: string;
  readonly sequence: string;
}

async function sell(
  url: string,
  key: string,
  unitMinor = 2500,
): Promise<{ readonly status: number; readonly body: Sold }> {
  const answer = await fetch(`${url}/v1/sales`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ lines: [{ sku: 'TEE', qty: 1, unitMinor }] }),
  });
  return { status: answer.status, body: (await answer.json()) as Sold };
}

test('a sale that was answered is on disk: the agent is killed at once, and knows sale and key again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'barrow-till-'));
  cleanups.push(async () => rm(folder, { recursive: true, force: true }));
  const config = [
    'kit: { id: popup-014, currency: GBP, timezone: Europe/London }',
    `state: ${join(folder, 'state')}`,
    'api: { listen: "127.0.0.1:0" }',
    'drivers: []',
  ];
  await writeFile(join(folder, 'kit.yaml'), `${config.join('\n')}\n`);
  const first = await agent(folder);
  const sold: Sold[] = [];
  for (let n = 1; n <= 5; n += 1) sold.push((await sell(first.url, `key-${n}`)).body);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const second = await agent(folder);
  for (const [index, before] of sold.entries())
    expect(await sell(second.url, `key-${index + 1}`)).toEqual({ status: 201, body: before });
  expect((await sell(second.url, 'key-1', 2400)).status).toBe(422);
  expect((await sell(second.url, 'key-6')).body.sequence).toBe('6');
  const stream = await fetch(`${second.url}/v1/events`);
  // An open stream and an open page do not hold the agent up when it is to stop.
  const before = performance.now();
  second.child.kill('SIGTERM');
  const [status] = (await once(second.child, 'exit')) as [number];
  expect({ status, quick: performance.now() - before < 5_000 }).toEqual({ status: 0, quick: true });
  await stream.text().catch(() => undefined);
});
