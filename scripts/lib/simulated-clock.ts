import { setImmediate as macrotask } from 'node:timers/promises';
import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { ClockTrust } from '../../agent/core/event.ts';
import type { KitClock } from '../../agent/core/host.ts';

interface Sleeper {
  readonly due: number;
  readonly order: number;
  wake(): void;
}

/** A clock for tests of one room: time passes only when told, and whoever sleeps wakes in order. */
export interface SimulatedClock extends KitClock {
  /** Lets `ms` pass, waking sleepers one by one and letting each finish what it started. */
  pass(ms: number): Promise<void>;
  /** Calls back after `ms` of simulated time. */
  after(ms: number, then: () => void): void;
}

export function simulatedClock(startWallMs: number = Date.UTC(2026, 10, 27, 9)): SimulatedClock {
  const sleepers = new Set<Sleeper>();
  let now = 1_000;
  let order = 0;
  const add = (ms: number, wake: () => void): Sleeper => {
    const sleeper: Sleeper = { due: now + Math.max(0, ms), order: (order += 1), wake };
    sleepers.add(sleeper);
    return sleeper;
  };
  const next = (until: number): Sleeper | null => {
    let first: Sleeper | null = null;
    for (const one of sleepers)
      if (
        one.due <= until &&
        (first === null || one.due < first.due || (one.due === first.due && one.order < first.order))
      )
        first = one;
    return first;
  };
  return {
    bootId: 'simulated',
    monoMs: () => now as MonoMs,
    wallMs: () => Math.floor(startWallMs + now) as WallMs,
    trust: (): ClockTrust => 'synced',
    after: (ms, then) => void add(ms, then),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason as Error);
          return;
        }
        const onAbort = (): void => {
          sleepers.delete(sleeper);
          reject(signal.reason as Error);
        };
        const sleeper = add(ms, () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        });
        signal.addEventListener('abort', onAbort, { once: true });
      }),
    pass: async (ms) => {
      const until = now + ms;
      await macrotask();
      for (let one = next(until); one !== null; one = next(until)) {
        sleepers.delete(one);
        now = Math.max(now, one.due);
        one.wake();
        await macrotask();
      }
      now = until;
    },
  };
}

/** Chance from a seed: one seed, one run (mulberry32). */
export function seededChance(seed: number): { float(): number; bytes(length: number): Uint8Array } {
  let state = seed >>> 0;
  const float = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { float, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(float() * 256)) };
}
