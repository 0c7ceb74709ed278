/** Milliseconds since 1970-01-01 UTC as the kit believes them: an annotation, never an order. */
export type WallMs = number & { readonly __brand: 'WallMs' };

/** Milliseconds since the machine booted, never set back: the order of things within one boot. */
export type MonoMs = number & { readonly __brand: 'MonoMs' };

/** Time as an argument: the daemon passes the machine's clock, the deterministic world a simulated one. */
export interface Clock {
  wallMs(): WallMs;
  monoMs(): MonoMs;
  /** Resolves after `ms`; rejects with `signal.reason` when the signal is aborted first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Chance as an argument, so that one seed is one trace. */
export interface Chance {
  /** Uniform in [0, 1). */
  float(): number;
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
}
