import type { Stream } from '../drivers/api/reading.ts';
import type { Ledger } from '../agent/core/ledger.ts';
import { AgentError } from '../drivers/api/agent-error.ts';
import { loadPricing } from '../agent/open-pricing.ts';
import { runAgent } from '../agent/run-agent.ts';
// The agent loads these when a kit has prices. Loaded already, they take no time that is not simulated.
import '../agent/pricing/bundle/sign.ts';
import '../agent/pricing/runtime.ts';
import { checkout } from './world/checkout.ts';
import { auditFault } from './world/auditor.ts';
import { damage, inLog, type ScratchDisk } from './world/damage.ts';
import { damagePlan, faultPlan, type Fault } from './world/fault-plan.ts';
import { machineClock, makeLife, type Life } from './world/life.ts';
import { told, type Lie } from './world/lies.ts';
import { makeMerchant } from './world/merchant.ts';
import { makeOracle } from './world/oracle.ts';
import { quietLog } from './world/quiet-log.ts';
import { makeScheduler, type Settle } from './world/scheduler.ts';
import { seededChance } from './world/seeded-chance.ts';
import { shopFloor } from './world/shop-floor.ts';
import { CALM, simBroker } from './world/sim-broker.ts';
import { simDisk } from './world/sim-disk.ts';
import { simPort } from './world/sim-port.ts';
import { simRadio } from './world/sim-radio.ts';
import { simTerminal } from './world/sim-terminal.ts';
import { makeTrace } from './world/trace.ts';
import { KIT, worldConfig } from './world/world-config.ts';
import { worldHost, type WorldHost } from './world/world-host.ts';

const START_WALL_MS = Date.UTC(2026, 10, 27, 9);
/** After the doors close everything is mended, and the kit has this long to deliver what it holds. */
const MENDED_FOR_MS = 30 * 60_000;

/** A second of busy shop and draining backlog takes a few hundred steps; one that wakes itself each millisecond a thousand more. */
const STEPS_IN_A_SECOND = 1_500;

export interface WorldOptions {
  readonly seed: number;
  /** Shop time until the doors close. */
  readonly minutes: number;
  readonly settle: Settle;
  /** Plants a lie in the world, to see that the oracle finds it. */
  readonly lie?: Lie;
  /** A merchant signs rules and the kit decides prices by them; yes unless told otherwise. */
  readonly prices?: boolean;
  /** Makes a real folder for a seed whose card loses a block. */
  readonly scratch: () => ScratchDisk;
  /** Faults instead of the seed's own: for a case that is being made smaller. */
  readonly faults?: readonly Fault[];
}

export interface WorldResult {
  readonly seed: number;
  /** Equal seeds give equal hashes: everything that happened, in its order. */
  readonly hash: string;
  readonly violations: readonly string[];
  readonly scans: number;
  readonly sales: number;
  readonly payments: number;
  readonly received: number;
  readonly duplicates: number;
  readonly lives: number;
  /** Ledgers; more than one where a damaged one was replaced. */
  readonly epochs: number;
  readonly steps: number;
  readonly mostStepsInASecond: number;
  readonly faults: readonly Fault[];
  readonly tail: readonly string[];
}

/**
 * One shop day in a world where time, chance, network, disk and devices are simulated and all else is real: the same
 * `runAgent`, the same SQL. Faults come by the seed; the oracle says what must have arrived.
 */
export async function runWorld(options: WorldOptions): Promise<WorldResult> {
  const world = await makeWorld(options);
  return world.run();
}

async function makeWorld(options: WorldOptions): Promise<{ run(): Promise<WorldResult> }> {
  await loadPricing();
  const { seed } = options;
  const closesMs = options.minutes * 60_000;
  const prices = options.prices ?? true;
  const config = await worldConfig(prices);
  const scheduler = makeScheduler(options.settle);
  const trace = makeTrace(() => scheduler.nowMs);
  const root = seededChance(`${seed}`);
  const part = (name: string): ReturnType<typeof seededChance> => seededChance(`${seed}/${name}`);
  const oracle = makeOracle(KIT);
  const clock = machineClock({ scheduler, startWallMs: START_WALL_MS, bootId: (boot) => `boot-${seed}-${boot}` });
  const broker = simBroker({
    scheduler,
    chance: part('broker'),
    ...(options.lie === 'broker' ? { forgetsEvery: 7 } : {}),
    deliver: (topic, payload) => {
      trace.note('deliver', `${topic} ${payload}`);
      const heard = options.lie === undefined ? payload : told(options.lie, payload);
      if (heard !== null) oracle.receive(topic, heard);
    },
  });
  const port = simPort(scheduler);
  const failures: string[] = [];
  const terminal = simTerminal({
    clock: clock.forLife(makeLife()),
    chance: part('customers'),
    currency: 'GBP',
    chargesTwice: options.lie === 'terminal',
    broke: (error) => failures.push(`the simulated terminal failed: ${String(error)}`),
  });
  let lives = 0;
  let safety = 0;
  let spells = 0;
  let current: { life: Life; host: WorldHost; stop: AbortController; ledger: () => Ledger | null } | null = null;
  let nextDownMs = 1_000;
  const radio = simRadio(scheduler, () => current?.host.clock.monoMs() ?? 0);
  const died = (why: string, downMs: number): void => {
    if (current === null) return;
    trace.note('died', why);
    safety += 1;
    current.life.end();
    current = null;
    disk.freeze();
    broker.dropLinks();
    scheduler.after(downMs, start);
  };
  const faults = options.faults ?? [
    ...faultPlan(root, closesMs),
    ...(prices ? damagePlan(part('card'), closesMs) : []),
  ];
  const scratch = faults.some(({ kind }) => kind === 'file-damaged') ? options.scratch() : undefined;
  let damages = 0;
  const disk = simDisk({
    died: (point) => died(point, nextDownMs),
    lying: options.lie === 'disk',
    forgetful: options.lie === 'salvage',
    scratch,
  });
  const merchant = makeMerchant({
    scheduler,
    chance: part('merchant'),
    truth: oracle.prices,
    trace,
    publish: (bundle) => broker.retain(`barrow/v1/${KIT}/rules`, bundle),
  });

  const start = (): void => {
    if (current !== null) return;
    lives += 1;
    trace.note('start', String(lives));
    const life = makeLife();
    const log = quietLog((event, fields) => trace.note('log', `${event} ${JSON.stringify(fields)}`));
    const host = worldHost(
      { clock, disk, broker, port, radio, terminal, log, merchantKey: merchant.publicKey },
      life,
      part(`life-${lives}`),
    );
    const stop = new AbortController();
    let ledger: Ledger | null = null;
    const watched: WorldHost = Object.create(host, {
      openLedger: {
        value: (asked: Parameters<WorldHost['openLedger']>[0]) => {
          ledger = host.openLedger(asked);
          oracle.opened(ledger.epoch);
          return ledger;
        },
      },
    }) as WorldHost;
    current = { life, host, stop, ledger: () => (ledger !== null && disk.isOpen(ledger) ? ledger : null) };
    void runAgent(watched, config, stop.signal).then(
      () => ended(life, null),
      (error: unknown) => ended(life, error),
    );
  };
  const ended = (life: Life, error: unknown): void => {
    if (!life.alive || current?.life !== life) return;
    const told = current.stop.signal.aborted;
    // Damage that only a read finds ends the run: the next start sets the file aside.
    const damaged = damages > 0 && error instanceof AgentError && error.code === 'ledger-corrupt';
    if (!damaged && (error !== null || !told))
      failures.push(`the agent ended: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    died(told ? 'stopped' : 'ended', nextDownMs);
  };

  const floor = shopFloor({
    scheduler,
    chance: part('shop'),
    oracle,
    port,
    radio,
    trace,
    api: () => current?.host.api ?? null,
    safetyEpoch: () => safety,
    wellSpell: () => (disk.failing === null && current?.ledger() != null ? spells : null),
  });

  const desk = checkout({
    scheduler,
    chance: part('cashier'),
    terminal,
    truth: oracle.payments,
    trace,
    api: () => current?.host.api ?? null,
  });

  const strike = (fault: Fault): void => {
    trace.note('fault', JSON.stringify(fault));
    switch (fault.kind) {
      case 'kill':
        died('kill', fault.downMs);
        return;
      case 'power-cut':
        died('power-cut', fault.downMs);
        clock.boot();
        clock.trust = fault.clockKnown ? 'synced' : 'unset';
        if (!fault.clockKnown) scheduler.after(fault.downMs + 60_000, () => (clock.trust = 'synced'));
        return;
      case 'file-damaged': {
        const ledger = current?.ledger() ?? null;
        died('power-cut', fault.downMs);
        clock.boot();
        if (ledger === null || scratch === undefined) return;
        const lasts = new Map(ledger.depth().streams.map(({ stream, last }) => [stream, last]));
        if (!inLog(fault.how)) disk.fold();
        scratch.edit((bytes) => {
          const what = damage(bytes, { kind: fault.how, place: fault.place, noise: fault.noise });
          trace.note('damage', what ?? 'nothing there');
          if (what === null) return;
          damages += 1;
          oracle.damaged(ledger.epoch, lasts);
        });
        return;
      }
      case 'cut-transaction':
        nextDownMs = 1_000 + fault.after * 10;
        disk.cutAfter(fault.after, fault.point);
        return;
      case 'stop':
        nextDownMs = fault.downMs;
        current?.stop.abort(new Error('told to stop'));
        return;
      case 'broker-down':
        broker.down = true;
        scheduler.after(fault.forMs, () => (broker.down = false));
        return;
      case 'bad-link':
        broker.faults = fault.faults;
        scheduler.after(fault.forMs, () => (broker.faults = CALM));
        return;
      case 'slow-link':
        broker.latencyMs = fault.latencyMs;
        scheduler.after(fault.forMs, () => (broker.latencyMs = 20));
        return;
      case 'disk-fails':
        disk.failing = fault.code;
        spells += 1;
        scheduler.after(fault.forMs, () => (disk.failing = null));
        return;
      case 'clock-jump':
        clock.jump(fault.byMs);
        return;
      case 'unplug':
        port.plugged = false;
        scheduler.after(fault.forMs, () => (port.plugged = true));
        return;
      case 'unplug-terminal':
        terminal.plugged = false;
        scheduler.after(fault.forMs, () => (terminal.plugged = true));
        return;
      case 'terminal-errs':
        terminal.faults[fault.how] += fault.times;
    }
  };

  const mend = (): void => {
    broker.down = false;
    broker.faults = CALM;
    broker.latencyMs = 20;
    disk.failing = null;
    clock.trust = 'synced';
    port.plugged = true;
    terminal.plugged = true;
    disk.cutAfter(Number.POSITIVE_INFINITY, 'after-commit');
    merchant.repeat();
  };

  const delivered = (): boolean => {
    const depth = current?.ledger()?.depth();
    return (
      floor.waitingSales() === 0 &&
      !desk.busy() &&
      depth !== undefined &&
      depth.streams.every(({ pendingRows }) => pendingRows === 0) &&
      current?.ledger()?.peekInherited({ maxRows: 1, maxBytes: 1 }).length === 0 &&
      oracle.pricesAgree()
    );
  };

  return {
    async run() {
      for (const fault of faults) scheduler.after(fault.atMs, () => strike(fault));
      start();
      floor.open(closesMs);
      desk.open(closesMs);
      if (prices) merchant.open(closesMs);
      await scheduler.runUntil(closesMs + 20_000);
      mend();
      // Two minutes of calm first: what lies on the shelves must have been told.
      await scheduler.runUntil(scheduler.nowMs + 150_000);
      await scheduler.runUntil(scheduler.nowMs + MENDED_FOR_MS, delivered);
      const violations = [...failures];
      const left = current?.ledger() ?? null;
      if (!delivered()) violations.push(`not delivered in the end: ${JSON.stringify(left?.depth().streams)}`);
      const ends = new Map<string, ReadonlyMap<Stream, number>>();
      if (left !== null) ends.set(left.epoch, new Map(left.depth().streams.map(({ stream, last }) => [stream, last])));
      violations.push(...oracle.judge(ends, terminal.book));
      const audit = left === null || !prices ? null : auditFault(left, current?.host ?? null);
      if (audit !== null) violations.push(audit);
      if (scheduler.mostStepsInASecond > STEPS_IN_A_SECOND)
        violations.push(`the agent wakes itself without end: ${scheduler.mostStepsInASecond} steps in one second`);
      nextDownMs = Number.POSITIVE_INFINITY;
      current?.life.end();
      disk[Symbol.dispose]();
      return {
        seed,
        hash: trace.hash(),
        violations,
        scans: oracle.scans.length,
        sales: oracle.sales.length,
        payments: oracle.payments.told.length,
        received: oracle.received,
        duplicates: oracle.duplicates,
        lives,
        epochs: oracle.epochs,
        steps: scheduler.steps,
        mostStepsInASecond: scheduler.mostStepsInASecond,
        faults,
        tail: trace.tail(),
      };
    },
  };
}
