import type { Clock } from '../api/clock.ts';

/** A terminal waits for each answer before it goes on; more than this waiting is a fault of the line. */
export const MAILBOX_ITEMS = 64;

/** Things to be handled one after the other by one reader. */
export interface Mailbox<T> {
  /** False when {@link MAILBOX_ITEMS} wait already: the item is not taken, unless it must not be lost. */
  push(item: T, must?: 'must'): boolean;
  /** The next item; `undefined` after `timeoutMs`. Rejects with the signal's reason. One caller at a time. */
  next(timeoutMs: number, signal: AbortSignal): Promise<T | undefined>;
}

/** A mailbox whose patience is measured with the given clock. */
export function createMailbox<T>(clock: Clock): Mailbox<T> {
  const items: T[] = [];
  let wake: (() => void) | undefined;

  const arrival = async (timeoutMs: number, signal: AbortSignal): Promise<void> => {
    const timer = timerOf(signal);
    const arrived = new Promise<void>((resolve) => {
      wake = resolve;
    });
    try {
      await Promise.race([arrived, patience(clock, timeoutMs, timer.signal)]);
    } finally {
      wake = undefined;
      timer.end();
    }
  };

  return {
    push(item, must) {
      if (items.length >= MAILBOX_ITEMS && must === undefined) return false;
      items.push(item);
      wake?.();
      return true;
    },
    async next(timeoutMs, signal) {
      signal.throwIfAborted();
      if (items.length === 0 && timeoutMs > 0) await arrival(timeoutMs, signal);
      signal.throwIfAborted();
      return items.shift();
    },
  };
}

/** A signal that its user can end as well as its parent; the parent keeps no trace of it afterwards. */
export function timerOf(parent: AbortSignal): { readonly signal: AbortSignal; end(): void } {
  const own = new AbortController();
  const forward = (): void => own.abort(parent.reason);
  parent.addEventListener('abort', forward, { once: true });
  if (parent.aborted) forward();
  return {
    signal: own.signal,
    end() {
      parent.removeEventListener('abort', forward);
      own.abort();
    },
  };
}

/** Resolves after `ms` or when the signal fires: the caller looks at the signal itself. */
export async function patience(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
