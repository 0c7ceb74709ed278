import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectConsumer } from '../../agent/cli/consumer/connect.ts';
import { watchKit, type Witness } from '../../firmware-sim/cli/demo/witness.ts';
import { startAgent, type AgentProcess } from '../../firmware-sim/cli/agent-process.ts';
import { freePort } from '../lib/free-port.ts';
import { startMosquitto, type Mosquitto } from '../lib/mosquitto.ts';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../../agent/cli/main.ts', import.meta.url));

const KIT = 'crash-kit';
const SALES_BEFORE_EACH_FAULT = 25;

describe('the whole agent against a real mosquitto', () => {
  let folder = '';
  let broker: Mosquitto;
  let api = '';
  let agent: AgentProcess | null = null;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'barrow-crash-'));
    broker = await startMosquitto({ persistent: true });
    const port = await freePort();
    api = `http://127.0.0.1:${port}`;
    await writeFile(
      join(folder, 'kit.yaml'),
      `kit: { id: ${KIT}, currency: EUR, timezone: Europe/Berlin }\nstate: ${join(folder, 'state')}\nbroker: { url: "${broker.url}" }\napi: { listen: "127.0.0.1:${port}" }\n`,
    );
  });

  afterEach(async () => {
    await agent?.stop();
    agent = null;
    await broker[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(): Promise<AgentProcess> {
    const started = startAgent(join(folder, 'kit.yaml'), join(folder, `agent-${randomUUID()}.log`));
    await expect
      .poll(async () => (await fetch(`${api}/healthz`).catch(() => null))?.status, { timeout: 30_000, interval: 50 })
      .toBe(200);
    return started;
  }

  /** Posts until it is answered: what a till with an Idempotency-Key does. Returns the event's id. */
  async function sell(): Promise<string> {
    const key = randomUUID();
    for (let attempt = 0; attempt < 400; attempt += 1) {
      const answer = await fetch(`${api}/v1/sales`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({ lines: [{ sku: 'TEE-BLK-M', qty: 1, unitMinor: 2_500 }] }),
      }).catch(() => null);
      if (answer?.status === 201) return ((await answer.json()) as { readonly eventId: string }).eventId;
      await wait(50);
    }
    throw new Error('the sale was never taken');
  }

  interface Proof {
    readonly ok: boolean;
    readonly streams: readonly {
      readonly stream: string;
      readonly last: number;
      readonly gaps: number;
      readonly losses: number;
    }[];
  }

  async function verified(): Promise<Proof> {
    const { stdout } = await run(
      process.execPath,
      ['--import', 'tsx', main, 'verify', '--broker', broker.url, '--kit', KIT, '--json'],
      { timeout: 60_000 },
    );
    return JSON.parse(stdout) as Proof;
  }

  test('loses no acknowledged sale when it is killed in mid-stream and the broker is restarted', async () => {
    const over = new AbortController();
    const arrived = new Set<string>();
    const sold: string[] = [];
    const witnesses: Witness[] = [];
    const listen = async (): Promise<void> => {
      const link = await connectConsumer({ broker: broker.url, protocol: 'auto' }, over.signal);
      witnesses.push(
        await watchKit(
          link,
          KIT,
          (event) => void arrived.add(`${event.epoch}/${event.stream}/${event.sequence}`),
          over.signal,
        ),
      );
    };
    await listen();
    agent = await start();

    for (const fault of ['kill the agent', 'restart the broker', 'kill the agent', 'kill both']) {
      for (let n = 0; n < SALES_BEFORE_EACH_FAULT; n += 1) sold.push(await sell());
      const racing = Array.from({ length: 5 }, () => sell());
      if (fault !== 'restart the broker') {
        process.kill(agent.pid, 'SIGKILL');
        await agent.ended;
      }
      if (fault !== 'kill the agent') {
        await broker.stop();
        await broker.start();
        await listen();
      }
      if (fault !== 'restart the broker') agent = await start();
      sold.push(...(await Promise.all(racing)));
    }

    await expect.poll(() => sold.filter((id) => !arrived.has(id)), { timeout: 20_000 }).toEqual([]);
    // The manifest that verify goes by may be as old as the kit's last round of them.
    await expect
      .poll(
        async () => {
          const { ok, streams } = await verified();
          const sale = streams.find(({ stream }) => stream === 'sale');
          return { ok, gaps: sale?.gaps, losses: sale?.losses, last: sale?.last };
        },
        { timeout: 60_000, interval: 500 },
      )
      .toEqual({ ok: true, gaps: 0, losses: 0, last: sold.length });
    expect(new Set(sold).size).toBe(sold.length);

    expect(await agent.stop()).toBe(0);
    agent = null;
    over.abort();
    await Promise.all(witnesses.map((witness) => witness.ended));
  });
});
