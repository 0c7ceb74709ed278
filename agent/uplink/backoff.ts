import type { Chance } from '../../drivers/api/clock.ts';
import type { DisconnectPolicy } from './reason-codes.ts';

export const FIRST_PAUSE_MS = 500;
export const LONGEST_PAUSE_MS = 60_000;

/** A connection that held this long was a good one: the next break starts from the first pause again. */
export const STABLE_MS = 30_000;

/** The step at which `slow` begins: 8 s. */
const SLOW_STEP = 4;
const LAST_STEP = 7;

/** Pauses between connections. Kits that lose one broker together must not come back together, hence the jitter. */
export interface Backoff {
  /** The connection that just ended, or failed to begin, had lived this long. Returns the pause before the next. */
  pauseMs(policy: DisconnectPolicy, livedMs: number): number;
}

/** Exponential with jitter in [½, 1) of each step; without end, and reset only by a connection that was stable. */
export function makeBackoff(chance: Chance): Backoff {
  let step = 0;
  return {
    pauseMs: (policy, livedMs) => {
      if (livedMs >= STABLE_MS) step = 0;
      if (policy === 'slow') step = Math.max(step, SLOW_STEP);
      if (policy === 'alarm') step = LAST_STEP;
      const full = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** step);
      step = Math.min(LAST_STEP, step + 1);
      return full * (0.5 + chance.float() / 2);
    },
  };
}
