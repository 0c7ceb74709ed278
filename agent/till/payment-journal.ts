import type { Clock } from '../../drivers/api/clock.ts';
import type { OpenPayment, PaymentJournal, PaymentStep } from '../../drivers/api/payment.ts';
import type { JsonObject } from '../../drivers/api/reading.ts';
import type { Ledger, PaymentRow } from '../core/ledger.ts';
import { bodyOf, concludeIn, laterStep, openPayment, withBody, type Commit } from './payment-row.ts';

export interface PaymentJournalParts {
  readonly driverId: string;
  /** For reading. */
  readonly ledger: Pick<Ledger, 'transaction' | 'saved'>;
  /** For writing: on disk when it returns. */
  readonly commit: Commit;
  readonly clock: Clock;
}

/**
 * The write-ahead journal of one payment driver in the ledger. Each call is one transaction and is on disk when it
 * returns; the outcome and its event are one transaction, so neither can exist without the other.
 */
export function createPaymentJournal(parts: PaymentJournalParts): PaymentJournal {
  const { driverId, ledger, commit, clock } = parts;
  const owner = `payments/${driverId}`;

  const rowOf = (row: PaymentRow | undefined, intentId: string): PaymentRow => {
    if (row === undefined) throw new TypeError(`payment ${intentId} was never put into the journal`);
    return row;
  };

  const advance = (intentId: string, step: PaymentStep, facts: JsonObject): void =>
    commit((tx) => {
      const row = rowOf(tx.tables.payments.find(intentId), intentId);
      const body = bodyOf(row);
      tx.tables.payments.put(
        withBody({ ...row, step: laterStep(row.step, step) }, { ...body, facts: { ...body.facts, ...facts } }),
      );
    });

  const unsettled = (fits: (row: PaymentRow) => boolean): readonly OpenPayment[] =>
    ledger.transaction((tx) => tx.tables.payments.unsettled(driverId).filter(fits).map(openPayment));

  return {
    record: advance,
    conclude: (intentId, result) =>
      commit((tx) => {
        const row = rowOf(tx.tables.payments.find(intentId), intentId);
        concludeIn(tx, row, result, { atMono: clock.monoMs(), step: 'outcome' });
      }),
    finish: (intentId) => advance(intentId, 'done', {}),
    open: () => unsettled((row) => row.step !== 'done' && row.outcome !== 'unknown'),
    unknown: () => unsettled((row) => row.outcome === 'unknown'),
    remember: (key, value) => commit((tx) => tx.save(owner, key, value)),
    recall: (key) => ledger.saved(owner, key),
  };
}
