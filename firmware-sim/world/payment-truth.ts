import type { CloudEvent } from '../../agent/core/event.ts';
import type { Book } from '../devices/zvt-terminal/book.ts';

/** What the cashier was told in the end of one payment. */
export interface PaymentTold {
  readonly key: string;
  readonly intentId: string | null;
  readonly amountMinor: number;
  readonly outcome: string;
}

/** Payments as the shop knows them. */
export interface PaymentTruth {
  readonly asked: string[];
  readonly told: PaymentTold[];
  /** Intents that were answered and that the kit then did not know. */
  readonly forgotten: { readonly key: string; readonly intentId: string }[];
}

export function paymentTruth(): PaymentTruth {
  return { asked: [], told: [], forgotten: [] };
}

/** No two payments have the same amount, so that the terminal's book tells which one was charged: this, plus the payment's number. */
export const FIRST_AMOUNT_MINOR = 1_000;

/**
 * What was told is what the terminal charged, once, and what the back-end heard last of it. `all` is the stream `sale`,
 * oldest epoch first. The first `excused` payments were begun before the journal was damaged.
 */
export function paymentFaults(
  all: readonly CloudEvent[],
  { truth, book, excused }: { readonly truth: PaymentTruth; readonly book: Book; readonly excused: number },
): string[] {
  const old = new Set(truth.asked.slice(0, excused));
  const faults = truth.forgotten
    .filter(({ key }) => !old.has(key))
    .map(({ intentId }) => `payment ${intentId} was taken and then not known`);
  for (const { key, intentId, amountMinor, outcome } of truth.told) {
    if (old.has(key)) continue;
    const charged = book.entries.filter((entry) => entry.amountMinor === amountMinor && entry.state === 'booked');
    if (charged.length !== (outcome === 'approved' ? 1 : 0))
      faults.push(`payment ${key} was told ${outcome} and charged ${charged.length} times`);
    const events = all.filter((event) => event.type === 'barrow.payment.v1' && event.data['intentId'] === intentId);
    const last = events.at(-1)?.data['outcome'];
    if (last !== outcome) faults.push(`payment ${key} was told ${outcome}, came as ${JSON.stringify(last ?? null)}`);
  }
  const known = new Set(truth.told.map(({ amountMinor }) => amountMinor));
  for (let index = 1; index <= excused; index += 1) known.add(FIRST_AMOUNT_MINOR + index);
  for (const entry of book.entries)
    if (entry.state === 'booked' && !known.has(entry.amountMinor))
      faults.push(`${entry.amountMinor} was charged and no payment asked for it`);
  return faults;
}
