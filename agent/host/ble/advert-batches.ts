import type { Advertisement } from '../../../drivers/api/transports.ts';
import { BATCHES_UNDER_WAY, BATCH_ADVERTS, BATCH_MS, WAITING_ADVERTS } from './radio-wire.ts';

/**
 * Adverts on their way to the agent. One after a pause goes at once; those that follow are gathered until the last
 * message is {@link BATCH_MS} old. Never are more messages under way than the agent has room for.
 */
export interface AdvertBatches {
  add(advert: Advertisement): void;
  /** The agent took one batch. */
  taken(): void;
  /** Oldest adverts that gave way to newer ones. */
  readonly dropped: number;
}

/** The time by which batches are paced. */
export interface BatchPace {
  nowMs(): number;
  after(ms: number, run: () => void): void;
}

const realPace: BatchPace = {
  nowMs: () => performance.now(),
  after: (ms, run) => void setTimeout(run, ms),
};

export function advertBatches(
  send: (adverts: readonly Advertisement[]) => void,
  pace: BatchPace = realPace,
): AdvertBatches {
  let waiting: Advertisement[] = [];
  /** Adverts before it are gone: shifting an array of thousands for each new one would cost more than the advert. */
  let head = 0;
  let dropped = 0;
  let underWay = 0;
  let sentMs = Number.NEGATIVE_INFINITY;
  let timed = false;

  const flush = (): void => {
    while (waiting.length > head && underWay < BATCHES_UNDER_WAY) {
      underWay += 1;
      sentMs = pace.nowMs();
      send(waiting.slice(head, head + BATCH_ADVERTS));
      head += BATCH_ADVERTS;
    }
    waiting = waiting.slice(head);
    head = 0;
  };

  const flushInTime = (): void => {
    if (timed || underWay >= BATCHES_UNDER_WAY) return;
    const waitMs = sentMs + BATCH_MS - pace.nowMs();
    if (waitMs <= 0) {
      flush();
      return;
    }
    timed = true;
    pace.after(waitMs, () => {
      timed = false;
      flush();
    });
  };

  return {
    add: (advert) => {
      waiting.push(advert);
      if (waiting.length - head > WAITING_ADVERTS) {
        head += 1;
        dropped += 1;
      }
      if (head > WAITING_ADVERTS) {
        waiting = waiting.slice(head);
        head = 0;
      }
      flushInTime();
    },
    taken: () => {
      underWay = Math.max(0, underWay - 1);
      if (waiting.length > head) flushInTime();
    },
    get dropped() {
      return dropped;
    },
  };
}
