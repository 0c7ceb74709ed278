import type { MonoMs } from '../../drivers/api/clock.ts';

/** At most `perS` a second, with a burst of one second's worth. */
export interface TokenBucket {
  /** Takes `amount` (at most one burst at a time) or says how many milliseconds are missing. */
  take(amount: number, now: MonoMs): number;
}

export function makeTokenBucket(perS: number, start: MonoMs): TokenBucket {
  let level = perS;
  let at: number = start;
  return {
    take: (amount, now) => {
      level = Math.min(perS, level + ((now - at) * perS) / 1_000);
      at = now;
      const wanted = Math.min(amount, perS);
      // Sums of fractions may miss a whole token by a hair.
      if (level + 1e-6 >= wanted) {
        level -= wanted;
        return 0;
      }
      return ((wanted - level) * 1_000) / perS;
    },
  };
}
