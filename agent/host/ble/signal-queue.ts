import type { RadioSignal } from '../../../drivers/api/transports.ts';

/** Signals that wait for their reader; beyond it the oldest adverts are dropped and counted, health never is. */
export const WAITING_SIGNALS = 8_192;

export interface SignalQueue {
  push(signal: RadioSignal): void;
  /** Signals in order until the signal fires or the queue ends. One reader. */
  take(signal: AbortSignal): AsyncGenerator<RadioSignal, void, void>;
  end(): void;
  readonly dropped: number;
}

export function signalQueue(): SignalQueue {
  let waiting: RadioSignal[] = [];
  let head = 0;
  let dropped = 0;
  let ended = false;
  let wake: (() => void) | undefined;

  const makeRoom = (): void => {
    while (waiting.length - head > WAITING_SIGNALS) {
      const oldest = waiting.findIndex((entry, index) => index >= head && entry.kind === 'advert');
      if (oldest === head) head += 1;
      else waiting.splice(oldest < 0 ? head : oldest, 1);
      dropped += 1;
    }
  };

  return {
    push: (entry) => {
      if (ended) return;
      waiting.push(entry);
      makeRoom();
      wake?.();
    },
    end: () => {
      ended = true;
      wake?.();
    },
    get dropped() {
      return dropped;
    },
    async *take(signal) {
      const onAbort = (): void => wake?.();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        for (;;) {
          while (head < waiting.length && !signal.aborted) {
            const entry = waiting[head];
            head += 1;
            // Shifting an array of thousands at every step would cost more than the adverts themselves.
            if (head > 1_024 && head * 2 > waiting.length) {
              waiting = waiting.slice(head);
              head = 0;
            }
            if (entry !== undefined) yield entry;
          }
          if (ended || signal.aborted) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          wake = undefined;
        }
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
  };
}
