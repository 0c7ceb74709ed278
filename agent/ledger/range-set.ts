/** An inclusive range of sequences. */
export type Range = readonly [from: number, to: number];

/**
 * A set of whole numbers kept as ascending, disjoint, non-adjacent ranges. PUBACKs come nearly in order, so that a
 * stream of millions needs a handful of ranges.
 */
export class RangeSet {
  #ranges: [number, number][];

  constructor(ranges: readonly Range[] = []) {
    this.#ranges = [];
    for (const [from, to] of ranges) this.add(from, to);
  }

  /** Adds every number from `from` to `to`. */
  add(from: number, to: number): void {
    if (to < from) return;
    const ranges = this.#ranges;
    // The first range that touches or lies after `from`.
    const start = this.#search(from - 1);
    let end = start;
    let low = from;
    let high = to;
    for (let range = ranges[end]; range !== undefined && range[0] <= to + 1; range = ranges[++end]) {
      low = Math.min(low, range[0]);
      high = Math.max(high, range[1]);
    }
    ranges.splice(start, end - start, [low, high]);
  }

  has(value: number): boolean {
    const range = this.#ranges[this.#search(value)];
    return range !== undefined && range[0] <= value;
  }

  /** The parts of `from`..`to` that are not in the set, ascending. */
  *gaps(from: number, to: number): Generator<Range> {
    let next = from;
    for (let index = this.#search(from); next <= to; index += 1) {
      const range = this.#ranges[index];
      if (range === undefined || range[0] > to) {
        yield [next, to];
        return;
      }
      if (range[0] > next) yield [next, range[0] - 1];
      next = range[1] + 1;
    }
  }

  get ranges(): readonly Range[] {
    return this.#ranges;
  }

  /** Keeps the `limit` lowest ranges and gives up the rest. Returns how many numbers were given up. */
  truncate(limit: number): number {
    const dropped = this.#ranges.splice(limit);
    return dropped.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  }

  /** Index of the first range whose end is at or after `value`. */
  #search(value: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const range = this.#ranges[middle];
      if (range !== undefined && range[1] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
