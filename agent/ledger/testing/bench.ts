import type { MonoMs } from '../../../drivers/api/clock.ts';
import type { Stream } from '../../../drivers/api/reading.ts';
import { HandClock } from '../../clock/testing/hand-clock.ts';
import type { PendingEvent } from '../../core/event.ts';
import { openLedger } from '../open-ledger.ts';
import type { SqliteLedger } from '../sqlite-ledger.ts';

const HOUR_MS = 3_600_000;
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A ledger in memory, under a clock that moves when it is told to. */
export interface Bench {
  ledger: SqliteLedger;
  readonly clock: HandClock;
  /** What a crash leaves: the committed content, opened anew. */
  crash(): void;
}

export function bench(options: { maxBytes?: number; retainAckedMs?: number } = {}): Bench {
  const clock = new HandClock('2026-11-27T10:00:00Z', 1_000);
  let next = 0;
  const open = (image: Uint8Array | null): SqliteLedger =>
    openLedger({
      store: { image },
      maxBytes: options.maxBytes ?? 64 * 1024 * 1024,
      retainAckedMs: options.retainAckedMs ?? HOUR_MS,
      clock,
      chance: { float: () => 0.5, bytes: (length) => Uint8Array.from({ length }, () => (next = (next + 7) % 256)) },
      log: quiet,
    });
  const result: Bench = {
    ledger: open(null),
    clock,
    crash() {
      result.ledger = open(result.ledger.image());
    },
  };
  return result;
}

export function event(stream: Stream, n: number, size = 0): PendingEvent {
  return {
    type: 'barrow.test.v1',
    stream,
    subject: 'test',
    atMono: 1000 as MonoMs,
    data: { n, fill: 'x'.repeat(size) },
  };
}

export function fill(ledger: SqliteLedger, stream: Stream, count: number, size = 0): void {
  ledger.transaction((tx) => {
    for (let n = 1; n <= count; n += 1) tx.append(event(stream, n, size));
  });
}

export const all: { readonly maxRows: number; readonly maxBytes: number } = { maxRows: 10_000, maxBytes: Infinity };
export const sequences = (ledger: SqliteLedger, stream: Stream): number[] =>
  ledger.peek(stream, 0, all).map((row) => row.sequence);
