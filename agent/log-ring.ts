import type { Log } from '../drivers/api/driver.ts';
import type { JsonObject } from '../drivers/api/reading.ts';
import type { Clock } from '../drivers/api/clock.ts';

/** Log lines kept for the status page and the support bundle. */
export const LOG_LINES = 1_000;

/** Passes log lines on and keeps the newest. The lines hold event names and fields only, so they need no redaction of their own. */
export class LogRing implements Log {
  readonly #to: Log;
  readonly #clock: Clock;
  readonly #lines: JsonObject[] = [];

  constructor(to: Log, clock: Clock) {
    this.#to = to;
    this.#clock = clock;
  }

  debug(event: string, fields?: JsonObject): void {
    this.#to.debug(event, fields);
  }

  info(event: string, fields?: JsonObject): void {
    this.#keep('info', event, fields);
    this.#to.info(event, fields);
  }

  warn(event: string, fields?: JsonObject): void {
    this.#keep('warn', event, fields);
    this.#to.warn(event, fields);
  }

  error(event: string, fields?: JsonObject): void {
    this.#keep('error', event, fields);
    this.#to.error(event, fields);
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
