import type { Stream } from '../../drivers/api/reading.ts';
import type { Database } from './database.ts';

/** What a stream had reached at a time of the ledger's own clock. */
export interface Mark {
  /** Rows up to here were appended before. */
  readonly last: number;
  /** Rows up to here were delivered before. */
  readonly acked: number;
}

/** Ages of rows without a column: one small row a minute or so and stream, only where something changed. */
export interface MarksTable {
  put(stream: Stream, at: number, mark: Mark): void;
  /** The newest mark at or before a time; zeros when none. */
  at(stream: Stream, time: number): Mark;
  /** When a sequence was last known not to exist yet; `null` when no mark is that old. */
  bornAfter(stream: Stream, sequence: number): number | null;
  /** Forgets marks before a time, keeping the newest of them. */
  forget(stream: Stream, before: number): void;
}

export function marksTable(db: Database): MarksTable {
  const put = db.prepare<[string, number, number, number]>(
    'INSERT OR REPLACE INTO marks (stream, at, last, acked) VALUES (?, ?, ?, ?)',
  );
  const at = db.prepare<[string, number], Mark>(
    'SELECT last, acked FROM marks WHERE stream = ? AND at <= ? ORDER BY at DESC LIMIT 1',
  );
  const bornAfter = db
    .prepare<[string, number], number>('SELECT at FROM marks WHERE stream = ? AND last < ? ORDER BY at DESC LIMIT 1')
    .pluck();
  const forget = db.prepare<[string, string, number]>(
    `DELETE FROM marks WHERE stream = ? AND at < (SELECT max(at) FROM marks WHERE stream = ? AND at <= ?)`,
  );
  return {
    put: (stream, time, mark) => void put.run(stream, time, mark.last, mark.acked),
    at: (stream, time) => at.get(stream, time) ?? { last: 0, acked: 0 },
    bornAfter: (stream, sequence) => bornAfter.get(stream, sequence) ?? null,
    forget: (stream, before) => void forget.run(stream, stream, before),
  };
}
