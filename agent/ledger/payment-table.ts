import type { PaymentRow, PaymentTable } from '../core/ledger.ts';
import type { Json } from '../../drivers/api/reading.ts';
import type { Database } from './database.ts';

interface Row {
  readonly intent_id: string;
  readonly driver_id: string;
  readonly step: PaymentRow['step'];
  readonly outcome: PaymentRow['outcome'];
  readonly body: string;
}

const COLUMNS = 'intent_id, driver_id, step, outcome, body';

/** Settled payments that stay for a till's questions; months of a busy kit. Open and unknown ones stay without limit. */
export const SETTLED_PAYMENTS = 20_000;

export interface KeptPaymentTable extends PaymentTable {
  /** Forgets settled payments beyond the newest {@link SETTLED_PAYMENTS}. */
  forget(): void;
}

/** The write-ahead journal of card payments: one row an intent, its newest step. */
export function paymentTable(db: Database): KeptPaymentTable {
  const put = db.prepare<[string, string, string, string, string]>(
    `INSERT INTO payments (${COLUMNS}) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (intent_id) DO UPDATE SET step = excluded.step, outcome = excluded.outcome, body = excluded.body`,
  );
  const find = db.prepare<[string], Row>(`SELECT ${COLUMNS} FROM payments WHERE intent_id = ?`);
  const unsettled = db.prepare<[string], Row>(
    `SELECT ${COLUMNS} FROM payments WHERE driver_id = ? AND (step <> 'done' OR outcome = 'unknown') ORDER BY ordinal`,
  );
  const forget = db.prepare<[number]>(
    `DELETE FROM payments WHERE step = 'done' AND outcome <> 'unknown'
       AND ordinal <= (SELECT max(ordinal) FROM payments) - ?`,
  );
  return {
    forget: () => void forget.run(SETTLED_PAYMENTS),
    put(row) {
      put.run(row.intentId, row.driverId, row.step, row.outcome, JSON.stringify(row.body));
    },
    find(intentId) {
      const row = find.get(intentId);
      return row === undefined ? undefined : toPayment(row);
    },
    unsettled(driverId) {
      return unsettled.all(driverId).map(toPayment);
    },
  };
}

function toPayment(row: Row): PaymentRow {
  return {
    intentId: row.intent_id,
    driverId: row.driver_id,
    step: row.step,
    outcome: row.outcome,
    body: JSON.parse(row.body) as Json,
  };
}
