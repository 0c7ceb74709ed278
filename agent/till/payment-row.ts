import type { OpenPayment, PaymentIntent, PaymentResult, PaymentStep } from '../../drivers/api/payment.ts';
import type { Json, JsonObject } from '../../drivers/api/reading.ts';
import type { MonoMs } from '../../drivers/api/clock.ts';
import type { LedgerTx, PaymentRow } from '../core/ledger.ts';
import type { PaymentView } from '../core/till.ts';

/** What a row of the payment table holds beside its columns. */
export interface PaymentBody {
  readonly intent: PaymentIntent;
  readonly facts: JsonObject;
  readonly result: PaymentResult | null;
  /** The operator who has settled it; their word is the last one. */
  readonly resolvedBy?: string;
}

/** Work in one transaction that is on disk when the call returns. */
export type Commit = <T>(work: (tx: LedgerTx) => T) => T;

const STEPS: readonly PaymentStep[] = ['intent', 'sent', 'accepted', 'outcome', 'done'];

/** The later of two steps: a journal never goes backwards. */
export function laterStep(one: PaymentStep, other: PaymentStep): PaymentStep {
  return STEPS.indexOf(one) >= STEPS.indexOf(other) ? one : other;
}

/** The body of a row; only the desk and the journal write rows, so its shape is known. */
export function bodyOf(row: PaymentRow): PaymentBody {
  return row.body as unknown as PaymentBody;
}

export function withBody(row: PaymentRow, body: PaymentBody): PaymentRow {
  return { ...row, body: body as unknown as Json };
}

export function openPayment(row: PaymentRow): OpenPayment {
  const { intent, facts, result } = bodyOf(row);
  return { intent, step: row.step, facts, ...(result === null ? {} : { result }) };
}

/**
 * What was asked for has happened, as far as the terminal said: it must know that we know before it is final, unless it
 * stays away.
 */
function needsTelling(row: PaymentRow): boolean {
  const { intent, facts } = bodyOf(row);
  if (facts['away'] === true) return false;
  const reversal = intent.kind === 'reversal';
  return row.outcome === 'approved' || row.outcome === 'refunded' || (reversal && row.outcome === 'reversed');
}

/** True while neither the terminal nor an operator has the last word. */
export function isPending(row: PaymentRow): boolean {
  return row.outcome === 'pending' || (row.step !== 'done' && needsTelling(row));
}

export function viewOf(row: PaymentRow): PaymentView {
  const { intent, result } = bodyOf(row);
  const known = isPending(row) ? null : result;
  return {
    intentId: row.intentId,
    deviceId: row.driverId,
    amountMinor: known?.amountMinor ?? intent.amountMinor,
    currency: intent.currency,
    outcome: isPending(row) ? 'pending' : row.outcome,
    terminalId: known?.terminalId ?? null,
    receiptNo: known?.receiptNo ?? null,
    trace: known?.trace ?? null,
    maskedPan: known?.maskedPan ?? null,
    reason: known?.reason ?? null,
  };
}

/**
 * Puts an outcome into a row and appends `barrow.payment.v1` for it, in one transaction. The same outcome again changes
 * nothing; another outcome corrects the first one, with an event of its own.
 */
export function concludeIn(
  tx: LedgerTx,
  row: PaymentRow,
  result: PaymentResult,
  extra: { readonly atMono: MonoMs; readonly step: PaymentStep; readonly actor?: string },
): PaymentRow {
  const body = bodyOf(row);
  if (body.resolvedBy !== undefined) return row;
  const step = laterStep(row.step, extra.step);
  if (row.outcome === result.outcome && extra.actor === undefined) {
    const same = { ...row, step };
    if (step !== row.step) tx.tables.payments.put(same);
    return same;
  }
  const next = withBody(
    { ...row, step, outcome: result.outcome },
    { ...body, result, ...(extra.actor === undefined ? {} : { resolvedBy: extra.actor }) },
  );
  tx.tables.payments.put(next);
  tx.append({
    type: 'barrow.payment.v1',
    stream: 'sale',
    subject: row.driverId,
    atMono: extra.atMono,
    data: {
      deviceId: row.driverId,
      intentId: row.intentId,
      outcome: result.outcome,
      amountMinor: result.amountMinor ?? body.intent.amountMinor,
      currency: body.intent.currency,
      terminalId: result.terminalId,
      receiptNo: result.receiptNo,
      trace: result.trace,
      maskedPan: result.maskedPan,
      reason: result.reason,
      ...(extra.actor === undefined ? {} : { actor: extra.actor }),
    },
  });
  return next;
}

/** A result that says no more than its outcome and reason. */
export function bareResult(outcome: PaymentResult['outcome'], reason: string | null): PaymentResult {
  return { outcome, terminalId: null, receiptNo: null, trace: null, maskedPan: null, reason };
}
