/**
 * Word from one room to another that there is something to look at. A raise that nobody waits for is kept (once), so
 * none is missed between two waits.
 */
export interface Pulse {
  raise(): void;
  /** Resolves at the next raise, or at once when one is kept; resolves too when the signal fires. One waiter at a time. */
  wait(signal: AbortSignal): Promise<void>;
}

export function makePulse(): Pulse {
  let raised = false;
  let release: (() => void) | null = null;
  return {
    raise: () => {
      if (release === null) raised = true;
      else release();
    },
    wait: (signal) => {
      if (raised || signal.aborted) {
        raised = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        const done = (): void => {
          release = null;
          signal.removeEventListener('abort', done);
          resolve();
        };
        release = done;
        signal.addEventListener('abort', done, { once: true });
      });
    },
  };
}
