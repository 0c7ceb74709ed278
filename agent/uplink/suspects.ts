import type { Stream } from '../../drivers/api/reading.ts';

/** A message at the head of two connections that broke is sent row by row, alone, on the third. */
export const SUSPECT_CLOSES = 2;

/** Connections in a row that one row, sent alone, must have ended before it is quarantined. */
export const QUARANTINE_CLOSES = 3;

/** Sales get more chances: a bad network must not look like a bad sale. */
export const QUARANTINE_CLOSES_SALE = 5;

/** A close this long after the row was sent has another reason. */
export const SUSPECT_WITHIN_MS = 10_000;

export interface InFlightHead {
  readonly stream: Stream;
  readonly sequences: readonly number[];
  readonly ageMs: number;
}

/**
 * Finds the row that ends connections. Some brokers close the socket on a message they will never take, without a
 * code (mosquitto on 3.1.1, for one that is too large); retried for ever, it would block everything behind it.
 * Brokers answer in order, so the oldest message without PUBACK is the one under suspicion.
 */
export interface Suspects {
  /** Rows to be sent alone now, first one first; `null` when none. */
  solo(): { readonly stream: Stream; readonly from: number; readonly to: number } | null;
  covers(stream: Stream, sequence: number): boolean;
  /** A row under suspicion went through. */
  acquit(stream: Stream, sequence: number): void;
  /** There is no such row any more. */
  drop(): void;
  /**
   * A connection ended otherwise than by us. `head` is its oldest message without PUBACK, `null` when all were
   * acknowledged. Returns the row to quarantine, if it has come to that.
   */
  connectionEnded(head: InFlightHead | null): { readonly stream: Stream; readonly sequence: number } | null;
}

interface Suspicion {
  readonly stream: Stream;
  from: number;
  readonly to: number;
  closes: number;
  soloCloses: number;
}

export function makeSuspects(): Suspects {
  let current: Suspicion | null = null;
  const isSolo = (): boolean => current !== null && current.closes >= SUSPECT_CLOSES;

  const advance = (): void => {
    if (current === null) return;
    current.from += 1;
    current.soloCloses = 0;
    if (current.from > current.to) current = null;
  };
  return {
    solo: () => (current !== null && isSolo() ? { stream: current.stream, from: current.from, to: current.to } : null),
    covers: (stream, sequence) =>
      current !== null && isSolo() && current.stream === stream && sequence >= current.from && sequence <= current.to,
    acquit: (stream, sequence) => {
      if (current === null || current.stream !== stream || sequence < current.from) return;
      current.from = sequence;
      advance();
    },
    drop: () => {
      current = null;
    },
    connectionEnded: (head) => {
      const from = head?.sequences[0];
      const to = head?.sequences.at(-1);
      if (head === null || from === undefined || to === undefined || head.ageMs > SUSPECT_WITHIN_MS) {
        // Rows under suspicion stay so when the connection broke before their turn came.
        if (!isSolo()) current = null;
        return null;
      }
      if (current === null || current.stream !== head.stream || from > current.to || to < current.from) {
        if (!isSolo()) current = { stream: head.stream, from, to, closes: 1, soloCloses: 0 };
        return null;
      }
      if (!isSolo()) {
        current = { stream: head.stream, from, to, closes: current.closes + 1, soloCloses: 0 };
        return null;
      }
      current.soloCloses += 1;
      const enough = head.stream === 'sale' ? QUARANTINE_CLOSES_SALE : QUARANTINE_CLOSES;
      if (current.soloCloses < enough) return null;
      const culprit = { stream: current.stream, sequence: current.from };
      advance();
      return culprit;
    },
  };
}
