/**
 * Starts a call with a callback and settles with it, or with the first signal that fires. `AbortSignal.any` would leave
 * a reference behind at each long-lived signal for every call; listeners are taken off again.
 */
export function settle(
  signals: readonly AbortSignal[],
  start: (done: (error?: Error | null) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      for (const signal of signals) signal.removeEventListener('abort', aborted);
    };
    const aborted = (): void => {
      leave();
      reject(signals.find((signal) => signal.aborted)?.reason as Error);
    };
    if (signals.some((signal) => signal.aborted)) {
      aborted();
      return;
    }
    for (const signal of signals) signal.addEventListener('abort', aborted, { once: true });
    start((error) => {
      leave();
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}
