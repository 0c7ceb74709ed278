import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  closeSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { JsonObject, Stream } from '../../drivers/api/reading.ts';
import type { StoredEvent } from '../core/event.ts';
import { stateDir } from '../host/state-dir.ts';
import { openDatabase, PAGE_BYTES } from './database.ts';
import type { LedgerFiles } from './files.ts';
import { openLedger } from './open-ledger.ts';
import type { SqliteLedger } from './sqlite-ledger.ts';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const folders: string[] = [];
let opened: SqliteLedger[] = [];

afterEach(() => {
  for (const ledger of opened) ledger[Symbol.dispose]();
  opened = [];
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'barrow-ledger-'));
  folders.push(folder);
  return folder;
}

function open(folder: string, checkedBytes?: number, files: LedgerFiles = stateDir(folder)): SqliteLedger {
  const ledger = openLedger({
    store: files,
    maxBytes: 64 * 1024 * 1024,
    retainAckedMs: 3_600_000,
    clock: {
      bootId: 'boot-1',
      monoMs: () => 1000 as MonoMs,
      wallMs: () => 1_764_000_000_000 as WallMs,
      trust: () => 'synced',
      sleep: () => Promise.reject(new Error('the ledger never sleeps')),
    },
    chance: { float: () => 0.5, bytes: (length) => randomBytes(length) },
    log: quiet,
    ...(checkedBytes === undefined ? {} : { checkedBytes }),
  });
  opened.push(ledger);
  return ledger;
}

function shut(ledger: SqliteLedger): void {
  ledger[Symbol.dispose]();
  opened = opened.filter((each) => each !== ledger);
}

const payload = (stream: Stream, n: number): JsonObject => ({ n, fill: `${stream}-${n}-`.repeat(12) });

let template: { readonly bytes: Uint8Array; readonly epoch: string } | undefined;

function trade(folder: string): string {
  template ??= makeTemplate();
  writeFileSync(join(folder, 'ledger.db'), template.bytes);
  return template.epoch;
}

/** A ledger with 3,000 sales, of which the first 500 are delivered, 800 scans, a payment under way and driver state. */
function makeTemplate(): { bytes: Uint8Array; epoch: string } {
  const folder = newFolder();
  const ledger = open(folder);
  for (let batch = 0; batch < 30; batch += 1)
    ledger.transaction((tx) => {
      for (let n = batch * 100 + 1; n <= batch * 100 + 100; n += 1) {
        const base = { type: 'barrow.test.v1', subject: 'till', atMono: 1 as MonoMs };
        tx.append({ ...base, stream: 'sale', data: payload('sale', n) });
        if (n <= 800) tx.append({ ...base, stream: 'scan', data: payload('scan', n) });
      }
    });
  ledger.ackThrough('sale', 500);
  ledger.transaction((tx) => {
    tx.tables.payments.put({ intentId: 'p1', driverId: 'terminal', step: 'sent', outcome: 'pending', body: { a: 1 } });
    tx.tables.idempotency.put('key', { bodyHash: 'h', status: 201, answer: { ok: true }, atMono: 1 as MonoMs });
    tx.save('pricing', 'state', { rung: 2 });
    tx.save('driver/shelves', 'count', 3);
  });
  const { epoch } = ledger;
  shut(ledger);
  return { bytes: readFileSync(join(folder, 'ledger.db')), epoch };
}

function scribble(path: string, at: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

function inherited(ledger: SqliteLedger): readonly StoredEvent[] {
  return ledger.peekInherited({ maxRows: 100_000, maxBytes: Infinity });
}

function said(ledger: SqliteLedger): JsonObject | undefined {
  return ledger.range('agent', 1, 1, 1).find((row) => row.type === 'barrow.ledger.quarantined.v1')?.data;
}

interface Told {
  readonly stream: Stream;
  readonly last: number;
  readonly rescued: number;
  readonly missing: readonly { readonly from: number; readonly to: number }[];
}

/** Every undelivered row is either there as it was or named as missing. */
function expectAccounted(ledger: SqliteLedger, oldEpoch: string): void {
  const rows = inherited(ledger);
  for (const row of rows) {
    expect(row.epoch).toBe(oldEpoch);
    expect(row.data).toEqual(payload(row.stream, row.sequence));
  }
  const streams = said(ledger)?.['streams'] as unknown as readonly Told[];
  for (const { stream, last, missing } of streams) {
    const have = new Set(rows.filter((row) => row.stream === stream).map((row) => row.sequence));
    for (let sequence = stream === 'sale' ? 501 : 1; sequence <= last; sequence += 1) {
      const named = missing.some(({ from, to }) => from <= sequence && sequence <= to);
      expect(have.has(sequence) || named, `${stream}/${sequence}`).toBe(true);
    }
  }
}

test('a healthy ledger opens again as it was', () => {
  const folder = newFolder();
  const epoch = trade(folder);
  const ledger = open(folder);
  expect(ledger.epoch).toBe(epoch);
  expect(inherited(ledger)).toEqual([]);
  expect(existsSync(join(folder, 'quarantine'))).toBe(false);
});

test('a second process is refused with a clear word', () => {
  const folder = newFolder();
  open(folder);
  expect(() => open(folder)).toThrow(expect.objectContaining({ code: 'ledger-locked' }));
});

/** Number from 0 of the page on which a text stands. */
function pageHolding(file: Uint8Array, text: string): number {
  const at = Buffer.from(file).indexOf(text);
  expect(at).toBeGreaterThan(0);
  return Math.floor(at / PAGE_BYTES);
}

test('overwritten pages cost their own rows only; the rest is delivered under its first identity', () => {
  const folder = newFolder();
  const epoch = trade(folder);
  const path = join(folder, 'ledger.db');
  const pages = Math.floor(statSync(path).size / PAGE_BYTES);
  for (const part of [0.3, 0.5, 0.7])
    scribble(path, Math.floor(pages * part) * PAGE_BYTES, new Uint8Array(PAGE_BYTES).fill(0xa5));
  const ledger = open(folder);
  expect(ledger.epoch).not.toBe(epoch);
  expect(said(ledger)).toMatchObject({ epoch });
  const rows = inherited(ledger);
  expect(rows.length).toBeGreaterThan(3000);
  expect(rows.length).toBeLessThan(3300);
  expectAccounted(ledger, epoch);
  const [kept] = readdirSync(join(folder, 'quarantine'));
  expect(readdirSync(join(folder, 'quarantine', kept!))).toContain('ledger.db');
});

test('the payment under way, answers and prices come along; what drivers counted does not', () => {
  const folder = newFolder();
  trade(folder);
  const path = join(folder, 'ledger.db');
  scribble(path, Math.floor(statSync(path).size / PAGE_BYTES / 2) * PAGE_BYTES, new Uint8Array(PAGE_BYTES));
  const ledger = open(folder);
  expect(said(ledger)).toBeDefined();
  ledger.transaction((tx) => {
    expect(tx.tables.payments.unsettled('terminal').map((row) => row.intentId)).toEqual(['p1']);
    expect(tx.tables.idempotency.find('key')?.status).toBe(201);
  });
  expect(ledger.saved('pricing', 'state')).toEqual({ rung: 2 });
  expect(ledger.saved('driver/shelves', 'count')).toBeUndefined();
});

test.each([
  ['its header', 0, 100],
  ['its whole first page', 0, PAGE_BYTES],
])('a file that lost %s gives up all its rows', (_what, at, length) => {
  const folder = newFolder();
  const epoch = trade(folder);
  scribble(join(folder, 'ledger.db'), at, new Uint8Array(length));
  const ledger = open(folder);
  expect(inherited(ledger)).toHaveLength(2500 + 800);
  expectAccounted(ledger, epoch);
  expect(readdirSync(folder).filter((name) => name.includes('salvage') || name.includes('next'))).toEqual([]);
});

test('rows keep their identity when the page that names their epoch is gone', () => {
  const folder = newFolder();
  const epoch = trade(folder);
  const path = join(folder, 'ledger.db');
  const root = pageHolding(readFileSync(path), `epoch${epoch}`);
  scribble(path, root * PAGE_BYTES, new Uint8Array(PAGE_BYTES));
  const ledger = open(folder);
  expect(said(ledger)).toMatchObject({ epoch });
  expect(inherited(ledger)).toHaveLength(2500 + 800);
  expectAccounted(ledger, epoch);
});

test('a file cut in half gives up its half', () => {
  const folder = newFolder();
  const epoch = trade(folder);
  const path = join(folder, 'ledger.db');
  truncateSync(path, Math.floor(statSync(path).size / PAGE_BYTES / 2) * PAGE_BYTES);
  const ledger = open(folder);
  expect(inherited(ledger).length).toBeGreaterThan(500);
  expectAccounted(ledger, epoch);
});

test('a file of other bytes is set aside and the agent goes on with an empty ledger', () => {
  const folder = newFolder();
  trade(folder);
  writeFileSync(join(folder, 'ledger.db'), 'this is no database, it only stands where one was\n'.repeat(400));
  const ledger = open(folder);
  expect(said(ledger)).toMatchObject({ epoch: null });
  expect(inherited(ledger)).toEqual([]);
});

test('rows that were rescued wait until they are delivered, through restarts and through a second damage', () => {
  const folder = newFolder();
  const epoch = trade(folder);
  scribble(join(folder, 'ledger.db'), 0, new Uint8Array(100));
  const first = open(folder);
  first.ackInherited(
    inherited(first)
      .slice(0, 1000)
      .map(({ stream, sequence }) => ({ epoch, stream, sequence })),
  );
  shut(first);
  const again = open(folder);
  expect(again.epoch).toBe(first.epoch);
  expect(inherited(again)).toHaveLength(2300);
  shut(again);
  scribble(join(folder, 'ledger.db'), 0, new Uint8Array(100));
  const second = open(folder);
  expect(second.epoch).not.toBe(first.epoch);
  const rows = inherited(second);
  expect(rows.filter((row) => row.epoch === epoch)).toHaveLength(2300);
  expect(rows.filter((row) => row.epoch === first.epoch).map((row) => row.type)).toEqual([
    'barrow.ledger.quarantined.v1',
  ]);
});

test('a start that was cut between the two renames finds the new file and uses it', () => {
  const folder = newFolder();
  const epoch = trade(folder);
  scribble(join(folder, 'ledger.db'), 0, new Uint8Array(100));
  const ledger = open(folder);
  const newEpoch = ledger.epoch;
  shut(ledger);
  renameSync(join(folder, 'ledger.db'), join(folder, 'ledger.next.db'));
  const after = open(folder);
  expect(after.epoch).toBe(newEpoch);
  expect(inherited(after).every((row) => row.epoch === epoch)).toBe(true);
});

test('a preparation that was cut short is thrown away and done again', () => {
  const folder = newFolder();
  const epoch = trade(folder);
  scribble(join(folder, 'ledger.db'), 0, new Uint8Array(100));
  writeFileSync(join(folder, 'ledger.next.db'), readFileSync(join(folder, 'ledger.db')).subarray(0, 5000));
  const ledger = open(folder);
  expect(inherited(ledger)).toHaveLength(3300);
  expectAccounted(ledger, epoch);
});

test('a disk that others fill stops growth, keeps telemetry out and costs no row that is there', () => {
  const folder = newFolder();
  let free: number | null = 1e9;
  const files = { ...stateDir(folder), freeBytes: () => free };
  const ledger = open(folder, undefined, files);
  const base = { type: 'barrow.test.v1', subject: 't', atMono: 1 as MonoMs };
  const put = (stream: Stream, n: number): void =>
    ledger.transaction((tx) => {
      for (let index = 0; index < n; index += 1) tx.append({ ...base, stream, data: payload(stream, index) });
    });
  put('sale', 2000);
  put('footfall', 2000);
  ledger.maintain(1 as MonoMs);
  free = 0;
  ledger.maintain(6000 as MonoMs);
  // The ledger's own clock stands at 1,000 ms in this file, so that the next look at the disk is at the next start.
  shut(ledger);
  const full = open(folder, undefined, files);
  full.maintain(1 as MonoMs);
  const { maxBytes, streams } = full.depth();
  expect(streams.map(({ lostRows }) => lostRows)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(maxBytes).toBeLessThanOrEqual(statSync(join(folder, 'ledger.db')).size);
  const size = statSync(join(folder, 'ledger.db')).size;
  for (let round = 0; round < 20; round += 1)
    full.transaction((tx) => {
      for (let index = 0; index < 20; index += 1) tx.append({ ...base, stream: 'sale', data: payload('sale', index) });
    });
  shut(full);
  expect(statSync(join(folder, 'ledger.db')).size).toBe(size);
});

test('damage found while the ledger is open is noted, and the next start sets the file aside', () => {
  const folder = newFolder();
  const epoch = trade(folder);
  stateDir(folder).markDamaged();
  const ledger = open(folder);
  expect(ledger.epoch).not.toBe(epoch);
  expect(inherited(ledger)).toHaveLength(3300);
  const current = ledger.epoch;
  shut(ledger);
  expect(open(folder).epoch).toBe(current);
});

test('damage that no check at start saw is found by the read that meets it, and mended by the next start', () => {
  const folder = newFolder();
  const epoch = trade(folder);
  const path = join(folder, 'ledger.db');
  scribble(path, Math.floor(statSync(path).size / PAGE_BYTES / 2) * PAGE_BYTES, new Uint8Array(PAGE_BYTES).fill(0xa5));
  const ledger = open(folder, 0);
  expect(ledger.epoch).toBe(epoch);
  expect(() => {
    for (const stream of ['sale', 'scan'] as const) ledger.peek(stream, 0, { maxRows: 100_000, maxBytes: Infinity });
  }).toThrow(expect.objectContaining({ code: 'ledger-corrupt' }));
  shut(ledger);
  const after = open(folder, 0);
  expect(after.epoch).not.toBe(epoch);
  expectAccounted(after, epoch);
});

/** The page, from 0, that holds a text; the last one where several do. */
function pageWith(bytes: Uint8Array, text: string): number {
  const at = Buffer.from(bytes).lastIndexOf(text);
  expect(at).toBeGreaterThan(0);
  return Math.floor(at / PAGE_BYTES);
}

test.each([
  ['a clean stop wrote the counters down', true],
  ['the till’s answers alone tell how far it went', false],
])('the newest rows are named when their page is gone: %s', (_why, clean) => {
  const SALES = 60;
  const folder = newFolder();
  const ledger = open(folder);
  for (let n = 1; n <= SALES; n += 1)
    ledger.transaction((tx) => {
      const { sequence } = tx.append({
        type: 'barrow.test.v1',
        stream: 'sale',
        subject: 'till',
        atMono: 1 as MonoMs,
        data: payload('sale', n),
      });
      const answer = { eventId: `${ledger.epoch}/sale/${sequence}`, sequence: String(sequence) };
      if (!clean) tx.tables.idempotency.put(`k${n}`, { bodyHash: 'h', status: 201, answer, atMono: 1 as MonoMs });
    });
  const { epoch } = ledger;
  const scene = newFolder();
  const path = join(scene, 'ledger.db');
  if (clean) shut(ledger);
  writeFileSync(path, readFileSync(join(folder, 'ledger.db')));
  if (!clean) writeFileSync(`${path}-wal`, readFileSync(join(folder, 'ledger.db-wal')));
  // Closing folds the log in.
  openDatabase(path).close();
  const bytes = readFileSync(path);
  scribble(path, pageWith(bytes, `sale-${SALES}-`) * PAGE_BYTES, new Uint8Array(PAGE_BYTES));
  const after = open(scene);
  expect(after.epoch).not.toBe(epoch);
  const streams = (said(after)?.['streams'] ?? []) as unknown as readonly Told[];
  const told = streams.find(({ stream }) => stream === 'sale')!;
  expect(told.last).toBe(SALES);
  const came = inherited(after).length;
  const named = told.missing.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  expect(named).toBeGreaterThan(0);
  expect(came + named).toBe(SALES);
});

test('a log that a power cut tore gives every commit before the tear and nothing after it', () => {
  const folder = newFolder();
  const ledger = open(folder);
  const log = join(folder, 'ledger.db-wal');
  const ends: number[] = [];
  for (let n = 1; n <= 40; n += 1) {
    ledger.transaction((tx) => {
      const base = { type: 'barrow.test.v1', subject: 'till', atMono: 1 as MonoMs };
      tx.append({ ...base, stream: 'sale', data: payload('sale', n) });
      tx.append({ ...base, stream: 'scan', data: payload('scan', n) });
    });
    ends.push(statSync(log).size);
  }
  const database = readFileSync(join(folder, 'ledger.db'));
  const bytes = readFileSync(log);
  fc.assert(
    fc.property(fc.integer({ min: ends[0]!, max: bytes.length }), fc.boolean(), (cut, garbage) => {
      const scene = newFolder();
      writeFileSync(join(scene, 'ledger.db'), database);
      // Either the file ends at the tear, or blocks that were never written follow it.
      const torn = garbage
        ? Buffer.concat([bytes.subarray(0, cut), Buffer.alloc(bytes.length - cut, 0x5a)])
        : bytes.subarray(0, cut);
      writeFileSync(join(scene, 'ledger.db-wal'), torn);
      const after = open(scene);
      const whole = ends.filter((end) => end <= cut).length;
      for (const stream of ['sale', 'scan'] as const)
        expect(after.range(stream, 1, 1000, 1000).map((row) => row.sequence)).toEqual(
          Array.from({ length: whole }, (_, index) => index + 1),
        );
      expect(after.epoch).toBe(ledger.epoch);
      shut(after);
    }),
    { numRuns: 25 },
  );
});

test('whatever is scribbled over the file, the ledger opens, invents nothing and names what it misses', () => {
  const folder = newFolder();
  const epoch = trade(folder);
  const whole = readFileSync(join(folder, 'ledger.db'));
  const blow = fc.record({
    at: fc.nat({ max: whole.length - 1 }),
    length: fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 3 * PAGE_BYTES })),
    fill: fc.constantFrom(0x00, 0xff, 0xa5),
  });
  fc.assert(
    fc.property(fc.array(blow, { minLength: 1, maxLength: 6 }), (blows) => {
      const scene = newFolder();
      const bytes = new Uint8Array(whole);
      for (const { at, length, fill } of blows) bytes.fill(fill, at, at + length);
      writeFileSync(join(scene, 'ledger.db'), bytes);
      const ledger = open(scene);
      const report = said(ledger);
      // A blow into free space or into a text harms nothing that SQLite could see.
      if (report?.['epoch'] === epoch) {
        const known = new Map(
          (report['streams'] as unknown as readonly Told[]).map((told) => [told.stream, told.last]),
        );
        for (const row of inherited(ledger)) expect(row.sequence).toBeLessThanOrEqual(known.get(row.stream) ?? 0);
      }
      ledger.transaction((tx) =>
        tx.append({ type: 'barrow.test.v1', stream: 'sale', subject: 't', atMono: 1 as MonoMs, data: {} }),
      );
      shut(ledger);
    }),
    { numRuns: 12 },
  );
}, 60_000);
