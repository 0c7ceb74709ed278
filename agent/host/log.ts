import pino from 'pino';
import type { Log } from '../../drivers/api/driver.ts';
import { withoutCards } from '../log-guard.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  readonly level: LogLevel;
  /** Coloured, one line a record, for a person at a terminal. */
  readonly pretty: boolean;
}

/** The agent's log on stdout: pino JSON under systemd, pretty on a terminal. */
export async function openLog(options: LogOptions): Promise<Log> {
  const base = {
    level: options.level,
    base: null,
    messageKey: 'event',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = options.pretty
    ? pino(
        base,
        (await import('pino-pretty')).default({
          messageKey: 'event',
          translateTime: 'SYS:HH:MM:ss.l',
          singleLine: true,
          ignore: 'pid,hostname',
        }),
      )
    : pino(base, pino.destination({ fd: 1, sync: true }));
  return {
    debug: (event, fields) => logger.debug(withoutCards(fields), event),
    info: (event, fields) => logger.info(withoutCards(fields), event),
    warn: (event, fields) => logger.warn(withoutCards(fields), event),
    error: (event, fields) => logger.error(withoutCards(fields), event),
  };
}
