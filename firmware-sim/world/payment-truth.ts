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
  readonly forgotten: string[];
}

export function paymentTruth(): PaymentTruth {
  return { asked: [], told: [], forgotten: [] };
}

/** What was told is what the terminal charged, once, and what the back-end heard last of it. */
export function paymentFaults(all: readonly CloudEvent[], truth: PaymentTruth, book: Book): string[] {
  const faults = truth.forgotten.map((intentId) => `payment ${intentId} was taken and then not known`);
  for (const { key, intentId, amountMinor, outcome } of truth.told) {
    const charged = book.entries.filter((entry) => entry.amountMinor === amountMinor && entry.state === 'booked');
    if (charged.length !== (outcome === 'approved' ? 1 : 0))
      faults.push(`payment ${key} was told ${outcome} and charged ${charged.length} times`);
    const events = all
      .filter((event) => event.type === 'barrow.payment.v1' && event.data['intentId'] === intentId)
      .sort((a, b) => Number(a.sequence) - Number(b.sequence));
    const last = events.at(-1)?.data['outcome'];
    if (last !== outcome) faults.push(`payment ${key} was told ${outcome}, came as ${JSON.stringify(last ?? null)}`);
  }
  const known = new Set(truth.told.map(({ amountMinor }) => amountMinor));
  for (const entry of book.entries)
    if (entry.state === 'booked' && !known.has(entry.amountMinor))
      faults.push(`${entry.amountMinor} was charged and no payment asked for it`);
  return faults;
}
