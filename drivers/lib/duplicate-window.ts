import type { MonoMs } from '../api/clock.ts';

export interface DuplicateWindowOptions {
  /** 0 lets everything through. */
  readonly windowMs: number;
  /** Different values remembered at once: 1 compares with the last reading only. */
  readonly remembered: number;
}

/** Tells a second reading of the same thing from a second thing. */
export interface DuplicateWindow {
  /** Whether the same value was seen less than the window ago; each sight, dropped or not, starts the window anew. */
  isDuplicate(value: string, atMono: MonoMs): boolean;
  /** Forgets what was seen, e.g. with a new connection. */
  clear(): void;
  readonly droppedCount: number;
}

export function duplicateWindow(options: DuplicateWindowOptions): DuplicateWindow {
  const { windowMs, remembered } = options;
  // In the order of the last sight, so that the first one is the one to forget.
  const seen = new Map<string, MonoMs>();
  let droppedCount = 0;
  return {
    get droppedCount() {
      return droppedCount;
    },
    isDuplicate(value, atMono) {
      const last = seen.get(value);
      const duplicate = last !== undefined && atMono - last < windowMs;
      seen.delete(value);
      seen.set(value, atMono);
      if (seen.size > remembered) {
        const oldest = seen.keys().next();
        if (oldest.done !== true) seen.delete(oldest.value);
      }
      if (duplicate) droppedCount += 1;
      return duplicate;
    },
    clear: () => seen.clear(),
  };
}
