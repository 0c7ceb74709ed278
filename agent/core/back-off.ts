import type { Chance } from '../../drivers/api/clock.ts';

export interface BackOffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** How long a success must hold before the next failure starts from `firstMs` again. */
  readonly stableMs: number;
}

/** Exponential back-off with full upper-half jitter: thousands of kits that lost one broker do not come back in step. */
export class BackOff {
  readonly #options: BackOffOptions;
  readonly #chance: Chance;
  #failures = 0;

  constructor(options: BackOffOptions, chance: Chance) {
    this.#options = options;
    this.#chance = chance;
  }

  /** Failures since the last stable success. */
  get failures(): number {
    return this.#failures;
  }

  /** The wait before the next try, ms; `heldMs` is how long the last success held, 0 for none. */
  nextMs(heldMs: number): number {
    if (heldMs >= this.#options.stableMs) this.#failures = 0;
    const ceiling = Math.min(this.#options.maxMs, this.#options.firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return ceiling / 2 + (ceiling / 2) * this.#chance.float();
  }
}
