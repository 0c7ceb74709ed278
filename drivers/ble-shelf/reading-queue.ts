import type { Reading } from '../api/reading.ts';

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

  const turn = (set: (wake: () => void) => void, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
      set(wake);
    });

  return {
    put: async (readings, signal) => {
      while (waiting.length >= WAITING_READINGS && !signal.aborted) await turn((wake) => writers.add(wake), signal);
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
        await turn((wake) => {
          wakeReader = wake;
        }, signal);
        wakeReader = undefined;
      }
    },
  };
}
