import type { Json, JsonObject } from './reading.ts';

/** Steps of the write-ahead journal, in order. Each is on disk before the next thing is told to the terminal. */
export type PaymentStep = 'intent' | 'sent' | 'accepted' | 'outcome' | 'done';

export type PaymentOutcome = 'approved' | 'declined' | 'unknown' | 'reversed' | 'refunded';

export interface PaymentIntent {
  readonly intentId: string;
  readonly kind: 'sale' | 'refund' | 'reversal';
  readonly amountMinor: number;
  /** ISO 4217 alphabetic. */
  readonly currency: string;
  /** The receipt number to reverse, for `reversal`. */
  readonly receiptNo?: number;
}

/** An intent that a crash or a cut left open, with what was known of it. */
export interface OpenPayment {
  readonly intent: PaymentIntent;
  readonly step: PaymentStep;
  readonly facts: JsonObject;
  /** The outcome that is on disk already, from step `outcome` on: the terminal may not have been told of it. */
  readonly result?: PaymentResult;
}

/** What a terminal says of a payment; becomes `barrow.payment.v1`. Card data: only first 6 + last 4. */
export interface PaymentResult {
  readonly outcome: PaymentOutcome;
  readonly terminalId: string | null;
  readonly receiptNo: number | null;
  readonly trace: number | null;
  readonly maskedPan: string | null;
  /** A stable reason, e.g. `abort-key`; `null` when approved. */
  readonly reason: string | null;
  /** What the terminal booked, where that is not the amount of the intent (a tip, a partial approval). */
  readonly amountMinor?: number;
}

/** The ledger's side of a payment: every call is fsynced when it returns and throws when the ledger cannot accept. */
export interface PaymentJournal {
  /** Records a step with facts that help recovery (e.g. the last receipt number before the sale). Never backwards. */
  record(intentId: string, step: 'sent' | 'accepted', facts: JsonObject): void;
  /**
   * Records the outcome and appends `barrow.payment.v1` in one transaction. Idempotent per intent and outcome; an
   * operator's word stands against it.
   */
  conclude(intentId: string, result: PaymentResult): void;
  /** The terminal has been told; nothing is left to do. */
  finish(intentId: string): void;
  /** Intents of this driver that are neither done nor concluded `unknown`, oldest first. */
  open(): readonly OpenPayment[];
  /** Outcomes that are `unknown` and that no operator has settled yet: worth a question when the terminal is back. */
  unknown?(): readonly OpenPayment[];
  /** A small value kept with the journal, e.g. the last receipt number. */
  remember(key: string, value: Json): void;
  recall(key: string): Json | undefined;
}

/** What a payment driver's session offers to the till. One payment at a time. */
export interface PaymentTerminal {
  readonly status: 'ready' | 'busy' | 'away';
  /** Drives the terminal to an outcome. The intent is already on disk. Resolves after `conclude`; never charges twice. */
  pay(intent: PaymentIntent, signal: AbortSignal): Promise<PaymentResult>;
  /** Asks the terminal to stop what it does; the outcome still comes through {@link pay}. */
  abort(): Promise<void>;
  endOfDay(signal: AbortSignal): Promise<JsonObject>;
  diagnosis(signal: AbortSignal): Promise<JsonObject>;
  /** What the terminal says of itself without doing anything. */
  enquiry?(signal: AbortSignal): Promise<JsonObject>;
}
