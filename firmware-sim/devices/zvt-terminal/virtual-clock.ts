import type { Clock, MonoMs, WallMs } from '../../../drivers/api/clock.ts';

interface Sleeper {
  readonly atMs: number;
  readonly order: number;
  wake(): void;
}

/** Time that stands still until it is moved: one seed is one history. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  #sleepers: Sleeper[] = [];
  readonly #quiet: () => Promise<void>;

  /** `quiet` resolves when everything has gone on that can without time: a turn of the event loop does. */
  constructor(quiet: () => Promise<void>) {
    this.#quiet = quiet;
  }

  monoMs(): MonoMs {
    return this.#nowMs as MonoMs;
  }

  wallMs(): WallMs {
    return (Date.UTC(2026, 10, 27, 9) + this.#nowMs) as WallMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      const sleeper: Sleeper = {
        atMs: this.#nowMs + Math.max(0, ms),
        order: this.#order++,
        wake: () => {
          signal.removeEventListener('abort', cancel);
          resolve();
        },
      };
      if (signal.aborted) return cancel();
      this.#sleepers.push(sleeper);
      signal.addEventListener('abort', cancel, { once: true });
    });
  }

  /** Moves time from sleeper to sleeper until `done`; false when `limitMs` passed first. */
  async until(done: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.#nowMs + limitMs;
    for (;;) {
      await this.#quiet();
      if (done()) return true;
      const next = this.#earliest();
      if (next === undefined || next.atMs > endMs) {
        this.#nowMs = endMs;
        return done();
      }
      this.#sleepers = this.#sleepers.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
    }
  }

  #earliest(): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers)
      if (
        first === undefined ||
        sleeper.atMs < first.atMs ||
        (sleeper.atMs === first.atMs && sleeper.order < first.order)
      )
        first = sleeper;
    return first;
  }
}
