import { SETTLED_RANGES, type StreamLog } from './stream-log.ts';
import { RangeSet } from './range-set.ts';

/**
 * Marks rows as delivered. A sequence that was dropped meanwhile stays lost: it has been declared. Unknown sequences are
 * ignored. Beyond {@link SETTLED_RANGES} separate ranges only those that join one are taken; the others are sent again.
 */
export function settle(log: StreamLog, sequences: readonly number[]): void {
  const wanted = new RangeSet();
  for (const sequence of sequences) if (sequence >= 1 && sequence <= log.state.last) wanted.add(sequence, sequence);
  for (const [from, to] of wanted.ranges) settleRange(log, from, to);
}

/** A cumulative acknowledgement: everything up to here. */
export function settleThrough(log: StreamLog, through: number): void {
  settleRange(log, 1, Math.min(through, log.state.last));
}

function settleRange(log: StreamLog, from: number, to: number): void {
  const { state } = log;
  // A copy: the loop adds to the set that it walks.
  for (const [first, last] of Array.from(state.settled.gaps(from, to))) {
    const { count, bytes } = log.tally(first, last);
    if (count === 0) continue;
    // Thinning leaves holes: nothing waits in them, so that the range reaches back to the row before.
    const start = Math.min(first, log.previous(first) + 1);
    if (state.settled.ranges.length >= SETTLED_RANGES && !touches(state.settled, start, last)) continue;
    state.settled.add(start, last);
    state.delivered += count;
    state.pendingBytes -= bytes;
    if (log.dirty === 'no') log.dirty = 'acks';
  }
}

function touches(set: RangeSet, from: number, to: number): boolean {
  return from <= 1 || set.has(from - 1) || set.has(to + 1);
}
