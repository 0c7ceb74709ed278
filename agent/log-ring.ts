import type { Log } from '../drivers/api/driver.ts';
import type { JsonObject } from '../drivers/api/reading.ts';
import type { Clock } from '../drivers/api/clock.ts';
import { withoutCards } from './log-guard.ts';

/** Log lines kept for the status page and the support bundle. */
export const LOG_LINES = 1_000;

/** Passes log lines on and keeps the newest. Lines hold event names and fields; card numbers in them are masked. */
export class LogRing implements Log {
  readonly #to: Log;
  readonly #clock: Clock;
  readonly #lines: JsonObject[] = [];

  constructor(to: Log, clock: Clock) {
    this.#to = to;
    this.#clock = clock;
  }

  debug(event: string, fields?: JsonObject): void {
    this.#to.debug(event, withoutCards(fields));
  }

  info(event: string, fields?: JsonObject): void {
    const clean = withoutCards(fields);
    this.#keep('info', event, clean);
    this.#to.info(event, clean);
  }

  warn(event: string, fields?: JsonObject): void {
    const clean = withoutCards(fields);
    this.#keep('warn', event, clean);
    this.#to.warn(event, clean);
  }

  error(event: string, fields?: JsonObject): void {
    const clean = withoutCards(fields);
    this.#keep('error', event, clean);
    this.#to.error(event, clean);
  }

  /** The newest lines, oldest first. */
  lines(limit: number): readonly JsonObject[] {
    return limit <= 0 ? [] : this.#lines.slice(-limit);
  }

  #keep(level: string, event: string, fields: JsonObject = {}): void {
    this.#lines.push({ time: new Date(this.#clock.wallMs()).toISOString(), level, event, ...fields });
    if (this.#lines.length > LOG_LINES) this.#lines.splice(0, this.#lines.length - LOG_LINES);
  }
}

/** A log whose every line carries the same fields, e.g. the driver it speaks of. */
export function childLog(log: Log, bound: JsonObject): Log {
  return {
    debug: (event, fields) => log.debug(event, { ...bound, ...fields }),
    info: (event, fields) => log.info(event, { ...bound, ...fields }),
    warn: (event, fields) => log.warn(event, { ...bound, ...fields }),
    error: (event, fields) => log.error(event, { ...bound, ...fields }),
  };
}
