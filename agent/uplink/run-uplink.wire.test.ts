import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAedes } from '../../scripts/lib/aedes.ts';
import { startConsumer } from '../../scripts/lib/consumer.ts';
import { startKitProcess } from '../../scripts/lib/kit-process.ts';
import { startMosquitto } from '../../scripts/lib/mosquitto.ts';
import { startFaultProxy } from '../../scripts/lib/tcp-fault-proxy.ts';

const PATIENCE = { timeout: 40_000, interval: 50 };
let state = '';
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'barrow-uplink-'));
});
afterEach(async () => {
  await rm(state, { recursive: true, force: true });
});

describe('the uplink on real wires', () => {
  it('loses nothing when the kit is killed in mid-stream, again and again', async () => {
    await using broker = await startMosquitto();
    await using consumer = await startConsumer(broker.url, 'k1', 5);
    let committed = 0;
    for (let life = 0; life < 4; life += 1) {
      await using kit = startKitProcess({ url: broker.url, state, kit: 'k1', rowsPerS: 1_000 });
      const goal = committed + 300;
      await expect.poll(() => kit.committed(), PATIENCE).toBeGreaterThan(goal);
      await kit.end('SIGKILL');
      expect(kit.committed()).toBeGreaterThan(committed);
      committed = kit.committed();
    }
    await using kit = startKitProcess({ url: broker.url, state, kit: 'k1', rowsPerS: 50 });
    await expect.poll(() => consumer.has(committed), PATIENCE).toBe(true);
    await kit.end('SIGTERM');
    await expect.poll(() => consumer.collector.proof(), PATIENCE).toMatchObject({ ok: true, online: false });
  });

  it('loses nothing when the broker is killed and comes back with what it acknowledged', async () => {
    await using broker = await startMosquitto({ persistent: true });
    await using consumer = await startConsumer(broker.url, 'k2', 5);
    await using kit = startKitProcess({ url: broker.url, state, kit: 'k2', rowsPerS: 500 });
    for (let death = 0; death < 2; death += 1) {
      const goal = kit.committed() + 300;
      await expect.poll(() => kit.committed(), PATIENCE).toBeGreaterThan(goal);
      // Ended in order: a broker that is killed keeps what it wrote in the last second, and no kit can know.
      await broker.stop('SIGTERM');
      await wait(200);
      await broker.start();
    }
    const committed = kit.committed();
    await expect.poll(() => consumer.has(committed), PATIENCE).toBe(true);
  });

  it('loses nothing on a slow wire that is reset, refuses and swallows', async () => {
    await using broker = await startMosquitto();
    await using proxy = await startFaultProxy(broker);
    await using consumer = await startConsumer(broker.url, 'k3', 5);
    await using kit = startKitProcess({ url: proxy.url, state, kit: 'k3', rowsPerS: 500 });
    await expect.poll(() => kit.committed(), PATIENCE).toBeGreaterThan(100);
    proxy.set({ delayMs: 20 });
    for (let cut = 0; cut < 3; cut += 1) {
      await wait(300);
      proxy.reset();
    }
    proxy.set({ blackHole: true });
    await wait(500);
    proxy.refuse(true);
    proxy.reset();
    await wait(500);
    proxy.set({ blackHole: false, delayMs: 0 });
    proxy.refuse(false);
    const committed = kit.committed();
    await expect.poll(() => consumer.has(committed), PATIENCE).toBe(true);
    expect(proxy.taken()).toBeGreaterThan(2);
  });

  it('delivers to a broker that speaks 3.1.1 only', async () => {
    await using broker = await startAedes();
    await using consumer = await startConsumer(broker.url, 'k4', 4);
    await using kit = startKitProcess({ url: broker.url, state, kit: 'k4', rowsPerS: 500 });
    await expect.poll(() => kit.committed(), PATIENCE).toBeGreaterThan(200);
    await kit.end('SIGTERM');
    await expect.poll(() => consumer.collector.proof(), PATIENCE).toMatchObject({ ok: true, online: false });
  });
});
