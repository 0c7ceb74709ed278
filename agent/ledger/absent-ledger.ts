import { STREAMS } from '../../drivers/api/reading.ts';
import type { Ledger } from '../core/ledger.ts';

/** A ledger that could not be opened: it holds nothing, and `refused` gives the error that every write throws. */
export function absentLedger(maxBytes: number, refused: () => Error): Ledger {
  const refuse = (): never => {
    throw refused();
  };
  return {
    epoch: '',
    transaction: refuse,
    peek: () => [],
    range: () => [],
    ack: refuse,
    ackThrough: refuse,
    quarantine: refuse,
    peekInherited: () => [],
    ackInherited: refuse,
    restamp: refuse,
    manifest: () => ({ epoch: '', first: 1, last: 0, losses: [] }),
    depth: () => ({
      epoch: '',
      streams: STREAMS.map((stream) => ({
        stream,
        last: 0,
        pendingRows: 0,
        pendingBytes: 0,
        oldestPendingMono: null,
        lostRows: 0,
      })),
      bytes: 0,
      maxBytes,
    }),
    saved: () => undefined,
    maintain: () => [],
    [Symbol.dispose]: () => undefined,
  };
}
