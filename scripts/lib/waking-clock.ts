import { HandClock } from '../../agent/clock/testing/hand-clock.ts';

/** A clock that stands still until it is moved. Sleepers wake when it passes them. */
export class WakingClock extends HandClock {
  readonly #sleepers = new Set<{ readonly at: number; wake(): void }>();

  constructor() {
    super('2026-11-27T10:15:30.123Z', 1_000);
  }
  override pass(ms: number): void {
    super.pass(ms);
    for (const sleeper of this.#sleepers)
      if (sleeper.at <= this.mono) {
        this.#sleepers.delete(sleeper);
        sleeper.wake();
      }
  }
  override sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const over = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason as Error);
      };
      const sleeper = {
        at: this.mono + ms,
        wake: () => {
          signal.removeEventListener('abort', over);
          resolve();
        },
      };
      if (signal.aborted) over();
      else {
        this.#sleepers.add(sleeper);
        signal.addEventListener('abort', over, { once: true });
      }
    });
  }
}
