import type { MonoMs } from '../api/clock.ts';
import type { DriverIo } from '../api/driver.ts';
import type { Reading } from '../api/reading.ts';
import { duplicateWindow } from '../lib/duplicate-window.ts';
import { loyaltyData, type LinkedPseudonym } from './pseudonym.ts';

/** Customers who can present within one window. */
const REMEMBERED = 16;

/** A shorter key can be found by trying; RFC 2104 wants as many bytes as the hash has, this is the least to accept. */
const SHORT_KEY_BYTES = 16;

export interface IdentityOptions {
  readonly io: Pick<DriverIo, 'driverId' | 'log'>;
  /** Absent: there is no key, and every id is dropped. */
  readonly pseudonymOf: ((id: Uint8Array) => LinkedPseudonym) | undefined;
  readonly keyBytes: number;
  readonly prefix: string | undefined;
  readonly doubleTapMs: number;
}

/**
 * The one place where a customer's id becomes a reading, the same for stripe and tag. The id is wiped when a call
 * returns, whatever became of it.
 */
export interface Identity {
  /** The driver's state when its device is there and nothing was presented. */
  resting(): Reading;
  present(id: Uint8Array, atMono: MonoMs): readonly Reading[];
  /** A payment card was presented: said once per window, and nothing of it kept. */
  paymentCard(atMono: MonoMs): readonly Reading[];
}

export function identity(options: IdentityOptions): Identity {
  const { io, pseudonymOf, prefix } = options;
  const window = duplicateWindow({ windowMs: options.doubleTapMs, remembered: REMEMBERED });
  // One lying on a contactless reader is seen at every poll, and nothing of it may be kept to tell it from the next.
  const cardWindow = duplicateWindow({ windowMs: options.doubleTapMs, remembered: 1 });
  const wantedPrefix = new TextEncoder().encode(prefix ?? '');
  const dropped = { withoutKey: 0, foreign: 0, paymentCards: 0 };

  const resting = (): Reading => {
    if (pseudonymOf === undefined) return { kind: 'state', state: 'degraded', code: 'pseudonym-key-missing' };
    if (options.keyBytes < SHORT_KEY_BYTES) return { kind: 'state', state: 'degraded', code: 'pseudonym-key-short' };
    return { kind: 'state', state: 'ready', code: null };
  };

  // A tag that lies there comes back at every poll: said once per window, like everything else.
  const saidWindow = duplicateWindow({ windowMs: options.doubleTapMs, remembered: 2 });
  const drop = (why: 'withoutKey' | 'foreign', code: string, atMono: MonoMs): void => {
    dropped[why] += 1;
    if (!saidWindow.isDuplicate(why, atMono)) io.log.warn('loyalty-id-dropped', { code, count: dropped[why] });
  };

  const readingsOf = (id: Uint8Array, atMono: MonoMs): readonly Reading[] => {
    if (pseudonymOf === undefined) {
      drop('withoutKey', 'pseudonym-key-missing', atMono);
      return [];
    }
    if (!wantedPrefix.every((byte, at) => id[at] === byte)) {
      drop('foreign', 'foreign-card', atMono);
      return [];
    }
    const customer = pseudonymOf(id);
    if (window.isDuplicate(customer.pseudonym, atMono)) return [];
    return [{ kind: 'event', type: 'barrow.loyalty.v1', atMono, data: loyaltyData(io.driverId, customer) }];
  };

  return {
    resting,
    present(id, atMono) {
      try {
        return readingsOf(id, atMono);
      } finally {
        id.fill(0);
      }
    },
    paymentCard(atMono) {
      if (cardWindow.isDuplicate('', atMono)) return [];
      dropped.paymentCards += 1;
      io.log.warn('payment-card-dropped', { count: dropped.paymentCards });
      return [{ kind: 'state', state: 'degraded', code: 'payment-card' }, resting()];
    },
  };
}
