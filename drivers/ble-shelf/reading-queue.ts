import type { Reading } from '../api/reading.ts';
import { untilWoken } from '../lib/until-woken.ts';

/** Readings that wait for the agent. A full queue holds its writers back: the radio then drops adverts, and counts them. */
export const WAITING_READINGS = 4_096;

export interface ReadingQueue {
  /** Resolves when the readings have found room, all of them in order. */
  put(readings: readonly Reading[], signal: AbortSignal): Promise<void>;
  take(signal: AbortSignal): AsyncGenerator<Reading, void, void>;
  /** The reader gets this error after what is waiting. */
  fail(error: unknown): void;
  readonly depth: number;
}

export function readingQueue(): ReadingQueue {
  let waiting: Reading[] = [];
  let failure: { readonly error: unknown } | undefined;
  let wakeReader: (() => void) | undefined;
  const writers = new Set<() => void>();

  return {
    put: async (readings, signal) => {
      while (waiting.length >= WAITING_READINGS && !signal.aborted)
        await untilWoken((wake) => writers.add(wake), signal);
      if (signal.aborted) return;
      waiting.push(...readings);
      wakeReader?.();
    },
    fail: (error) => {
      failure = { error };
      wakeReader?.();
    },
    get depth() {
      return waiting.length;
    },
    async *take(signal) {
      while (!signal.aborted) {
        const batch = waiting;
        waiting = [];
        for (const wake of writers) wake();
        writers.clear();
        yield* batch;
        if (waiting.length > 0) continue;
        if (failure !== undefined) throw failure.error;
        await untilWoken((wake) => {
          wakeReader = wake;
        }, signal);
        wakeReader = undefined;
      }
    },
  };
}
