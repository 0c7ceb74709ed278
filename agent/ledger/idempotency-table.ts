import type { IdempotencyTable } from '../core/ledger.ts';
import type { Json } from '../../drivers/api/reading.ts';
import type { Database } from './database.ts';

/** How long an answer is kept at least, in time that the ledger was open. */
export const IDEMPOTENCY_KEEP_MS: number = 7 * 24 * 60 * 60 * 1000;

interface Row {
  readonly body_hash: string;
  readonly status: number;
  readonly answer: string;
}

export interface KeptIdempotencyTable extends IdempotencyTable {
  /** Forgets answers older than {@link IDEMPOTENCY_KEEP_MS}, at most `limit` of them. */
  forget(limit: number): void;
}

/** `nowMs` is the ledger's own time: it neither jumps nor restarts with the machine. */
export function idempotencyTable(db: Database, nowMs: () => number): KeptIdempotencyTable {
  const find = db.prepare<[string], Row>('SELECT body_hash, status, answer FROM idempotency WHERE key = ?');
  const put = db.prepare<[string, string, number, string, number]>(
    `INSERT INTO idempotency (key, body_hash, status, answer, at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET body_hash = excluded.body_hash, status = excluded.status, answer = excluded.answer`,
  );
  const forget = db.prepare<[number, number]>(
    'DELETE FROM idempotency WHERE key IN (SELECT key FROM idempotency WHERE at < ? ORDER BY at LIMIT ?)',
  );
  return {
    find(key) {
      const row = find.get(key);
      if (row === undefined) return undefined;
      return { bodyHash: row.body_hash, status: row.status, answer: JSON.parse(row.answer) as Json };
    },
    put(key, entry) {
      put.run(key, entry.bodyHash, entry.status, JSON.stringify(entry.answer), nowMs());
    },
    forget(limit) {
      forget.run(nowMs() - IDEMPOTENCY_KEEP_MS, limit);
    },
  };
}
