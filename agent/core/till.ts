import type { PaymentResult } from '../../drivers/api/payment.ts';

export interface PaymentRequest {
  readonly amountMinor: number;
  /** ISO 4217 alphabetic; must be the kit's. */
  readonly currency: string;
  readonly kind: 'sale' | 'refund' | 'reversal';
  readonly receiptNo?: number;
  readonly quoteId?: string;
  /** Driver id; may be absent while the kit has one terminal. */
  readonly terminal?: string;
}

/** A payment as the till sees it. */
export interface PaymentView {
  readonly intentId: string;
  readonly deviceId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly outcome: 'pending' | PaymentResult['outcome'];
  readonly terminalId: string | null;
  readonly receiptNo: number | null;
  readonly trace: number | null;
  readonly maskedPan: string | null;
  readonly reason: string | null;
}

/** Card payments from intent to outcome; one at a time per terminal. */
export interface PaymentDesk {
  /**
   * Puts the intent on disk and starts the terminal; answers at once with `pending`.
   * The same key with the same request gives the same intent, in flight or done.
   * Throws `payment-blocked` (an unknown outcome waits), `terminal-busy`, `terminal-absent`, `idempotency-mismatch`.
   */
  start(request: PaymentRequest, idempotencyKey: string | null): PaymentView;
  find(intentId: string): PaymentView | undefined;
  /** Resolves when the outcome is no longer `pending`, or after `waitMs`. */
  wait(intentId: string, waitMs: number, signal: AbortSignal): Promise<PaymentView | undefined>;
  /** An operator's word on an `unknown` outcome. Throws `payment-not-unknown`. */
  resolve(
    intentId: string,
    word: { readonly outcome: 'approved' | 'declined' | 'reversed'; readonly actor: string; readonly reason: string },
  ): PaymentView;
  abort(intentId: string): Promise<void>;
}
