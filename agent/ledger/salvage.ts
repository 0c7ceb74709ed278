import { STREAMS, type JsonObject, type Stream } from '../../drivers/api/reading.ts';
import { BUDGETS } from './budgets.ts';
import { guarded, isUnreadable, type Database } from './database.ts';
import { inheritedTable } from './inherited-table.ts';
import { RangeSet, type Range } from './range-set.ts';
import { readableRows } from './readable-rows.ts';
import { rowBytes } from './stream-log.ts';

/** Rows of one transaction while salvaging: bounds the log. */
const BATCH_ROWS = 2_000;

/** Missing ranges that the report names per stream. */
export const MISSING_RANGES = 64;

/** Owner and key under which `saved` holds the epoch a second time. */
export const EPOCH_COPY: readonly [owner: string, key: string] = ['ledger', 'epoch'];

export interface StreamSalvage {
  readonly stream: Stream;
  /** Last sequence that the old ledger is known to have given. */
  readonly last: number;
  /** Undelivered rows that were read and will be delivered. */
  readonly rescued: number;
  /** Sequences up to `last` that were neither delivered nor can be read. */
  readonly missing: readonly Range[];
}

export interface SalvageReport {
  /** Epoch of the damaged ledger; `null` when it could not be read. */
  readonly epoch: string | null;
  readonly streams: readonly StreamSalvage[];
  /** Small tables: how many rows came over. */
  readonly kept: {
    readonly saved: number;
    readonly idempotency: number;
    readonly payments: number;
    /** Rows of a still earlier ledger that were waiting. */
    readonly inherited: number;
  };
}

/**
 * Copies what a damaged ledger still gives into a new one: undelivered events under their first identity, payment
 * journal, answers and saved values. Delivered rows stay in the damaged file. What drivers saved stays there too: their
 * first reading after a new ledger counts from anew.
 * Telemetry takes at most half of the new ledger.
 */
export function salvage(source: Database, target: Database, maxBytes: number): SalvageReport {
  const epoch = knownEpoch(source);
  const boots = new Map(
    attempt(() => source.prepare<[], [number, string]>('SELECT boot, boot_id FROM boots').raw().all(), []),
  );
  const answered = epoch === null ? new Map<string, number>() : lastAnswered(source, epoch);
  let room = maxBytes / 2;
  const streams = STREAMS.map((stream): StreamSalvage => {
    const known = knownState(source, stream);
    // Without its epoch a row has no identity a consumer could tell apart; it stays in the damaged file.
    if (epoch === null) return { stream, last: known.last, rescued: 0, missing: [] };
    const accounted = new RangeSet(known.settled);
    const settled = new RangeSet(known.settled);
    let rescued = 0;
    let last = Math.max(known.last, answered.get(stream) ?? 0);
    const inherited = inheritedTable(target);
    inBatches(target, readableRows(source, stream), (row) => {
      last = Math.max(last, row[0]);
      if (settled.has(row[0])) return;
      room -= rowBytes(row);
      if (room < 0 && BUDGETS[stream].evictable) return;
      inherited.put(stream, row, epoch, boots.get(row[5]) ?? 'unknown');
      accounted.add(row[0], row[0]);
      rescued += 1;
    });
    for (const [from, to] of known.losses) accounted.add(from, to);
    return { stream, last, rescued, missing: [...accounted.gaps(1, last)].slice(0, MISSING_RANGES) };
  });
  return { epoch, streams, kept: keepTables(source, target) };
}

function knownEpoch(source: Database): string | null {
  const first = attempt(
    () => source.prepare<[], string>(`SELECT value FROM meta WHERE key = 'epoch'`).pluck().get() ?? null,
    null,
  );
  if (first !== null) return first;
  return attempt(() => {
    const read = source.prepare<[string, string], string>('SELECT value FROM saved WHERE owner = ? AND key = ?');
    const text = read.pluck().get(...EPOCH_COPY);
    return /^"([0-9a-z]+)"$/.exec(text ?? '')?.[1] ?? null;
  }, null);
}

/** The report as data of `barrow.ledger.quarantined.v1`. */
export function salvageData(report: SalvageReport, reason: string, folder: string): JsonObject {
  return {
    reason,
    folder,
    epoch: report.epoch,
    kept: { ...report.kept },
    streams: report.streams
      .filter(({ last }) => last > 0)
      .map(({ stream, last, rescued, missing }) => ({
        stream,
        last,
        rescued,
        missing: missing.map(([from, to]) => ({ from, to })),
      })),
  };
}

/**
 * Last sequence of each stream that an answer to the till names. Counters are written down now and then, and a row that
 * came after is counted by its page alone; what the till was told stands on another one.
 */
function lastAnswered(source: Database, epoch: string): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  const named = new RegExp(`"${epoch}/([a-z]+)/([0-9]{1,15})"`, 'g');
  for (const [answer] of untilBroken(source, 'SELECT answer FROM idempotency'))
    for (const [, stream = '', sequence = ''] of String(answer).matchAll(named))
      last.set(stream, Math.max(last.get(stream) ?? 0, Number(sequence)));
  return last;
}

interface KnownState {
  readonly last: number;
  readonly settled: readonly Range[];
  readonly losses: readonly Range[];
}

function knownState(source: Database, stream: Stream): KnownState {
  const row = attempt(
    () =>
      source
        .prepare<[string], { last: number; settled: string }>('SELECT last, settled FROM streams WHERE stream = ?')
        .get(stream),
    undefined,
  );
  const losses = attempt(
    () => source.prepare<[string], Range>('SELECT first, last FROM losses WHERE stream = ?').raw().all(stream),
    [],
  );
  const marked = attempt(
    () =>
      source.prepare<[string], number | null>('SELECT max(last) FROM marks WHERE stream = ?').pluck().get(stream) ?? 0,
    0,
  );
  return { last: Math.max(row?.last ?? 0, marked), settled: parseRanges(row?.settled), losses };
}

function parseRanges(text: string | undefined): readonly Range[] {
  if (text === undefined) return [];
  try {
    const parsed: unknown = JSON.parse(text);
    if (!Array.isArray(parsed)) return [];
    return parsed.filter(
      (range): range is Range => Array.isArray(range) && range.length === 2 && range.every(Number.isSafeInteger),
    );
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function keepTables(source: Database, target: Database): SalvageReport['kept'] {
  const copy = (columns: string, table: string, where: string, order: string): number => {
    const marks = columns
      .split(', ')
      .map(() => '?')
      .join(', ');
    const put = target.prepare(`INSERT OR IGNORE INTO ${table} (${columns}) VALUES (${marks})`);
    let count = 0;
    inBatches(target, untilBroken(source, `SELECT ${columns} FROM ${table} ${where} ORDER BY ${order}`), (row) => {
      count += put.run(...row).changes;
    });
    return count;
  };
  return {
    saved: copy(
      'owner, key, value',
      'saved',
      `WHERE owner NOT LIKE 'driver/%' AND owner <> '${EPOCH_COPY[0]}' AND json_valid(value)`,
      'owner, key',
    ),
    // The new ledger's time begins at 0, so that each answer is kept for its full time once more.
    idempotency: copy('key, body_hash, status, answer', 'idempotency', 'WHERE json_valid(answer)', 'key'),
    inherited: copy(
      'epoch, stream, seq, type, subject, data, mono, boot_id, wall, trust',
      'inherited',
      'WHERE json_valid(data)',
      'ordinal',
    ),
    payments: copy('intent_id, driver_id, step, outcome, body', 'payments', 'WHERE json_valid(body)', 'ordinal'),
  };
}

function* untilBroken(source: Database, sql: string): Generator<readonly unknown[]> {
  try {
    const rows = guarded(() => source.prepare<[], readonly unknown[]>(sql).raw().iterate());
    for (;;) {
      const step = guarded(() => rows.next());
      if (step.done === true) return;
      yield step.value;
    }
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
}

function inBatches<T>(target: Database, rows: Iterable<T>, take: (row: T) => void): void {
  let open = 0;
  target.exec('BEGIN');
  for (const row of rows) {
    take(row);
    open += 1;
    if (open < BATCH_ROWS) continue;
    target.exec('COMMIT; BEGIN');
    open = 0;
  }
  target.exec('COMMIT');
}

function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return guarded(read);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return otherwise;
  }
}
