import type { MonoMs } from '../drivers/api/clock.ts';

/** The window over which arrivals are counted. */
const WINDOW_MS = 1_000;

/** How many come per second, from what has come lately. */
export interface ArrivalRate {
  /** One came; the rate with it, per second. */
  count(nowMono: MonoMs): number;
}

/**
 * A window that slides over two counters: what came in this second, and of the second before the share that the window
 * still covers. It keeps two numbers whatever the rate, and after a pause of two seconds it is back at nothing.
 */
export function arrivalRate(): ArrivalRate {
  let startMono = Number.NEGATIVE_INFINITY;
  let current = 0;
  let before = 0;
  return {
    count: (nowMono) => {
      const windows = Math.floor((nowMono - startMono) / WINDOW_MS);
      if (windows >= 1) {
        before = windows === 1 ? current : 0;
        current = 0;
        startMono = windows === 1 ? startMono + WINDOW_MS : nowMono;
      }
      current += 1;
      return ((current + before * (1 - (nowMono - startMono) / WINDOW_MS)) * 1_000) / WINDOW_MS;
    },
  };
}
