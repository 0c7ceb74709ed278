import type { Stream } from '../../drivers/api/reading.ts';
import type { StoredEvent } from '../core/event.ts';
import type { Ledger } from '../core/ledger.ts';

/**
 * Rows read at a time that go singly. They are gone before the heap's next scavenge, which 256 outlived; and more would
 * sit in memory stale while the clock is set or budgets drop them. Not fewer than {@link BATCH_FROM_ROWS}.
 */
export const CHUNK_ROWS = 64;
/** What goes in batches is read further ahead, so that few of them are cut short by the end of a chunk. */
export const BATCHED_CHUNK_ROWS = 512;
const CHUNK_BYTES = 256 * 1024;

/** From this many rows waiting on, a lane sends batches; fewer go as single events, each at once. */
export const BATCH_FROM_ROWS = 64;

/** One queue of rows of a stream: what is stored from now on, or what waited when the connection came up. */
export interface Lane {
  readonly stream: Stream;
  readonly kind: 'live' | 'backlog';
  /** Whether the next rows go as a batch. */
  batched(): boolean;
  /** The row that comes next, if there is one for now. */
  head(): StoredEvent | undefined;
  /** The rows that come next, at most one chunk; empty when there are none for now. */
  waiting(): readonly StoredEvent[];
  /** The first `count` of them have been sent. */
  advance(count: number): void;
  /** Rows were appended: an empty lane looks again. */
  refresh(): void;
  /** Starts over from a sequence that was not taken after all, as far as it is this lane's. */
  rewind(sequence: number): void;
}

export interface LaneOptions {
  readonly ledger: Ledger;
  readonly stream: Stream;
  readonly kind: 'live' | 'backlog';
  /** The lane starts after this sequence, */
  readonly after: number;
  /** and ends with this one. */
  readonly through: number;
  /** Rows at a time from which on a live lane sends batches. */
  readonly batchFromRows: number;
  /** Rows that go another way: a suspect range. */
  skips(stream: Stream, sequence: number): boolean;
}

export function makeLane(options: LaneOptions): Lane {
  const { ledger, stream, kind, through } = options;
  let rows: readonly StoredEvent[] = [];
  let at = 0;
  let read = options.after;
  let dry = false;
  let bulk = kind === 'backlog';

  const load = (): void => {
    while (at >= rows.length && !dry) {
      const found = ledger.peek(stream, read, {
        maxRows: bulk ? BATCHED_CHUNK_ROWS : CHUNK_ROWS,
        maxBytes: CHUNK_BYTES,
      });
      const newest = found.at(-1);
      read = newest?.sequence ?? read;
      // A chunk past the end of a backlog belongs to the live lane from there on.
      dry = newest === undefined || newest.sequence >= through;
      rows = found.filter((row) => row.sequence <= through && !options.skips(stream, row.sequence));
      at = 0;
      if (kind === 'live') bulk = rows.length >= options.batchFromRows;
      if (newest === undefined) return;
    }
  };
  return {
    stream,
    kind,
    batched: () => bulk,
    head: () => {
      load();
      return rows[at];
    },
    waiting: () => {
      load();
      return at === 0 ? rows : rows.slice(at);
    },
    advance: (count) => {
      at += count;
    },
    refresh: () => {
      if (kind === 'live') dry = false;
    },
    rewind: (sequence) => {
      read = Math.max(options.after, Math.min(read, sequence - 1));
      rows = [];
      at = 0;
      dry = false;
    },
  };
}

/** Every this many messages, the lane that waited longest goes first. */
export const STARVATION_TURN = 8;

/** Whether the lane that waited longest has its turn. */
export function isFairTurn(turn: number): boolean {
  return turn % STARVATION_TURN === STARVATION_TURN - 1;
}

/**
 * Which of the lanes that have something to send goes next: the first by priority, but every eighth time the one that
 * was served longest ago, so that a busy stream never keeps another from moving at all.
 */
export function pickLane<L>(ready: readonly L[], turn: number, servedAt: (lane: L) => number): L | undefined {
  if (!isFairTurn(turn)) return ready[0];
  let oldest = ready[0];
  for (const lane of ready) if (oldest !== undefined && servedAt(lane) < servedAt(oldest)) oldest = lane;
  return oldest;
}
