import type { StoredEvent } from '../../core/event.ts';
import type { Ledger } from '../../core/ledger.ts';

/** Newest events of a stream that are folded again at a start: more than the last hour of a busy door. */
const REFOLDED_ROWS = 5_000;

/** What facts are made of; sales are counted here for conversion alone. */
const STREAMS: ReadonlySet<string> = new Set(['shelf', 'footfall', 'agent', 'sale']);

/** The newest events of the streams that facts come from, as they happened; each stream in its own order. */
export function* newestEvents(ledger: Pick<Ledger, 'range' | 'depth'>): Generator<StoredEvent> {
  const queues = ledger
    .depth()
    .streams.filter((depth) => STREAMS.has(depth.stream))
    .map(({ stream, last }) => {
      const events = ledger.range(stream, Math.max(1, last - REFOLDED_ROWS + 1), last, REFOLDED_ROWS);
      return { events, next: 0 };
    });
  for (;;) {
    const earliest = queues.reduce<(typeof queues)[number] | null>((best, queue) => {
      const event = queue.events[queue.next];
      const known = best?.events[best.next];
      return event !== undefined && (known === undefined || event.wallMs < known.wallMs) ? queue : best;
    }, null);
    const event = earliest?.events[earliest.next];
    if (earliest === null || event === undefined) return;
    earliest.next += 1;
    yield event;
  }
}
