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
  /** A transaction was rolled back: what `list` remembers may never have been. */
  undo(): void;
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
  // Manifests ask often and losses are rare.
  const listed = new Map<Stream, readonly DeclaredLoss[]>();
  return {
    undo: () => listed.clear(),
    put(stream, loss, declaredBy) {
      listed.delete(stream);
      put.run(stream, loss.from, loss.to, loss.count, loss.bytes, loss.reason, declaredBy);
    },
    find: (stream, declaredBy) => find.get(stream, declaredBy),
    remove(stream, declaredBy) {
      listed.delete(stream);
      remove.run(stream, declaredBy);
    },
    list(stream) {
      const known = listed.get(stream);
      if (known !== undefined) return known;
      const recent = newest
        .all(stream, MANIFEST_LOSSES - 1)
        .map(({ from, to, count, reason }): DeclaredLoss => ({ from, to, count, reason }));
      const rest = older.get(stream, MANIFEST_LOSSES - 1);
      if (rest !== undefined && rest.from !== null && rest.to !== null)
        recent.push({ from: rest.from, to: rest.to, count: rest.count ?? 0, reason: 'earlier' });
      recent.sort((a, b) => a.from - b.from);
      listed.set(stream, recent);
      return recent;
    },
  };
}
