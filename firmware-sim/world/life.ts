import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { ClockTrust } from '../../agent/core/event.ts';
import type { KitClock } from '../../agent/core/host.ts';
import type { Scheduler } from './scheduler.ts';

/**
 * One run of the agent's process. A crash does not throw: from one step to the next nothing of the process reaches the
 * world any more, and nothing that it waits for ever comes. That is what a process sees of its own death.
 */
export interface Life {
  readonly alive: boolean;
  /** Ends it; what it did up to here stays. */
  end(): void;
  /** A promise of the outside world: never settles once the process is dead. */
  outside<T>(promise: Promise<T>): Promise<T>;
}

export function makeLife(): Life {
  let alive = true;
  return {
    get alive() {
      return alive;
    },
    end() {
      alive = false;
    },
    outside: (promise) =>
      new Promise((resolve, reject) => {
        void promise.then(
          (value) => {
            if (alive) resolve(value);
          },
          (error: unknown) => {
            if (alive) reject(error);
          },
        );
      }),
  };
}

/** The machine's clocks: monotonic since boot, wall time that may be set wrong, jump, and become trusted. */
export interface MachineClock {
  /** A new boot: monotonic time begins anew. */
  boot(): void;
  jump(byMs: number): void;
  trust: ClockTrust;
  /** The clock as one process sees it. */
  forLife(life: Life): KitClock;
}

export interface MachineClockOptions {
  readonly scheduler: Scheduler;
  /** Wall time at the beginning of the world. */
  readonly startWallMs: number;
  readonly bootId: (boot: number) => string;
}

export function machineClock(options: MachineClockOptions): MachineClock {
  const { scheduler } = options;
  let boots = 1;
  let bootedAtMs = scheduler.nowMs - 20_000;
  let wallOffsetMs = options.startWallMs - scheduler.nowMs;
  const clock: MachineClock = {
    trust: 'synced',
    boot() {
      boots += 1;
      bootedAtMs = scheduler.nowMs - 5_000;
    },
    jump(byMs) {
      wallOffsetMs += byMs;
    },
    forLife(life) {
      const bootId = options.bootId(boots);
      const base = bootedAtMs;
      return {
        bootId,
        monoMs: () => (scheduler.nowMs - base) as MonoMs,
        wallMs: () => (scheduler.nowMs + wallOffsetMs) as WallMs,
        trust: () => clock.trust,
        sleep: (ms, signal) => sleep(scheduler, life, ms, signal),
      };
    },
  };
  return clock;
}

function sleep(scheduler: Scheduler, life: Life, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal.reason as Error);
    };
    // A timer of the real host never fires in the same millisecond either.
    const cancel = scheduler.after(Math.max(1, ms), () => {
      signal.removeEventListener('abort', onAbort);
      if (life.alive) resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
