import { failures, type Fail } from '../../drivers/api/agent-error.ts';

/** Why the payment desk does not start, or cannot settle, a payment. */
export const paymentErrors = {
  'payment-blocked': {
    sentence: 'An earlier payment on this terminal has an unknown outcome',
    hint: 'Look at the terminal’s receipt and answer with POST /v1/payments/{intentId}/resolve',
  },
  'terminal-busy': {
    sentence: 'The card terminal is busy with another payment',
    hint: 'Wait for its outcome, then try again',
  },
  'terminal-absent': {
    sentence: 'No card terminal is connected',
    hint: 'Check the terminal’s cable and power; barrow status shows its state',
  },
  'terminal-ambiguous': {
    sentence: 'The kit has more than one card terminal',
    hint: 'Name the driver’s id in terminal',
  },
  'amount-invalid': {
    sentence: 'The amount cannot be paid by card',
    hint: 'Send a whole number of minor units from 1 to 999999999999',
  },
  'receipt-missing': {
    sentence: 'A reversal needs the receipt number of the payment',
    hint: 'Send receiptNo from 1 to 9999',
  },
  'currency-mismatch': {
    sentence: 'The currency is not the one that this kit trades in',
    hint: 'Use the currency of kit.currency in kit.yaml',
  },
  'idempotency-mismatch': {
    sentence: 'This key was used before with another request',
    hint: 'Use a new Idempotency-Key for a new request',
  },
  'payment-unknown': {
    sentence: 'No payment has this intent id',
    hint: 'Use the intentId that POST /v1/payments answered with',
  },
  'payment-not-unknown': {
    sentence: 'The outcome of this payment is not unknown',
    hint: 'Read it with GET /v1/payments/{intentId}; a booked payment is undone by a reversal',
  },
} as const;

export const paymentFailure: Fail<typeof paymentErrors> = failures(paymentErrors);
