import { RangeSet } from '../../ledger/range-set.ts';
import type { ConsumedEvent } from './read-event.ts';

/** Events that wait for one that is missing before the order is given up. */
export const WAITING_EVENTS_MAX = 10_000;

export interface Ordered {
  readonly event: ConsumedEvent;
  /** Sequences before it that did not come in time. */
  readonly missedFrom: number | null;
}

interface Line {
  next: number | null;
  readonly waiting: Map<number, ConsumedEvent>;
  readonly told: RangeSet;
}

/**
 * Puts the events of each kit, epoch and stream back into order and drops duplicates. A backlog arrives behind what is
 * live, and what a broker had in flight may come late.
 */
export class Reorder {
  readonly #lines = new Map<string, Line>();
  #waiting = 0;

  /** Takes one event; returns what may be told now, in order. */
  take(event: ConsumedEvent): readonly Ordered[] {
    const line = this.#line(event);
    if (line.told.has(event.sequence) || line.waiting.has(event.sequence)) return [];
    line.waiting.set(event.sequence, event);
    this.#waiting += 1;
    if (this.#waiting > WAITING_EVENTS_MAX) return this.giveUp();
    return line.next === null ? [] : this.#inOrder(line);
  }

  /** Waits no longer: tells everything that is here, in order, with the holes named. */
  giveUp(): readonly Ordered[] {
    const told: Ordered[] = [];
    for (const line of this.#lines.values()) {
      for (const sequence of [...line.waiting.keys()].sort((one, two) => one - two)) {
        const missed = line.next !== null && sequence > line.next ? line.next : null;
        told.push(...this.#tell(line, sequence, missed));
      }
    }
    return told;
  }

  get waiting(): number {
    return this.#waiting;
  }

  #inOrder(line: Line): readonly Ordered[] {
    const told: Ordered[] = [];
    // Below what was told already: a backlog that comes behind, in its own order.
    for (const sequence of line.waiting.keys())
      if (line.next !== null && sequence < line.next) told.push(...this.#tell(line, sequence, null));
    while (line.next !== null && line.waiting.has(line.next)) told.push(...this.#tell(line, line.next, null));
    return told;
  }

  #tell(line: Line, sequence: number, missedFrom: number | null): readonly Ordered[] {
    const event = line.waiting.get(sequence);
    if (event === undefined) return [];
    line.waiting.delete(sequence);
    this.#waiting -= 1;
    line.told.add(sequence, sequence);
    line.next = Math.max(line.next ?? 0, sequence + 1);
    return [{ event, missedFrom }];
  }

  #line(event: ConsumedEvent): Line {
    const key = `${event.kit}/${event.epoch}/${event.stream}`;
    const found = this.#lines.get(key);
    if (found !== undefined) return found;
    const fresh: Line = { next: null, waiting: new Map(), told: new RangeSet() };
    this.#lines.set(key, fresh);
    return fresh;
  }
}
