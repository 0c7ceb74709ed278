/** Minutes that a window remembers: the longest fact looks back an hour. */
export const WINDOW_MIN = 60;

const MINUTE_MS = 60_000;

/**
 * Counts per minute of monotonic time over the last hour. A window of n minutes holds the running minute and the n − 1
 * before it, so a count never outlives its window and at most a minute is missing at its far end.
 */
export class MinuteWindow {
  readonly #counts = new Map<number, number>();

  add(atMono: number, count = 1): void {
    const minute = Math.floor(atMono / MINUTE_MS);
    this.#counts.set(minute, (this.#counts.get(minute) ?? 0) + count);
    if (this.#counts.size > WINDOW_MIN + 1)
      for (const old of this.#counts.keys()) if (old <= minute - WINDOW_MIN) this.#counts.delete(old);
  }

  sum(nowMono: number, minutes: number): number {
    const last = Math.floor(nowMono / MINUTE_MS);
    let sum = 0;
    for (let minute = last; minute > last - minutes; minute -= 1) sum += this.#counts.get(minute) ?? 0;
    return Math.max(0, sum);
  }
}
