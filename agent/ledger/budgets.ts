import type { Stream } from '../../drivers/api/reading.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What one class of events may take of the ledger. */
export interface StreamBudget {
  /** Undelivered rows may be dropped, declared, when the budget or the ledger is full. */
  readonly evictable: boolean;
  /** Share of `ledger.maxBytes` at which the stream is cut back, in percent. */
  readonly sharePercent: number;
  /** Undelivered rows older than this are dropped; measured in time that the ledger was open. */
  readonly maxAgeMs: number;
  /** `barrow.sensor.v1` rows become one a minute with min, max and mean before anything is dropped. */
  readonly thins: boolean;
}

/**
 * Sales and prices stay until they are delivered. Scans outlast sensor values: a person made them. The shares add up to
 * less than the whole: what is left belongs to sales.
 */
export const BUDGETS: Readonly<Record<Stream, StreamBudget>> = {
  sale: { evictable: false, sharePercent: 100, maxAgeMs: Infinity, thins: false },
  price: { evictable: false, sharePercent: 100, maxAgeMs: Infinity, thins: false },
  scan: { evictable: true, sharePercent: 40, maxAgeMs: 60 * DAY_MS, thins: false },
  shelf: { evictable: true, sharePercent: 25, maxAgeMs: 30 * DAY_MS, thins: true },
  footfall: { evictable: true, sharePercent: 15, maxAgeMs: 60 * DAY_MS, thins: false },
  agent: { evictable: true, sharePercent: 5, maxAgeMs: 30 * DAY_MS, thins: false },
};

/** The order in which streams give way when the ledger as a whole is full: least missed first. */
export const SHEDDING_ORDER: readonly Stream[] = ['agent', 'shelf', 'footfall', 'scan'];

/** A stream over its budget is cut back to this part of it, so that one cut serves many appends. */
export const CUT_TO_PERCENT = 90;

/** Part of the hard cap that only sales and prices may still use, in percent. */
export const RESERVE_PERCENT = 8;

/** Bytes of the file system that the ledger leaves to others; of a small one it leaves half of what is free. */
export const FREE_SPACE_RESERVE_BYTES: number = 32 * 1024 * 1024;

/** Rows that one pass of retention or shedding touches per stream: bounds how long the agent stands still. */
export const PASS_ROWS = 5_000;
