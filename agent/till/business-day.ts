import type { KitClock } from '../core/host.ts';

/** The trading day in the kit's time zone; not guessed while the clock is unset. */
export function businessDay(clock: KitClock, timeZone: string, occurredAt: string | undefined): string | undefined {
  const atMs = occurredAt === undefined ? null : Date.parse(occurredAt);
  if (atMs === null && clock.trust() === 'unset') return undefined;
  return dayIn(timeZone, atMs ?? clock.wallMs());
}

const formats = new Map<string, Intl.DateTimeFormat>();

function dayIn(timeZone: string, atMs: number): string {
  // Building a format costs about 50 µs, a sale has 20 ms: one per zone is kept, and a kit has one zone.
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    if (formats.size >= 16) formats.clear();
    formats.set(timeZone, format);
  }
  return format.format(atMs);
}
