import type { MonoMs } from '../../drivers/api/clock.ts';
import type { JsonObject, Stream } from '../../drivers/api/reading.ts';
import type { PendingEvent } from '../core/event.ts';
import { PASS_ROWS } from './budgets.ts';
import type { Loss, LossesTable } from './losses-table.ts';
import { RangeSet } from './range-set.ts';
import { rowBytes, type EventRow, type StreamLog } from './stream-log.ts';
import { thin } from './thinning.ts';

export const LOSS_TYPE = 'barrow.loss.v1';

/** Appends one event; the ledger's own, inside the running transaction. */
export type Append = (event: PendingEvent) => number;

export interface Shedding {
  readonly losses: LossesTable;
  readonly append: Append;
  readonly nowMono: () => MonoMs;
}

/** Says a loss where a consumer looks for it: in the stream itself, in the same transaction as the drop. */
export function declare(log: StreamLog, shedding: Shedding, loss: Loss): number {
  const { from, to, count, bytes, reason } = loss;
  const data: JsonObject = { from, to, count, bytes, reason };
  const event = { type: LOSS_TYPE, stream: log.stream, subject: 'ledger', data, atMono: shedding.nowMono() };
  const sequence = shedding.append(event);
  shedding.losses.put(log.stream, loss, sequence);
  return sequence;
}

/**
 * Drops the oldest undelivered rows, at most {@link PASS_ROWS} and until `bytes` are freed, and declares them.
 * An undelivered declaration among them is not lost: its range joins the new one.
 * Returns the sequence of the declaration, `null` when nothing was there to drop.
 */
export function dropOldest(
  log: StreamLog,
  shedding: Shedding,
  limit: { readonly bytes: number; readonly through: number; readonly reason: string },
): number | null {
  const rows = oldestPending(log, limit);
  const first = rows[0];
  const last = rows.at(-1);
  if (first === undefined || last === undefined) return null;
  // A lone declaration would only be replaced by another one.
  if (rows.length === 1 && first[1] === LOSS_TYPE) return null;
  const loss = foldLosses(log.stream, shedding.losses, rows, limit.reason);
  for (const [from, to] of runs(rows)) log.remove(from, to);
  const bytes = rows.reduce((sum, row) => sum + rowBytes(row), 0);
  log.state.heldBytes -= bytes;
  log.state.pendingBytes -= bytes;
  log.state.lost += rows.length;
  // Before the oldest undelivered row nothing waits, so that the whole beginning is settled.
  log.state.settled = withRange(log.state.settled, 1, last[0]);
  log.dirty = 'rows';
  return declare(log, shedding, loss);
}

function oldestPending(
  log: StreamLog,
  limit: { readonly bytes: number; readonly through: number },
): readonly EventRow[] {
  const rows = log.pending(0, { maxRows: PASS_ROWS, maxBytes: Math.max(1, limit.bytes) });
  const end = rows.findIndex((row) => row[0] > limit.through);
  return end === -1 ? rows : rows.slice(0, end);
}

function foldLosses(stream: Stream, losses: LossesTable, rows: readonly EventRow[], reason: string): Loss {
  let from = rows[0]?.[0] ?? 0;
  let count = rows.length;
  let bytes = 0;
  for (const row of rows) {
    bytes += rowBytes(row);
    if (row[1] !== LOSS_TYPE) continue;
    const earlier = losses.find(stream, row[0]);
    if (earlier === undefined) continue;
    losses.remove(stream, row[0]);
    from = Math.min(from, earlier.from);
    count += earlier.count;
    bytes += earlier.bytes;
  }
  return { from, to: rows.at(-1)?.[0] ?? 0, count, bytes, reason };
}

/** Makes one row a minute and sensor of the oldest undelivered rows after `after`. Returns how far it looked. */
export function thinOldest(
  log: StreamLog,
  shedding: Shedding,
  after: number,
): { readonly through: number; readonly declaredBy: number | null } {
  const rows = log.pending(after, { maxRows: PASS_ROWS, maxBytes: Infinity });
  const { drop, rewrite } = thin(rows);
  const through = rows.at(-1)?.[0] ?? after;
  const first = drop[0];
  const last = drop.at(-1);
  if (first === undefined || last === undefined) return { through, declaredBy: null };
  let bytes = 0;
  for (const row of drop) {
    log.remove(row[0], row[0]);
    bytes += rowBytes(row);
  }
  let grown = 0;
  for (const { row, data } of rewrite) {
    log.rewrite(row[0], data);
    grown += Buffer.byteLength(data) - Buffer.byteLength(row[3]);
  }
  log.state.heldBytes += grown - bytes;
  log.state.pendingBytes += grown - bytes;
  log.state.lost += drop.length;
  log.dirty = 'rows';
  const loss = { from: first[0], to: last[0], count: drop.length, bytes, reason: 'thinned' };
  return { through, declaredBy: declare(log, shedding, loss) };
}

/**
 * Forgets delivered rows up to `through`, at most {@link PASS_ROWS}. The newest row always stays: it carries the last
 * sequence. Returns how many went.
 */
export function forgetSettled(log: StreamLog, through: number): number {
  const first = log.first();
  if (first === null) return 0;
  const end = Math.min(through, log.settledThrough(), log.state.last - 1, first + PASS_ROWS - 1);
  if (end < first) return 0;
  const { count, bytes } = log.tally(first, end);
  log.remove(first, end);
  log.state.heldBytes -= bytes;
  log.dirty = 'rows';
  return count;
}

/** A copy with one more range: the original is what a rollback returns to. */
export function withRange(set: RangeSet, from: number, to: number): RangeSet {
  const copy = new RangeSet(set.ranges);
  copy.add(from, to);
  return copy;
}

function runs(rows: readonly EventRow[]): readonly (readonly [number, number])[] {
  const set = new RangeSet();
  for (const row of rows) set.add(row[0], row[0]);
  return set.ranges;
}
