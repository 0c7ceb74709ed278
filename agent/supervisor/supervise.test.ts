import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { AgentError } from '../../drivers/api/agent-error.ts';
import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { Driver, DriverIo, DriverSession } from '../../drivers/api/driver.ts';
import type { JsonObject, Reading } from '../../drivers/api/reading.ts';
import { fakeWorld, seededChance } from '../contract/fake-world.ts';
import type { PendingEvent } from '../core/event.ts';
import type { KitClock } from '../core/host.ts';
import { CLOSE_TIMEOUT_MS, RESTART, Supervisor } from './supervise.ts';

const gone = { sentence: 'The device is gone', hint: 'Plug it in' };

/** Time passes as fast as the microtasks; long sleeps are remembered. */
function hurriedClock(limitMs: number): KitClock & { readonly sleeps: number[] } {
  let now = 0;
  const sleeps: number[] = [];
  return {
    bootId: 'b',
    trust: () => 'synced',
    sleeps,
    wallMs: () => (1_700_000_000_000 + now) as WallMs,
    monoMs: () => now as MonoMs,
    async sleep(ms, signal) {
      signal.throwIfAborted();
      // The time-outs of open and close are longer than any wait between two tries, and never come to their end here.
      if (ms > RESTART.maxMs || ms === CLOSE_TIMEOUT_MS || now > limitMs)
        return new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true }),
        );
      sleeps.push(ms);
      now += ms;
      await Promise.resolve();
    },
  };
}

interface Bench {
  readonly supervisor: Supervisor;
  readonly events: PendingEvent[];
  readonly clock: ReturnType<typeof hurriedClock>;
  states(id: string): readonly string[];
}

function bench(limitMs = 600_000): Bench {
  const events: PendingEvent[] = [];
  const clock = hurriedClock(limitMs);
  const supervisor = new Supervisor({
    clock,
    chance: seededChance(1),
    log: fakeWorld({ driverId: 'x', seed: 1 }).io.log,
    io: (entry) => ({ ...fakeWorld({ driverId: entry.id, seed: 1 }).io, clock }),
    put: async (event) => {
      if (event !== null) events.push(event);
    },
  });
  const states = (id: string): readonly string[] =>
    events
      .filter(({ type, subject }) => type === 'barrow.driver.state.v1' && subject === id)
      .map(({ data }) => `${data['state'] as string} ${data['code'] as string | null}`);
  return { supervisor, events, clock, states };
}

function driver(open: (io: DriverIo, attempt: number) => Promise<DriverSession>): Driver {
  let attempt = 0;
  return {
    type: 'toy',
    emits: [
      { type: 'barrow.toy.v1', stream: 'scan', data: z.strictObject({ n: z.number() }) as z.ZodType<JsonObject> },
    ],
    errors: { gone },
    config: z.strictObject({}),
    open: async (_config, io) => {
      attempt += 1;
      return open(io, attempt);
    },
  };
}

function session(
  read: (signal: AbortSignal) => AsyncGenerator<Reading>,
  onClose: () => void = () => undefined,
): DriverSession {
  return { readings: read, [Symbol.asyncDispose]: async () => onClose() };
}

async function* untilStopped(signal: AbortSignal): AsyncGenerator<Reading> {
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

const entry = (
  id: string,
  made: Driver,
): { readonly id: string; readonly type: string; readonly driver: Driver; readonly config: unknown } => ({
  id,
  type: 'toy',
  driver: made,
  config: {},
});
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 2_000; turn += 1) await Promise.resolve();
};

describe('the supervisor', () => {
  test('opens a driver again with growing waits until its device is there', async () => {
    const { supervisor, states, clock } = bench();
    const late = driver(async (_io, attempt) => {
      if (attempt < 5) throw new AgentError('gone', gone);
      return session(untilStopped);
    });
    supervisor.start(entry('late', late));
    await settle();
    expect(states('late')).toEqual(['starting null', 'failed gone', 'ready null']);
    expect(
      clock.sleeps.map((ms, index) => ms <= RESTART.firstMs * 2 ** index && ms >= (RESTART.firstMs * 2 ** index) / 2),
    ).toEqual([true, true, true, true]);
    await supervisor.stopAll();
    expect(states('late').at(-1)).toBe('stopped null');
  });

  test('never lets one failing driver touch another', async () => {
    const { supervisor, states, events } = bench(60_000);
    const broken = driver(async () => {
      throw new TypeError('a bug');
    });
    let n = 0;
    const sound = driver(async (io) =>
      session(async function* (signal) {
        for (; n < 50; n += 1) yield { kind: 'event', type: 'barrow.toy.v1', atMono: io.clock.monoMs(), data: { n } };
        yield* untilStopped(signal);
      }),
    );
    supervisor.start(entry('broken', broken));
    supervisor.start(entry('sound', sound));
    await settle();
    expect(events.filter(({ type }) => type === 'barrow.toy.v1').length).toBe(50);
    expect(states('sound')).toEqual(['starting null', 'ready null']);
    expect(states('broken')).toEqual(['starting null', 'failed driver-bug']);
    await supervisor.stopAll();
  });

  test('drops and counts what a driver never declared, and says so', async () => {
    const { supervisor, states, events } = bench();
    const liar = driver(async (io) =>
      session(async function* (signal) {
        yield { kind: 'event', type: 'barrow.other.v1', atMono: io.clock.monoMs(), data: { n: 1 } };
        yield { kind: 'event', type: 'barrow.toy.v1', atMono: io.clock.monoMs(), data: { n: 'one' } };
        yield { kind: 'event', type: 'barrow.toy.v1', atMono: io.clock.monoMs(), data: { n: 1 } };
        yield* untilStopped(signal);
      }),
    );
    supervisor.start(entry('liar', liar));
    await settle();
    expect(events.filter(({ stream }) => stream === 'scan').length).toBe(1);
    expect(states('liar')).toContain('degraded driver-emission');
    await supervisor.stopAll();
  });

  test('closes the device of a session that failed before it opens the next', async () => {
    const { supervisor } = bench(5_000);
    let open = 0;
    let most = 0;
    const flaky = driver(async () => {
      open += 1;
      most = Math.max(most, open);
      return session(
        async function* () {
          yield* [];
          throw new AgentError('gone', gone);
        },
        () => {
          open -= 1;
        },
      );
    });
    supervisor.start(entry('flaky', flaky));
    await settle();
    await supervisor.stopAll();
    expect({ open, most }).toEqual({ open: 0, most: 1 });
    expect(supervisor.status()).toEqual([]);
  });

  test('starts again from the first wait after a session that held', async () => {
    const { supervisor, clock } = bench(200_000);
    const moody = driver(async (io, attempt) =>
      session(async function* (signal) {
        yield* [];
        if (attempt === 4) await io.clock.sleep(RESTART.stableMs - 1, signal);
        if (attempt === 4) await io.clock.sleep(1, signal);
        if (attempt > 5) yield* untilStopped(signal);
        else throw new AgentError('gone', gone);
      }),
    );
    supervisor.start(entry('moody', moody));
    await settle();
    const waits = clock.sleeps.filter((ms) => ms !== RESTART.stableMs - 1 && ms !== 1);
    expect(waits[2]).toBeGreaterThan(RESTART.firstMs);
    expect(waits[3]).toBeLessThanOrEqual(RESTART.firstMs);
    await supervisor.stopAll();
  });

  test('restarts one driver on request and refuses an id that it does not know', async () => {
    const { supervisor, states } = bench();
    supervisor.start(
      entry(
        'a',
        driver(async () => session(untilStopped)),
      ),
    );
    await settle();
    await supervisor.restart('a');
    await settle();
    expect(states('a')).toEqual(['starting null', 'ready null', 'stopped null', 'starting null', 'ready null']);
    await expect(supervisor.restart('b')).rejects.toMatchObject({ code: 'driver-unknown' });
    await supervisor.stopAll();
  });
});
