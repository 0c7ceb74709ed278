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
  let dropped = 0;
  let underWay = 0;
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    timer = undefined;
    while (waiting.length > 0 && underWay < BATCHES_UNDER_WAY) {
      underWay += 1;
      send(waiting.slice(0, BATCH_ADVERTS));
      waiting = waiting.slice(BATCH_ADVERTS);
    }
  };

  return {
    add: (advert) => {
      waiting.push(advert);
      if (waiting.length > WAITING_ADVERTS) {
        const surplus = waiting.length - WAITING_ADVERTS;
        waiting = waiting.slice(surplus);
        dropped += surplus;
      }
      timer ??= setTimeout(flush, BATCH_MS);
    },
    taken: () => {
      underWay = Math.max(0, underWay - 1);
      if (waiting.length > 0) timer ??= setTimeout(flush, BATCH_MS);
    },
    get dropped() {
      return dropped;
    },
  };
}
