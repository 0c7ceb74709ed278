import { AgentError } from '../../drivers/api/agent-error.ts';
import type { Driver } from '../../drivers/api/driver.ts';
import type { Reading } from '../../drivers/api/reading.ts';
import { fakeWorld, type FakeWorld } from './fake-world.ts';

/** Readings taken from one session before it is closed. */
const MAX_READINGS = 2_000;
/** Turns of the event loop in which a session must have said all that it has to say. */
const MAX_TURNS = 20_000;

/** One promise that a driver makes, kept or broken. */
export interface Promised {
  readonly name: string;
  /** `null` when kept, else what went wrong. */
  readonly broken: string | null;
}

/** Asks a driver for its promises in a world that speaks garbage: the suite that every family meets, in the tree or out of it. */
export async function askPromises(driver: Driver, seed: number): Promise<readonly Promised[]> {
  const config = driver.config.safeParse(driver.example);
  if (!config.success)
    return [
      {
        name: 'shows an example of its configuration that it accepts',
        broken: config.error.issues[0]?.message ?? 'no example',
      },
    ];
  const unknownKey = driver.config.safeParse({ ...driver.example, noSuchSetting: 1 });
  const kept: Promised[] = [
    { name: 'shows an example of its configuration that it accepts', broken: null },
    {
      name: 'refuses settings that it does not know',
      broken: unknownKey.success ? 'an unknown key was accepted' : null,
    },
    {
      name: 'declares each event type once',
      broken:
        new Set(driver.emits.map((emission) => emission.type)).size === driver.emits.length
          ? null
          : 'a type stands twice',
    },
  ];
  for (const life of [1, 2]) {
    const world = fakeWorld({ driverId: 'd1', seed: seed + life });
    const outcome = await liveOnce(driver, config.data, world);
    const which = life === 1 ? '' : ' again';
    kept.push({ name: `opens${which} and survives garbage`, broken: outcome.crash });
    kept.push({ name: `emits${which} only what it declares`, broken: outcome.undeclared });
    kept.push({
      name: `closes${which} every transport`,
      broken: world.open() === 0 ? null : `${world.open()} of ${world.opened()} left open`,
    });
  }
  kept.push(await absentDevice(driver, config.data, seed));
  return kept;
}

async function liveOnce(
  driver: Driver,
  config: unknown,
  world: FakeWorld,
): Promise<{ readonly crash: string | null; readonly undeclared: string | null }> {
  const stop = new AbortController();
  let crash: string | null = null;
  let undeclared: string | null = null;
  try {
    const session = await driver.open(config, world.io, stop.signal);
    try {
      const reading = consume(session.readings(stop.signal), (next) => {
        undeclared ??= faultOf(driver, next);
      });
      await turns(MAX_TURNS);
      stop.abort(new Error('closed'));
      await reading;
    } finally {
      await session[Symbol.asyncDispose]();
    }
  } catch (error) {
    if (!stop.signal.aborted && !(error instanceof AgentError))
      crash = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  return { crash, undeclared };
}

async function consume(readings: AsyncIterable<Reading>, take: (reading: Reading) => void): Promise<void> {
  let taken = 0;
  for await (const reading of readings) {
    take(reading);
    taken += 1;
    if (taken >= MAX_READINGS) return;
  }
}

function faultOf(driver: Driver, reading: Reading): string | null {
  if (reading.kind !== 'event') return null;
  const emission = driver.emits.find((candidate) => candidate.type === reading.type);
  if (emission === undefined) return `${reading.type} is not declared`;
  const checked = emission.data.safeParse(reading.data);
  return checked.success
    ? null
    : `${reading.type}: ${checked.error.issues[0]?.path.join('.')}: ${checked.error.issues[0]?.message}`;
}

/** An absent device is the world's fault: an AgentError or a state, never a crash and never a silent success. */
async function absentDevice(driver: Driver, config: unknown, seed: number): Promise<Promised> {
  const name = 'says so when its device is absent';
  const world = fakeWorld({ driverId: 'd1', seed, absent: true });
  const stop = new AbortController();
  const states: string[] = [];
  try {
    const session = await driver.open(config, world.io, stop.signal);
    const reading = consume(session.readings(stop.signal), (next) => {
      if (next.kind === 'state') states.push(next.state);
    });
    await turns(MAX_TURNS);
    stop.abort(new Error('closed'));
    try {
      await reading;
    } finally {
      await session[Symbol.asyncDispose]();
    }
  } catch (error) {
    if (error instanceof AgentError) return { name, broken: null };
    if (!stop.signal.aborted) return { name, broken: error instanceof Error ? error.message : String(error) };
  }
  return {
    name,
    broken: states.some((state) => state === 'failed' || state === 'degraded' || state === 'silent')
      ? null
      : 'neither an error nor a state',
  };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}
