import type { Advertisement } from '../../../drivers/api/transports.ts';
import { BATCHES_UNDER_WAY, BATCH_ADVERTS, BATCH_MS, WAITING_ADVERTS } from './radio-wire.ts';

/** Adverts on their way to the agent: gathered for a few milliseconds, never more under way than it has taken. */
export interface AdvertBatches {
  add(advert: Advertisement): void;
  /** The agent took one batch. */
  taken(): void;
  /** Oldest adverts that gave way to newer ones. */
  readonly dropped: number;
}

export function advertBatches(send: (adverts: readonly Advertisement[]) => void): AdvertBatches {
  let waiting: Advertisement[] = [];
  /** Adverts before it are gone: shifting an array of thousands for each new one would cost more than the advert. */
  let head = 0;
  let dropped = 0;
  let underWay = 0;
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    timer = undefined;
    while (waiting.length > head && underWay < BATCHES_UNDER_WAY) {
      underWay += 1;
      send(waiting.slice(head, head + BATCH_ADVERTS));
      head += BATCH_ADVERTS;
    }
    waiting = waiting.slice(head);
    head = 0;
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
      timer ??= setTimeout(flush, BATCH_MS);
    },
    taken: () => {
      underWay = Math.max(0, underWay - 1);
      if (waiting.length > head) timer ??= setTimeout(flush, BATCH_MS);
    },
    get dropped() {
      return dropped;
    },
  };
}
