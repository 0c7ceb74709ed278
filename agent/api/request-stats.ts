/** Upper bounds of the duration histogram, seconds. A sale has 20 ms. */
export const DURATION_BOUNDS_S: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.5];

export interface RouteStats {
  readonly route: string;
  readonly method: string;
  readonly byStatus: Map<number, number>;
  readonly buckets: number[];
  sumS: number;
  count: number;
}

/** Requests by route: the routes are few and fixed, so this cannot grow with what peers send. */
export class RequestStats {
  readonly #routes = new Map<string, RouteStats>();

  record(method: string, route: string, status: number, durationMs: number): void {
    const key = `${method} ${route}`;
    let stats = this.#routes.get(key);
    if (stats === undefined) {
      stats = { route, method, byStatus: new Map(), buckets: DURATION_BOUNDS_S.map(() => 0), sumS: 0, count: 0 };
      this.#routes.set(key, stats);
    }
    const durationS = durationMs / 1_000;
    stats.byStatus.set(status, (stats.byStatus.get(status) ?? 0) + 1);
    stats.count += 1;
    stats.sumS += durationS;
    for (const [index, bound] of DURATION_BOUNDS_S.entries())
      if (durationS <= bound) stats.buckets[index] = (stats.buckets[index] ?? 0) + 1;
  }

  all(): readonly RouteStats[] {
    return [...this.#routes.values()];
  }
}
