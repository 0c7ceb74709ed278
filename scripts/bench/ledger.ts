import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../../drivers/api/driver.ts';
import type { MonoMs } from '../../drivers/api/clock.ts';
import type { JsonObject, Stream } from '../../drivers/api/reading.ts';
import type { PendingEvent } from '../../agent/core/event.ts';
import { systemChance, systemClock } from '../../agent/host/clock.ts';
import { stateDir } from '../../agent/host/state-dir.ts';
import { createIntake } from '../../agent/intake.ts';
import { openDatabase, type Database } from '../../agent/ledger/database.ts';
import { openLedger } from '../../agent/ledger/open-ledger.ts';
import type { SqliteLedger } from '../../agent/ledger/sqlite-ledger.ts';
import type { BenchFigure } from './figure.ts';

const BATCH_ROWS = 100;
/** Batches of one side before the other side has its turn: a few milliseconds, so that both meet the same load. */
const TURN_BATCHES = 10;
const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A scan as the barcode driver emits it, and a sensor value as a shelf does. */
const scan: JsonObject = {
  readerId: 'scanner',
  symbology: 'EAN-13',
  gtin14: '05012345678900',
  elements: [{ ai: '01', value: '05012345678900' }],
};
const value: JsonObject = {
  sensorId: 's1',
  measurements: [{ name: 'temperature', value: 21.37, unit: '°C' }],
  rssiDbm: -61,
};

/**
 * Appends in batches of 100 against bare better-sqlite3 with the same pragmas and bytes, in turns of a few milliseconds;
 * what 50 events a second write to disk by the kernel's own accounting; how fast pending rows are read and acknowledged.
 */
export async function benchLedger(rows = 200_000, wearSeconds = 20): Promise<readonly BenchFigure[]> {
  const { raw, append } = inFolder((folder) => appends(folder, rows));
  const reads = inFolder((folder) => ledgerReads(folder, rows / 4));
  const wear = await diskBytesPerEvent('shelf', value, wearSeconds);
  const scanWear = await diskBytesPerEvent('scan', scan, wearSeconds);
  return [
    {
      name: 'append, batches of 100',
      value: append,
      unit: 'rows/s',
      raw,
      goal: '≥ 0.5 × raw',
      ok: append >= 0.5 * raw,
    },
    { name: 'peek and ack', value: reads, unit: 'rows/s', raw: null, goal: '≥ 80,000', ok: reads >= 80_000 },
    { name: 'disk bytes, sensors at 50/s', value: wear, unit: 'B/event', raw: null, goal: '≤ 700', ok: wear <= 700 },
    // A person waits for a scan: each is committed at once, which costs whole pages. No goal, so that nobody is surprised.
    { name: 'disk bytes, scans at 50/s', value: scanWear, unit: 'B/event', raw: null, goal: '–', ok: true },
  ];
}

function open(folder: string): SqliteLedger {
  return openLedger({
    store: stateDir(folder),
    maxBytes: 256 * 1024 * 1024,
    retainAckedMs: 72 * 3_600_000,
    clock: systemClock(),
    chance: systemChance(),
    log: silent,
  });
}

function event(stream: Stream, data: JsonObject): PendingEvent {
  const type = stream === 'shelf' ? 'barrow.sensor.v1' : 'barrow.scan.v1';
  return { type, stream, subject: 'bench', atMono: performance.now() as MonoMs, data };
}

/** Rows a second of both sides, each over the time of its own turns. */
function appends(folder: string, rows: number): { readonly raw: number; readonly append: number } {
  using ledger = open(join(folder, 'ledger'));
  const db = openDatabase(join(folder, 'raw.db'));
  const rawTurn = bareTurn(db);
  let rawMs = 0;
  let appendMs = 0;
  // The first turn of each warms up.
  for (let done = -BATCH_ROWS * TURN_BATCHES; done < rows; done += BATCH_ROWS * TURN_BATCHES) {
    const start = performance.now();
    rawTurn();
    const half = performance.now();
    for (let batch = 0; batch < TURN_BATCHES; batch += 1) appendBatch(ledger);
    if (done < 0) continue;
    rawMs += half - start;
    appendMs += performance.now() - half;
  }
  db.close();
  return { raw: Math.round((rows / rawMs) * 1000), append: Math.round((rows / appendMs) * 1000) };
}

function appendBatch(ledger: SqliteLedger): void {
  ledger.transaction((tx) => {
    for (let index = 0; index < BATCH_ROWS; index += 1) tx.append(event('scan', scan));
  });
}

/** The same row in one table, one prepared statement, its JSON made once, nothing else. */
function bareTurn(db: Database): () => void {
  db.exec('CREATE TABLE event (seq INTEGER PRIMARY KEY, type, subject, data, mono, boot, wall, trust)');
  const insert = db.prepare('INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const text = JSON.stringify(scan);
  let seq = 0;
  return () => {
    for (let batch = 0; batch < TURN_BATCHES; batch += 1) {
      db.exec('BEGIN IMMEDIATE');
      for (let index = 0; index < BATCH_ROWS; index += 1) {
        seq += 1;
        insert.run(seq, 'barrow.scan.v1', 'bench', text, performance.now(), 1, Date.now(), 2);
      }
      db.exec('COMMIT');
    }
  };
}

function ledgerReads(folder: string, rows: number): number {
  using ledger = open(folder);
  for (let done = 0; done < rows; done += BATCH_ROWS) appendBatch(ledger);
  const start = performance.now();
  let after = 0;
  for (;;) {
    const found = ledger.peek('scan', after, { maxRows: 1024, maxBytes: 256 * 1024 });
    const newest = found.at(-1);
    if (newest === undefined) break;
    after = newest.sequence;
    ledger.ack(
      'scan',
      found.map((row) => row.sequence),
    );
  }
  return perSecond(rows, start);
}

/** Events evenly 50 a second through the real intake; the bytes are `write_bytes` of /proc/self/io (proc(5)). */
async function diskBytesPerEvent(stream: Stream, data: JsonObject, seconds: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'barrow-bench-'));
  const clock = systemClock();
  const stop = new AbortController();
  const ledger = open(folder);
  const intake = createIntake({ ledger, clock, log: silent, observe: () => undefined, published: () => undefined });
  const running = intake.run(stop.signal);
  try {
    const count = seconds * 50;
    const before = writtenBytes();
    const start = clock.monoMs();
    for (let index = 0; index < count; index += 1) {
      await intake.put(event(stream, data));
      if (index % 50 === 49) {
        ledger.ackThrough(stream, index - 25);
        ledger.maintain(clock.monoMs());
      }
      await clock.sleep(Math.max(0, start + (index + 1) * 20 - clock.monoMs()), stop.signal);
    }
    intake.flush();
    // What the log still holds goes to the file with the checkpoint, which belongs to these events.
    ledger[Symbol.dispose]();
    return Math.round((writtenBytes() - before) / count);
  } finally {
    stop.abort(new Error('measured'));
    await running.catch(() => undefined);
    ledger[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  }
}

function writtenBytes(): number {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 'NaN');
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'barrow-bench-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function perSecond(rows: number, startMs: number): number {
  return Math.round((rows / (performance.now() - startMs)) * 1000);
}
