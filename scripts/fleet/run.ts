import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startBalancer } from '../lib/balancer.ts';
import { startConsumer } from '../lib/consumer.ts';
import { startKitProcess } from '../lib/kit-process.ts';
import type { Cluster } from './cluster.ts';
import { startNats } from './nats.ts';
import { startRabbit } from './rabbit.ts';

/**
 * A real 3-node cluster on loopback, one node killed under load: first the kit's, then, in a run of its own, the
 * consumer's. Everything whose commit was told must reach the consumer.
 *
 *   node --import tsx scripts/fleet/run.ts nats|rabbitmq [--rate 300]
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rate: { type: 'string', default: '300' } },
});

const KINDS: Readonly<Record<string, () => Promise<Cluster>>> = { nats: startNats, rabbitmq: startRabbit };
const LOAD_MS = 4_000;
const PATIENCE_MS = 120_000;

interface Outcome {
  readonly killed: string;
  readonly told: number;
  readonly received: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly completeAfterS: number;
}

async function round(start: () => Promise<Cluster>, victim: 'kit' | 'consumer'): Promise<Outcome> {
  const state = await mkdtemp(join(tmpdir(), 'barrow-fleet-'));
  try {
    await using cluster = await start();
    const [first = 0, second = 0, third = 0] = cluster.mqttPorts;
    await using kitSide = await startBalancer([first, second, third]);
    await using consumerSide = await startBalancer([third, second, first]);
    const name = `kit-${victim}`;
    await using consumer = await startConsumer(consumerSide.url, name, 4);
    await using kit = startKitProcess({ url: kitSide.url, state, kit: name, rowsPerS: Number(values.rate) });
    await wait(LOAD_MS);
    await cluster.kill(victim === 'kit' ? 0 : 2);
    await wait(LOAD_MS);
    const told = kit.committed();
    const startMs = performance.now();
    while (!consumer.has(told) && performance.now() - startMs < PATIENCE_MS) await wait(100);
    const scan = consumer.collector.proof().streams.find((stream) => stream.stream === 'scan');
    return {
      killed: `the ${victim}’s node`,
      told,
      received: scan?.received ?? 0,
      lost: consumer.has(told) ? 0 : Math.max(1, scan?.gaps ?? told),
      duplicates: scan?.duplicates ?? 0,
      completeAfterS: Math.round((performance.now() - startMs) / 100) / 10,
    };
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  const start = KINDS[positionals[0] ?? ''];
  if (start === undefined) {
    console.error('usage: run.ts nats|rabbitmq [--rate ROWS_PER_S]');
    return 2;
  }
  const outcomes = [await round(start, 'kit'), await round(start, 'consumer')];
  console.table(outcomes);
  return outcomes.every(({ told, lost }) => told > 0 && lost === 0) ? 0 : 1;
}

process.exitCode = await main();
