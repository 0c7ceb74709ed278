import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startConsumer } from '../lib/consumer.ts';
import { startKitProcess } from '../lib/kit-process.ts';
import { startMosquitto } from '../lib/mosquitto.ts';
import { startFaultProxy } from '../lib/tcp-fault-proxy.ts';

/**
 * A kit behind a slow wire, killed (SIGKILL) and cut off again and again while it writes, against a real mosquitto.
 * Everything whose commit was told must reach the consumer.
 *
 *   node --import tsx scripts/faults/kill-loop.ts --kills 20
 */
const { values } = parseArgs({
  options: { kills: { type: 'string', default: '20' }, rate: { type: 'string', default: '500' } },
});
const PATIENCE_TRIES = 1_200;

async function main(): Promise<number> {
  const state = await mkdtemp(join(tmpdir(), 'barrow-kill-'));
  try {
    await using broker = await startMosquitto();
    await using proxy = await startFaultProxy(broker);
    await using consumer = await startConsumer(broker.url, 'kit', 5);
    proxy.set({ delayMs: 20 });
    let told = 0;
    let resets = 0;
    for (let kill = 0; kill < Number(values.kills); kill += 1) {
      await using kit = startKitProcess({ url: proxy.url, state, kit: 'kit', rowsPerS: Number(values.rate) });
      for (let tries = 0; tries < PATIENCE_TRIES && kit.committed() <= told; tries += 1) await wait(25);
      await wait(200 + Math.random() * 800);
      if (Math.random() < 0.5) {
        proxy.reset();
        resets += 1;
        await wait(Math.random() * 400);
      }
      await kit.end('SIGKILL');
      told = Math.max(told, kit.committed());
    }
    await using kit = startKitProcess({ url: proxy.url, state, kit: 'kit', rowsPerS: 50 });
    let complete = false;
    for (let tries = 0; tries < PATIENCE_TRIES && !complete; tries += 1) {
      complete = consumer.has(told);
      await wait(50);
    }
    await kit.end('SIGTERM');
    const scan = consumer.collector.proof().streams.find((stream) => stream.stream === 'scan');
    const duplicates = scan?.duplicates ?? 0;
    console.table([
      {
        kills: Number(values.kills),
        resets,
        told,
        received: scan?.received ?? 0,
        gaps: scan?.gaps ?? told,
        duplicates,
        complete,
      },
    ]);
    return complete ? 0 : 1;
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

process.exitCode = await main();
