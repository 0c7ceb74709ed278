import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { MonoMs } from '../../drivers/api/clock.ts';
import { openDatabase, PAGE_BYTES } from './database.ts';
import {
  cleanUp,
  expectAccounted,
  inherited,
  newFolder,
  open,
  payload,
  said,
  scribble,
  shut,
  type Told,
  trade,
} from '../../scripts/lib/ledger-folders.ts';

afterEach(cleanUp);

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
