import type { Stream } from '../../drivers/api/reading.ts';
import type { StoredEvent } from '../core/event.ts';
import type { InheritedId } from '../core/ledger.ts';
import type { Database } from './database.ts';
import { toStoredEvent, rowBytes, type EventRow } from './stream-log.ts';

/** Rows of an earlier file, each with the identity it was born with. */
export interface InheritedTable {
  /** Takes a row over; one that is there already stays. */
  put(stream: Stream, row: EventRow, epoch: string, bootId: string): void;
  peek(limit: { readonly maxRows: number; readonly maxBytes: number }): readonly StoredEvent[];
  remove(ids: readonly InheritedId[]): void;
  count(): number;
}

interface Row {
  readonly epoch: string;
  readonly stream: Stream;
  readonly seq: number;
  readonly type: string;
  readonly subject: string;
  readonly data: string;
  readonly mono: number;
  readonly boot_id: string;
  readonly wall: number;
  readonly trust: number;
}

export function inheritedTable(db: Database): InheritedTable {
  const put = db.prepare<[string, string, number, string, string, string, number, string, number, number]>(
    `INSERT OR IGNORE INTO inherited (epoch, stream, seq, type, subject, data, mono, boot_id, wall, trust)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const peek = db.prepare<[number], Row>('SELECT * FROM inherited ORDER BY ordinal LIMIT ?');
  const remove = db.prepare<[string, string, number]>(
    'DELETE FROM inherited WHERE epoch = ? AND stream = ? AND seq = ?',
  );
  const count = db.prepare<[], number>('SELECT count(*) FROM inherited').pluck();
  return {
    put(stream, row, epoch, bootId) {
      const [seq, type, subject, data, mono, , wall, trust] = row;
      put.run(epoch, stream, seq, type, subject, data, mono, bootId, wall, trust);
    },
    peek(limit) {
      const events: StoredEvent[] = [];
      let bytes = 0;
      for (const row of peek.all(limit.maxRows)) {
        const event: EventRow = [row.seq, row.type, row.subject, row.data, row.mono, 0, row.wall, row.trust];
        bytes += rowBytes(event);
        if (events.length > 0 && bytes > limit.maxBytes) break;
        events.push(toStoredEvent(row.stream, event, row.epoch, row.boot_id));
      }
      return events;
    },
    remove(ids) {
      for (const id of ids) remove.run(id.epoch, id.stream, id.sequence);
    },
    count: () => count.get() ?? 0,
  };
}
