import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connectConsumer } from '../../../agent/cli/consumer/connect.ts';
import type { ConsumedEvent } from '../../../agent/cli/consumer/read-event.ts';
import type { AgentStatus } from '../../../agent/core/status.ts';
import { Closing } from '../../../agent/core/closing.ts';
import { systemChance, systemClock } from '../../../agent/host/clock.ts';
import { registry } from '../../../drivers/registry.ts';
import type { VirtualDevice } from '../../kit/virtual-device.ts';
import { playIncidents, type PlayOptions } from '../../kit/play-incidents.ts';
import { startVirtualKit, type VirtualKit } from '../../kit/virtual-kit.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { Shop, type ShopTruth } from '../../shop/shop.ts';
import { startBroker } from '../../wire/broker.ts';
import { startAgent, type AgentProcess } from '../agent-process.ts';
import { simFailure } from '../errors.ts';
import { writeKitFolder } from '../kit-folder.ts';
import { findClip } from '../read-scenario.ts';
import { demoPricing } from './rules.ts';
import { demoTill, type DemoTill } from './till.ts';
import { watchKit, type Witness } from './witness.ts';

/** The agent has this long to have every device open. */
const READY_MS = 45_000;
/** A shop that closes stays open this much longer for a device that has not delivered yet. */
const GRACE_MS = 25_000;
/** What is on its way has this long to arrive. */
const DRAIN_MS = 20_000;

export interface DemoOptions {
  readonly scenario: Scenario;
  /** Absent: until the signal fires. */
  readonly seconds?: number;
  /** Kept afterwards when given. */
  readonly state?: string;
  readonly onReady: (where: {
    readonly statusPage: string;
    readonly broker: string;
    readonly kit: VirtualKit;
    readonly log: string;
  }) => void;
  readonly onEvent: (event: ConsumedEvent) => void;
  readonly onIncident: PlayOptions['onIncident'];
}

export interface DemoSummary {
  readonly ok: boolean;
  readonly seconds: number;
  readonly drivers: readonly { readonly id: string; readonly type: string; readonly events: number }[];
  readonly streams: readonly {
    readonly stream: string;
    readonly first: number;
    readonly last: number;
    readonly gaps: number;
    readonly duplicates: number;
    readonly losses: number;
  }[];
  readonly broker: string;
  readonly statusPage: string;
  /** What really happened in the shop, and what of it the till booked. */
  readonly shop: Omit<ShopTruth, 'stock'> & { readonly sales: number; readonly declined: number };
  /** Why it is not ok; empty when it is. */
  readonly faults: readonly string[];
}

/** Runs the virtual kit, a broker, the agent and a shop; proves at the end that everything arrived. */
export async function runDemo(options: DemoOptions, signal: AbortSignal): Promise<DemoSummary> {
  const closing = new Closing();
  try {
    return await demo(options, closing, signal);
  } finally {
    await closing.close();
  }
}

async function demo(options: DemoOptions, closing: Closing, signal: AbortSignal): Promise<DemoSummary> {
  const { scenario } = options;
  const clock = systemClock();
  const folder = await mkdtemp(join(tmpdir(), 'barrow-demo-'));
  closing.defer(() => rm(folder, { recursive: true, force: true }));
  const broker = await startBroker();
  closing.defer(() => Promise.resolve(broker[Symbol.asyncDispose]()));
  const off = new AbortController();
  const bugs: unknown[] = [];
  const kit = await startVirtualKit(
    scenario,
    {
      folder,
      clock,
      chance: systemChance(),
      currency: scenario.kit.currency,
      signal: off.signal,
      onBug: (error) => void bugs.push(error),
    },
    { known: new Set(Object.keys(registry)), clip: findClip },
  );
  closing.defer(async () => {
    off.abort(new Error('switched off'));
    await kit[Symbol.asyncDispose]();
  });
  const link = await connectConsumer({ broker: broker.url, protocol: '3.1.1' }, off.signal);
  closing.defer(() => link.close());
  const witness = await watchKit(link, scenario.kit.id, options.onEvent, off.signal);
  const pricing = demoPricing(scenario);
  const listen = `127.0.0.1:${await freePort()}`;
  const state = options.state === undefined ? join(folder, 'state') : resolve(options.state);
  const kitPath = await writeKitFolder({ folder, state, scenario, kit, brokerUrl: broker.url, listen, pricing });
  const log =
    options.state === undefined ? join(tmpdir(), `barrow-demo-${process.pid}.log`) : join(folder, 'agent.log');
  const agent = startAgent(kitPath, log);
  let stopped = false;
  closing.defer(async () => {
    if (!stopped) await agent.stop();
  });
  const statusPage = `http://${listen}/`;
  await untilReady(statusPage, agent, kit, signal);
  options.onReady({ statusPage, broker: broker.url, kit, log });

  const startMs = performance.now();
  const till = demoTill(
    statusPage.slice(0, -1),
    scenario.kit.currency,
    new Map(scenario.products.map(({ sku, listMinor }) => [sku, listMinor])),
    {
      charges: kit.hands.charges ?? null,
      priced: pricing !== null,
      pause: (ms) => wait(ms),
    },
  );
  const truth = await keepShop({ options, kit, till, witness, agent, bugs }, signal);
  const seconds = (performance.now() - startMs) / 1_000;
  const exit = await settle(witness, statusPage, agent, signal);
  stopped = true;
  return summarise({ options, kit, witness, till, truth, seconds, broker: broker.url, statusPage, exit, bugs });
}

interface ShopDay {
  readonly options: DemoOptions;
  readonly kit: VirtualKit;
  readonly till: DemoTill;
  readonly witness: Witness;
  readonly agent: AgentProcess;
  readonly bugs: unknown[];
}

/** Opens the shop for the asked time, and a little longer for a device that has not delivered yet. */
async function keepShop(day: ShopDay, signal: AbortSignal): Promise<ShopTruth> {
  const { options, kit, till, witness, agent } = day;
  const { scenario } = options;
  const { hands } = kit;
  const shelved = new Map(
    scenario.devices.flatMap((device) =>
      device.type === 'ble-shelf' ? device.sensors.map(({ sku, id }) => [sku, id] as const) : [],
    ),
  );
  const shop = new Shop(
    {
      products: scenario.products.map(({ sku, gtin, stock }) => ({
        sku,
        gtin,
        stock,
        sensorId: shelved.get(sku) ?? null,
      })),
      shoppersPerMin: scenario.shoppersPerMin,
      loyaltyShare: scenario.loyaltyShare,
    },
    {
      take: (sensorId, count) => hands.take?.(sensorId, count),
      putBack: (sensorId, count) => hands.put?.(sensorId, count),
      scan: (gtin) => hands.scan?.(gtin),
      swipeLoyalty: (member) => hands.swipe?.(member),
      checkout: (basket) => till.checkout(basket),
    },
    systemClock(),
    systemChance(),
  );
  const closed = new AbortController();
  const open = AbortSignal.any([signal, closed.signal]);
  const trading = shop.run(open, AbortSignal.any([]));
  const suffering = playIncidents(
    kit.devices,
    scenario.incidents,
    { clock: systemClock(), onIncident: options.onIncident },
    open,
  ).catch((error: unknown) => void day.bugs.push(error));
  const dead = agent.ended.then((how) => {
    throw simFailure('agent-ended', { detail: `exit ${how}` });
  });
  const hours = async (): Promise<void> => {
    if (options.seconds === undefined) return untilAborted(signal);
    await pause(options.seconds * 1_000, signal);
    const lateMs = performance.now() + GRACE_MS;
    while (!signal.aborted && performance.now() < lateMs && silentDevices(kit, witness).length > 0)
      await pause(250, signal);
  };
  try {
    await Promise.race([hours(), dead, trading]);
  } finally {
    closed.abort(new Error('closing time'));
    await suffering;
  }
  await Promise.race([trading, dead]);
  return shop.truth;
}

function silentDevices(kit: VirtualKit, witness: Witness): readonly string[] {
  return kit.devices.filter((device) => eventsOf(device, witness) === 0).map(({ id }) => id);
}

function eventsOf(device: VirtualDevice, witness: Witness): number {
  return device.subjects.reduce((sum, subject) => sum + (witness.events.get(subject) ?? 0), 0);
}

/** Lets what is on its way arrive, stops the agent, and lets its last words arrive too. */
async function settle(
  witness: Witness,
  statusPage: string,
  agent: AgentProcess,
  signal: AbortSignal,
): Promise<number | string> {
  const untilMs = performance.now() + DRAIN_MS;
  while (!signal.aborted && performance.now() < untilMs) {
    const status = await askStatus(statusPage);
    if (status !== null && status.ledger.streams.every(({ pendingRows }) => pendingRows === 0)) break;
    await pause(200, signal);
  }
  const exit = await agent.stop();
  while (performance.now() < untilMs && !witness.complete()) await wait(100);
  return exit;
}

function summarise(end: {
  readonly options: DemoOptions;
  readonly kit: VirtualKit;
  readonly witness: Witness;
  readonly till: DemoTill;
  readonly truth: ShopTruth;
  readonly seconds: number;
  readonly broker: string;
  readonly statusPage: string;
  readonly exit: number | string;
  readonly bugs: readonly unknown[];
}): DemoSummary {
  const { kit, witness, till, truth } = end;
  const streams = witness
    .streams()
    .map(({ stream, first, last, gaps, duplicates, losses }) => ({ stream, first, last, gaps, duplicates, losses }));
  const charged = kit.hands.charges?.().filter((state) => state === 'booked').length ?? null;
  const faults = [
    ...silentDevices(kit, witness).map((id) => `${id} delivered nothing`),
    ...streams.filter(({ gaps }) => gaps > 0).map(({ stream, gaps }) => `${stream} has ${gaps} gaps`),
    ...(witness.complete() ? [] : ['what arrived is not complete']),
    ...(end.exit === 0 ? [] : [`the agent ended with ${end.exit}`]),
    ...(till.sales === truth.paid ? [] : [`${truth.paid} customers paid but ${till.sales} sales were booked`]),
    ...(charged === null || charged === till.sales
      ? []
      : [`the terminal charged ${charged} customers but ${till.sales} sales were booked`]),
    ...end.bugs.map((bug) => `the simulation failed: ${bug instanceof Error ? bug.message : String(bug)}`),
  ];
  const { stock: _stock, ...counts } = truth;
  return {
    ok: faults.length === 0,
    seconds: Math.round(end.seconds * 10) / 10,
    drivers: kit.devices.map((device) => ({ id: device.id, type: device.type, events: eventsOf(device, witness) })),
    streams,
    broker: end.broker,
    statusPage: end.statusPage,
    shop: { ...counts, sales: till.sales, declined: till.declined },
    faults,
  };
}

async function untilReady(
  statusPage: string,
  agent: AgentProcess,
  kit: VirtualKit,
  signal: AbortSignal,
): Promise<void> {
  const untilMs = performance.now() + READY_MS;
  let ended: number | string | null = null;
  void agent.ended.then((how) => {
    ended = how;
  });
  while (performance.now() < untilMs) {
    signal.throwIfAborted();
    if (ended !== null) throw simFailure('agent-ended', { detail: `exit ${String(ended)}` });
    const status = await askStatus(statusPage);
    if (
      status !== null &&
      status.uplink.state === 'online' &&
      status.drivers.length === kit.devices.length &&
      status.drivers.every(({ state }) => state === 'ready')
    )
      return;
    await pause(150, signal);
  }
  const status = await askStatus(statusPage);
  throw simFailure('agent-late', {
    detail: status?.reasons.map(({ sentence }) => sentence).join('; ') ?? 'its API does not answer',
  });
}

async function askStatus(statusPage: string): Promise<AgentStatus | null> {
  try {
    const response = await fetch(`${statusPage}v1/status`, { signal: AbortSignal.timeout(2_000) });
    return response.ok ? ((await response.json()) as AgentStatus) : null;
  } catch (error) {
    // Not listening yet, or busy: the caller asks again until its own time is up.
    if (error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')) return null;
    throw error;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
