import type { Json, Saves } from '../../drivers/api/reading.ts';
import type { PendingEvent } from '../core/event.ts';

/** Largest value that one owner may keep under one key, in bytes of JSON. */
export const SAVED_VALUE_BYTES: number = 64 * 1024;

/**
 * Largest `data` of one event, in bytes of JSON. A rule file of 4 MiB, most of it overrides, is told in less; few brokers
 * take a message that long, and what a broker does not take is set aside row by row.
 */
export const EVENT_DATA_BYTES: number = 4 * 1024 * 1024;

export function isValueTooLarge(text: string): boolean {
  return Buffer.byteLength(text) > SAVED_VALUE_BYTES;
}

export function isEventTooLarge(text: string): boolean {
  return Buffer.byteLength(text) > EVENT_DATA_BYTES;
}

/** The code with which the ledger would refuse this row; `null` when it would not. */
export function refusalOf(
  event: PendingEvent | null,
  saves: Saves | undefined,
): 'ledger-event' | 'ledger-value' | null {
  if (event !== null && isEventTooLarge(JSON.stringify(event.data))) return 'ledger-event';
  const values: readonly Json[] = Object.values(saves ?? {});
  return values.some((value) => isValueTooLarge(JSON.stringify(value))) ? 'ledger-value' : null;
}
