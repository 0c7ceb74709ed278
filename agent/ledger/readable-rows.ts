import type { Stream } from '../../drivers/api/reading.ts';
import { guarded, isUnreadable, type Database } from './database.ts';
import type { EventRow } from './stream-log.ts';

/** Sequences never reach this: 2^40 events are 35,000 years at one a second. */
const BEYOND = 2 ** 40;

/** Attempts to find a readable row behind unreadable ones, per stream: bounds the work on a ruined file. */
const PROBES = 4_096;

/**
 * Every row of one stream, from a sequence on, that a damaged database still gives, ascending. Where a page is gone it looks for the next
 * sequence that can be read: doubling the step, then halving back.
 */
export function* readableRows(db: Database, stream: Stream, start = 1): Generator<EventRow> {
  const columns = 'seq, type, subject, data, mono, boot, wall, trust';
  const sql = `SELECT ${columns} FROM event_${stream} WHERE seq >= ? ORDER BY seq`;
  let from = start;
  let probes = PROBES;
  for (;;) {
    const walk = walkFrom(db, sql, from);
    let step = walk.next();
    try {
      for (; step.done !== true; step = walk.next()) {
        from = step.value[0] + 1;
        if (sound(step.value)) yield step.value;
      }
    } finally {
      // A reader that has enough leaves no statement running.
      walk.return('end');
    }
    if (step.value === 'end') return;
    const found = nextReadable(from, (seq) => (probes -= 1) > 0 && canRead(db, sql, seq));
    if (found === null) return;
    from = found;
  }
}

/** Rows until the end or until a page cannot be read. */
function* walkFrom(db: Database, sql: string, from: number): Generator<EventRow, 'end' | 'broken'> {
  let rows: IterableIterator<EventRow> | undefined;
  try {
    rows = guarded(() => db.prepare<[number], EventRow>(sql).raw().iterate(from));
    const open = rows;
    for (;;) {
      const step = guarded(() => open.next());
      if (step.done === true) return 'end';
      yield step.value;
    }
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return 'broken';
  } finally {
    rows?.return?.();
  }
}

/** The smallest sequence after `from` from which reading works again; `null` when none does. */
function nextReadable(from: number, readable: (seq: number) => boolean): number | null {
  let broken = from;
  let step = 1;
  while (!readable(from + step)) {
    broken = from + step;
    step *= 2;
    if (step > BEYOND) return null;
  }
  let works = from + step;
  while (works - broken > 1) {
    const middle = Math.floor((broken + works) / 2);
    if (readable(middle)) works = middle;
    else broken = middle;
  }
  return works;
}

function canRead(db: Database, sql: string, seq: number): boolean {
  try {
    guarded(() => db.prepare<[number], EventRow>(`${sql} LIMIT 1`).raw().get(seq));
    return true;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return false;
  }
}

/** SQLite has no checksums: a row whose texts or numbers are not what was written is not a row. */
function sound(row: EventRow): boolean {
  const [seq, type, subject, data, mono, boot, wall, trust] = row as readonly unknown[];
  if (typeof type !== 'string' || typeof subject !== 'string' || typeof data !== 'string') return false;
  if (![seq, mono, boot, wall, trust].every((value) => typeof value === 'number' && Number.isFinite(value)))
    return false;
  try {
    const parsed: unknown = JSON.parse(data);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
