/** A sensor is silent after so many of its own intervals … */
export const MISSED_INTERVALS = 10;
/** … but never sooner than this: a busy channel loses bursts. */
export const SILENT_AT_LEAST_MS = 30_000;
/** A sensor that was never heard since the start, or only once. */
export const UNHEARD_AFTER_MS = 180_000;
const WEIGHT_OF_NEWEST = 0.1;

/** How regularly one sensor speaks. */
export interface Cadence {
  readonly heard: number;
  readonly lastMono: number;
  /** Mean interval, exponentially weighted; `null` until the second advert. */
  readonly intervalMs: number | null;
  readonly silent: boolean;
}

export const freshCadence = (nowMono: number): Cadence => ({
  heard: 0,
  lastMono: nowMono,
  intervalMs: null,
  silent: false,
});

export function speak(cadence: Cadence, nowMono: number): Cadence {
  const gap = Math.max(0, nowMono - cadence.lastMono);
  // The silence that was just reported is no part of the rhythm.
  const counts = cadence.heard > 0 && !cadence.silent;
  const intervalMs = !counts
    ? cadence.intervalMs
    : cadence.intervalMs === null
      ? gap
      : cadence.intervalMs + WEIGHT_OF_NEWEST * (gap - cadence.intervalMs);
  return { heard: cadence.heard + 1, lastMono: nowMono, intervalMs, silent: false };
}

/** After how much silence this sensor counts as silent. */
export function patienceMs(cadence: Cadence, configuredMs: number | undefined): number {
  if (configuredMs !== undefined) return configuredMs;
  if (cadence.intervalMs === null) return UNHEARD_AFTER_MS;
  return Math.max(SILENT_AT_LEAST_MS, MISSED_INTERVALS * cadence.intervalMs);
}
