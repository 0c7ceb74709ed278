import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connect, type MqttClient } from 'mqtt';
import { stringify } from 'yaml';
import { Closing } from '../../agent/core/closing.ts';
import type { AgentStatus } from '../../agent/core/status.ts';
import { startAgent, type AgentProcess } from '../../firmware-sim/cli/agent-process.ts';
import { freePort } from '../lib/free-port.ts';
import { startMosquitto } from '../lib/mosquitto.ts';

export const KIT_ID = 'bench';
const READY_MS = 30_000;

/** One whole agent process with a real broker and a raw QoS 1 subscriber of its own. */
export interface BenchKit {
  readonly agent: AgentProcess;
  readonly api: string;
  /** From the start of the process to its first event at the subscriber, ms. */
  readonly firstPublishMs: number;
  /** Every event that arrives, with its arrival time. */
  onEvent(listener: (event: ArrivedEvent) => void): void;
  status(): Promise<AgentStatus>;
  untilReady(): Promise<void>;
  rssMiB(): number;
  close(): Promise<void>;
}

export interface ArrivedEvent {
  readonly type: string;
  readonly stream: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

/** Starts the agent with these drivers and no others. */
export async function startBenchKit(
  drivers: readonly object[],
  files: Readonly<Record<string, string>> = {},
): Promise<BenchKit> {
  const closing = new Closing();
  const folder = await mkdtemp(join(tmpdir(), 'barrow-bench-'));
  closing.defer(() => rm(folder, { recursive: true, force: true }));
  const broker = await startMosquitto({
    config: ['max_inflight_messages 1000', 'max_queued_messages 0', 'log_type none'],
  });
  closing.defer(async () => broker[Symbol.asyncDispose]());
  const listeners: ((event: ArrivedEvent) => void)[] = [];
  const client = await subscribe(broker.url, (event) => {
    for (const listener of listeners) listener(event);
  });
  closing.defer(async () => {
    await client.endAsync(true);
  });
  const port = await freePort();
  const api = `http://127.0.0.1:${port}`;
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  const kitPath = join(folder, 'kit.yaml');
  await writeFile(
    kitPath,
    stringify({
      kit: { id: KIT_ID, currency: 'EUR', timezone: 'Europe/Berlin' },
      state: join(folder, 'state'),
      broker: { url: broker.url },
      api: { listen: `127.0.0.1:${port}` },
      drivers,
    }),
  );
  const first = new Promise<number>((resolve) => {
    listeners.push(({ atMs }) => resolve(atMs));
  });
  const startMs = performance.now();
  const agent = startAgent(kitPath, join(folder, 'agent.log'));
  closing.defer(async () => {
    await agent.stop();
  });
  const firstMs = await Promise.race([
    first,
    agent.ended.then((how) => Promise.reject(new Error(`the agent ended with ${how}`))),
  ]);
  const status = async (): Promise<AgentStatus> => (await (await fetch(`${api}/v1/status`)).json()) as AgentStatus;
  return {
    agent,
    api,
    firstPublishMs: firstMs - startMs,
    onEvent: (listener) => void listeners.push(listener),
    status,
    untilReady: async () => {
      for (const untilMs = performance.now() + READY_MS; performance.now() < untilMs; await wait(50))
        if ((await status()).drivers.every(({ state }) => state === 'ready')) return;
      throw new Error(`not ready: ${JSON.stringify((await status()).reasons)}`);
    },
    rssMiB: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${agent.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
    close: () => closing.close(),
  };
}

async function subscribe(url: string, onEvent: (event: ArrivedEvent) => void): Promise<MqttClient> {
  const client = connect(url, { protocolVersion: 5, properties: { receiveMaximum: 1_000 } });
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('error', reject);
  });
  await client.subscribeAsync([`barrow/v1/${KIT_ID}/event/+`, `barrow/v1/${KIT_ID}/batch/+`], { qos: 1 });
  client.on('message', (topic, payload) => {
    const atMs = performance.now();
    const value = JSON.parse(payload.toString('utf8')) as
      Omit<ArrivedEvent, 'atMs'> | readonly Omit<ArrivedEvent, 'atMs'>[];
    for (const event of topic.includes('/batch/')
      ? (value as readonly Omit<ArrivedEvent, 'atMs'>[])
      : [value as Omit<ArrivedEvent, 'atMs'>])
      onEvent({ type: event.type, stream: event.stream, data: event.data, atMs });
  });
  return client;
}

export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'barrow-bench-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
