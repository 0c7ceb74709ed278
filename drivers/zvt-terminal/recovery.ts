import type { PaymentResult } from '../api/payment.ts';
import type { Json, JsonObject } from '../api/reading.ts';
import type { ZvtFields } from './fields.ts';

/** What tells one booking of a terminal from another. */
export interface Booking {
  readonly terminalId: string | null;
  /** 0 and absent both mean that the terminal did not say. */
  readonly receiptNo: number | null;
  readonly trace: number | null;
  readonly time: string | null;
  readonly date: string | null;
  readonly amountMinor: number | null;
}

export function bookingOf(fields: ZvtFields): Booking {
  return {
    terminalId: fields.terminalId ?? null,
    receiptNo: fields.receiptNo ?? null,
    trace: fields.trace ?? null,
    time: fields.time ?? null,
    date: fields.date ?? null,
    amountMinor: fields.amountMinor ?? null,
  };
}

export function bookingJson(booking: Booking): JsonObject {
  return { ...booking };
}

/** Reads back what {@link bookingJson} wrote; `null` when nothing was. */
export function readBooking(json: Json | undefined): Booking | null {
  return json === undefined || json === null ? null : (json as unknown as Booking);
}

/**
 * Whether two reports are of one booking; `undefined` when they share nothing to tell it by, or the same numbers at
 * different times: receipts begin anew after an end of day. Real captures carry trace 000000 or no amount, so only what
 * both name counts.
 */
export function sameBooking(one: Booking, other: Booking): boolean | undefined {
  const numbers = sameNumbers(one, other);
  if (numbers === false || one.time === null || other.time === null) return numbers;
  const sameTime = one.time === other.time && (one.date === null || other.date === null || one.date === other.date);
  return numbers === undefined ? sameTime : sameTime || undefined;
}

/** As {@link sameBooking}, without the times: for two reports within one payment. */
function sameNumbers(one: Booking, other: Booking): boolean | undefined {
  if (one.terminalId !== null && other.terminalId !== null && one.terminalId !== other.terminalId) return false;
  if (one.amountMinor !== null && other.amountMinor !== null && one.amountMinor !== other.amountMinor) return false;
  const numbers = [compare(one.receiptNo, other.receiptNo), compare(one.trace, other.trace)];
  return numbers.includes(false) ? false : numbers.includes(true) ? true : undefined;
}

function compare(one: number | null, other: number | null): boolean | undefined {
  return one === null || other === null || one === 0 || other === 0 ? undefined : one === other;
}

/** Receipt numbers run from 1 to 9999 and begin anew (A 9: two BCD bytes). */
const RECEIPTS = 9_999;

/** How many receipts later `to` is than `from`; negative when earlier. */
function receiptsLater(from: number, to: number): number {
  const distance = (((to - from) % RECEIPTS) + RECEIPTS) % RECEIPTS;
  return distance > RECEIPTS / 2 ? distance - RECEIPTS : distance;
}

export interface Question {
  /** Of the intent. */
  readonly amountMinor: number;
  /** The last booking that was known before the sale was sent; `null` when none was. */
  readonly before: Booking | null;
  /** The booking that the terminal reported for this very payment, where its status information came through. */
  readonly reported: Booking | null;
}

/**
 * `booked`: the terminal has charged this payment. `absent`: it has not, or has taken it back. `unclear`: an operator
 * must look.
 */
export type Verdict = 'booked' | 'absent' | 'unclear';

/** Compares the terminal's last booking with what the journal knows. `last` is `null`: it says that it has none. */
export function judge(question: Question, last: ZvtFields | null): Verdict {
  const { reported } = question;
  const before = sameTerminal(question.before, last);
  if (last === null) return before === null ? 'absent' : 'unclear';
  // A last transaction that failed is no booking; ours would have been the last one.
  if ((last.resultCode ?? 0) !== 0) return 'absent';
  const found = bookingOf(last);
  if (reported !== null) return judgeReported(reported, before, found);
  if (before === null) return 'unclear';
  const old = sameBooking(before, found);
  if (old === undefined) return 'unclear';
  return old ? 'absent' : judgeNew(question.amountMinor, before, found);
}

/** After an exchange of terminals the earlier booking is another one's and proves nothing. */
function sameTerminal(before: Booking | null, last: ZvtFields | null): Booking | null {
  if (before?.terminalId == null || last?.terminalId === undefined) return before;
  return before.terminalId === last.terminalId ? before : null;
}

function judgeReported(reported: Booking, before: Booking | null, found: Booking): Verdict {
  const ours = sameNumbers(reported, found) ?? sameBooking(reported, found);
  if (ours === true) return 'booked';
  if (ours === undefined) return 'unclear';
  if (before !== null && sameBooking(before, found) === true) return 'absent';
  // Numbers below ours: the terminal has gone back to what was before it.
  const later = distance(reported, found);
  return later !== undefined && later < 0 ? 'absent' : 'unclear';
}

function judgeNew(amountMinor: number, before: Booking, found: Booking): Verdict {
  const later = distance(before, found);
  if (later !== undefined && later < 0) return 'unclear';
  if (found.amountMinor !== null) return found.amountMinor === amountMinor ? 'booked' : 'unclear';
  return later === 1 ? 'booked' : 'unclear';
}

function distance(from: Booking, to: Booking): number | undefined {
  if (compare(from.receiptNo, to.receiptNo) === undefined) return undefined;
  return receiptsLater(from.receiptNo ?? 0, to.receiptNo ?? 0);
}

/** A payment's result from the terminal's own words. */
export function resultOf(
  outcome: PaymentResult['outcome'],
  reason: string | null,
  fields: ZvtFields,
  intendedMinor: number,
): PaymentResult {
  const booked = fields.amountMinor;
  const moved = outcome !== 'declined' && booked !== undefined && booked !== 0 && booked !== intendedMinor;
  return {
    outcome,
    terminalId: fields.terminalId ?? null,
    receiptNo: fields.receiptNo ?? null,
    trace: fields.trace ?? null,
    maskedPan: fields.maskedPan ?? null,
    reason,
    ...(moved ? { amountMinor: booked } : {}),
  };
}
