/** Lets every promise that can settle do so: the one thing that the world needs from outside, as it is no event. */
export type Settle = () => Promise<void>;

interface Entry {
  readonly atMs: number;
  readonly ordinal: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Simulated time: things happen in the order of their time, equal times in the order in which they were asked for. */
export interface Scheduler {
  readonly nowMs: number;
  /** Runs `run` after `delayMs` (rounded up, at least 0). Returns the way to call it off. */
  after(delayMs: number, run: () => void): () => void;
  /** Goes on until the time has come or `done` holds; the promises of each step settle before the next. */
  runUntil(endMs: number, done?: () => boolean): Promise<void>;
  readonly steps: number;
  /** The most steps that one second of simulated time took: what a loop that wakes itself shows in. */
  readonly mostStepsInASecond: number;
}

export function makeScheduler(settle: Settle): Scheduler {
  const heap: Entry[] = [];
  let nowMs = 0;
  let ordinal = 0;
  let steps = 0;
  let second = 0;
  let stepsInSecond = 0;
  let most = 0;
  return {
    get nowMs() {
      return nowMs;
    },
    get steps() {
      return steps;
    },
    get mostStepsInASecond() {
      return most;
    },
    after(delayMs, run) {
      const entry: Entry = {
        atMs: nowMs + Math.max(0, Math.ceil(delayMs)),
        ordinal: (ordinal += 1),
        run,
        cancelled: false,
      };
      push(heap, entry);
      return () => {
        entry.cancelled = true;
      };
    },
    async runUntil(endMs, done = () => false) {
      await settle();
      for (let entry = heap[0]; entry !== undefined && entry.atMs <= endMs && !done(); entry = heap[0]) {
        pop(heap);
        if (entry.cancelled) continue;
        nowMs = entry.atMs;
        steps += 1;
        stepsInSecond = Math.floor(nowMs / 1000) === second ? stepsInSecond + 1 : 1;
        second = Math.floor(nowMs / 1000);
        most = Math.max(most, stepsInSecond);
        entry.run();
        await settle();
      }
      if (!done()) nowMs = Math.max(nowMs, endMs);
    },
  };
}

function before(a: Entry, b: Entry): boolean {
  return a.atMs === b.atMs ? a.ordinal < b.ordinal : a.atMs < b.atMs;
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.push(entry) - 1;
  while (index > 0) {
    const parent = (index - 1) >>> 1;
    const above = heap[parent];
    if (above === undefined || !before(entry, above)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    const left = heap[2 * index + 1];
    const right = heap[2 * index + 2];
    if (left === undefined) break;
    const child = right !== undefined && before(right, left) ? right : left;
    if (!before(child, last)) break;
    heap[index] = child;
    index = 2 * index + (child === left ? 1 : 2);
  }
  heap[index] = last;
}
