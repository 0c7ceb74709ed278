import type { Clock, MonoMs } from '../../drivers/api/clock.ts';

/** Calls back at the earliest time that was asked for. Asking for a later one while an earlier is set changes nothing. */
export interface Alarm {
  at(due: MonoMs): void;
  stop(): void;
}

export function makeAlarm(clock: Clock, ring: () => void): Alarm {
  let due = Number.POSITIVE_INFINITY;
  let sleeping: AbortController | null = null;
  const stop = (): void => {
    sleeping?.abort(new Error('alarm set anew'));
    sleeping = null;
    due = Number.POSITIVE_INFINITY;
  };
  return {
    at: (wanted) => {
      if (wanted >= due) return;
      stop();
      due = wanted;
      const mine = new AbortController();
      sleeping = mine;
      clock.sleep(Math.max(0, wanted - clock.monoMs()), mine.signal).then(
        () => {
          if (sleeping !== mine) return;
          sleeping = null;
          due = Number.POSITIVE_INFINITY;
          ring();
        },
        () => undefined,
      );
    },
    stop,
  };
}
