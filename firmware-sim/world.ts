import type { Stream } from '../drivers/api/reading.ts';
import { loadPricing } from '../agent/open-pricing.ts';
// The agent loads these when a kit has prices. Loaded already, they take no time that is not simulated.
import '../agent/pricing/bundle/sign.ts';
import '../agent/pricing/runtime.ts';
import { checkout } from './world/checkout.ts';
import { auditFault } from './world/auditor.ts';
import type { ScratchDisk } from './world/damage.ts';
import { damagePlan, faultPlan, type Fault } from './world/fault-plan.ts';
import { machineClock, makeLife } from './world/life.ts';
import { told, type Lie } from './world/lies.ts';
import { makeLives } from './world/lives.ts';
import { makeMerchant } from './world/merchant.ts';
import { makeOracle } from './world/oracle.ts';
import { quietLog } from './world/quiet-log.ts';
import { makeScheduler, type Settle } from './world/scheduler.ts';
import { seededChance } from './world/seeded-chance.ts';
import { shopFloor } from './world/shop-floor.ts';
import { simBroker } from './world/sim-broker.ts';
import { simDisk } from './world/sim-disk.ts';
import { simPort } from './world/sim-port.ts';
import { simRadio } from './world/sim-radio.ts';
import { simTerminal } from './world/sim-terminal.ts';
import { makeTrace } from './world/trace.ts';
import { makeTrouble } from './world/trouble.ts';
import { KIT, worldConfig } from './world/world-config.ts';
import { worldHost } from './world/world-host.ts';

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
  const radio = simRadio(scheduler, () => lives.host?.clock.monoMs() ?? 0);
  const faults = options.faults ?? [
    ...faultPlan(root, closesMs),
    ...(prices ? damagePlan(part('card'), closesMs) : []),
  ];
  const scratch = faults.some(({ kind }) => kind === 'file-damaged') ? options.scratch() : undefined;
  const disk = simDisk({
    died: (point) => lives.die(point, lives.nextDownMs),
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

  const lives = makeLives({
    scheduler,
    trace,
    disk,
    broker,
    config,
    host(life, number) {
      const log = quietLog((event, fields) => trace.note('log', `${event} ${JSON.stringify(fields)}`));
      return worldHost(
        { clock, disk, broker, port, radio, terminal, log, merchantKey: merchant.publicKey },
        life,
        part(`life-${number}`),
      );
    },
    opened: (epoch) => oracle.opened(epoch),
    damaged: () => trouble.damages > 0,
    failed: (why) => failures.push(why),
  });
  const trouble = makeTrouble({ scheduler, trace, oracle, lives, clock, broker, disk, port, terminal, scratch });

  const floor = shopFloor({
    scheduler,
    chance: part('shop'),
    oracle,
    port,
    radio,
    trace,
    api: () => lives.host?.api ?? null,
    safetyEpoch: () => lives.died,
    wellSpell: () => (disk.failing === null && lives.ledger() !== null ? trouble.spells : null),
  });

  const desk = checkout({
    scheduler,
    chance: part('cashier'),
    terminal,
    truth: oracle.payments,
    trace,
    api: () => lives.host?.api ?? null,
  });

  const delivered = (): boolean => {
    const ledger = lives.ledger();
    const depth = ledger?.depth();
    return (
      floor.waitingSales() === 0 &&
      !desk.busy() &&
      depth !== undefined &&
      depth.streams.every(({ pendingRows }) => pendingRows === 0) &&
      ledger?.peekInherited({ maxRows: 1, maxBytes: 1 }).length === 0 &&
      oracle.pricesAgree()
    );
  };

  return {
    async run() {
      for (const fault of faults) scheduler.after(fault.atMs, () => trouble.strike(fault));
      lives.start();
      floor.open(closesMs);
      desk.open(closesMs);
      if (prices) merchant.open(closesMs);
      await scheduler.runUntil(closesMs + 20_000);
      trouble.mend();
      merchant.repeat();
      // Two minutes of calm first: what lies on the shelves must have been told.
      await scheduler.runUntil(scheduler.nowMs + 150_000);
      await scheduler.runUntil(scheduler.nowMs + MENDED_FOR_MS, delivered);
      const violations = [...failures];
      const left = lives.ledger();
      if (!delivered()) violations.push(`not delivered in the end: ${JSON.stringify(left?.depth().streams)}`);
      const ends = new Map<string, ReadonlyMap<Stream, number>>();
      if (left !== null) ends.set(left.epoch, new Map(left.depth().streams.map(({ stream, last }) => [stream, last])));
      violations.push(...oracle.judge(ends, terminal.book));
      const audit = left === null || !prices ? null : auditFault(left, lives.host);
      if (audit !== null) violations.push(audit);
      if (scheduler.mostStepsInASecond > STEPS_IN_A_SECOND)
        violations.push(`the agent wakes itself without end: ${scheduler.mostStepsInASecond} steps in one second`);
      lives.nextDownMs = Number.POSITIVE_INFINITY;
      lives.end();
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
        lives: lives.started,
        epochs: oracle.epochs,
        steps: scheduler.steps,
        mostStepsInASecond: scheduler.mostStepsInASecond,
        faults,
        tail: trace.tail(),
      };
    },
  };
}
