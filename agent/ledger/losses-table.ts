import type { Stream } from '../../drivers/api/reading.ts';
import type { DeclaredLoss } from '../core/ledger.ts';
import type { Database } from './database.ts';

/** Losses that one manifest names; older ones are told as one range. */
export const MANIFEST_LOSSES = 256;

/** One declared loss: `count` events of `from`..`to` are gone; the others in between were delivered or are still held. */
export interface Loss extends DeclaredLoss {
  readonly bytes: number;
}

export interface LossesTable {
  /** `declaredBy` is the sequence of the `barrow.loss.v1` that says so. */
  put(stream: Stream, loss: Loss, declaredBy: number): void;
  /** The loss that an event declared. */
  find(stream: Stream, declaredBy: number): Loss | undefined;
  remove(stream: Stream, declaredBy: number): void;
  /** Ascending; at most {@link MANIFEST_LOSSES}, the oldest folded into one. */
  list(stream: Stream): readonly DeclaredLoss[];
}

interface Row {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly bytes: number;
  readonly reason: string;
}

export function lossesTable(db: Database): LossesTable {
  const columns = 'first AS "from", last AS "to", count, bytes, reason';
  const put = db.prepare<[string, number, number, number, number, string, number]>(
    'INSERT INTO losses (stream, first, last, count, bytes, reason, declared_by) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const find = db.prepare<[string, number], Row>(`SELECT ${columns} FROM losses WHERE stream = ? AND declared_by = ?`);
  const remove = db.prepare<[string, number]>('DELETE FROM losses WHERE stream = ? AND declared_by = ?');
  const newest = db.prepare<[string, number], Row>(
    `SELECT ${columns} FROM losses WHERE stream = ? ORDER BY declared_by DESC LIMIT ?`,
  );
  const older = db.prepare<[string, number], { from: number | null; to: number | null; count: number | null }>(
    `SELECT min(first) AS "from", max(last) AS "to", sum(count) AS count FROM
       (SELECT first, last, count FROM losses WHERE stream = ? ORDER BY declared_by DESC LIMIT -1 OFFSET ?)`,
  );
  return {
    put(stream, loss, declaredBy) {
      put.run(stream, loss.from, loss.to, loss.count, loss.bytes, loss.reason, declaredBy);
    },
    find: (stream, declaredBy) => find.get(stream, declaredBy),
    remove: (stream, declaredBy) => void remove.run(stream, declaredBy),
    list(stream) {
      const recent = newest
        .all(stream, MANIFEST_LOSSES - 1)
        .map(({ from, to, count, reason }): DeclaredLoss => ({ from, to, count, reason }));
      const rest = older.get(stream, MANIFEST_LOSSES - 1);
      if (rest !== undefined && rest.from !== null && rest.to !== null)
        recent.push({ from: rest.from, to: rest.to, count: rest.count ?? 0, reason: 'earlier' });
      return recent.sort((a, b) => a.from - b.from);
    },
  };
}
