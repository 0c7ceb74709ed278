import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MonoMs } from '../../drivers/api/clock.ts';
import type { JsonObject } from '../../drivers/api/reading.ts';
import { openIn } from '../../scripts/lib/ledger-folders.ts';
import { stateDir } from '../host/state-dir.ts';
import { PAGE_BYTES } from './database.ts';
import { resealedLog } from './log-damage.ts';

const COMMITS = 40;
const root = mkdtempSync(join(tmpdir(), 'barrow-log-'));
let database: Uint8Array;
let log: Uint8Array;
let epoch: string;
/** Where the log's present generation ends after each commit; older frames may lie behind. */
const ends: number[] = [];
let scenes = 0;

/** Bytes up to the first frame of an older generation, which has other salts than the header. */
function written(bytes: Buffer): number {
  const salts = bytes.subarray(16, 24);
  let end = 32;
  while (end + 24 <= bytes.length && bytes.subarray(end + 8, end + 16).equals(salts)) end += 24 + PAGE_BYTES;
  return end;
}

const payload = (stream: string, n: number): JsonObject =>
  stream === 'sale' ? { n, fill: `sale-${n}-`.repeat(12) } : { n };

beforeAll(() => {
  const folder = join(root, 'origin');
  using ledger = openIn(folder);
  for (let n = 1; n <= COMMITS; n += 1) {
    ledger.transaction((tx) => {
      const base = { type: 'barrow.test.v1', subject: 'till', atMono: 1 as MonoMs };
      for (const stream of ['sale', 'scan'] as const) tx.append({ ...base, stream, data: payload(stream, n) });
    });
    ends.push(written(readFileSync(join(folder, 'ledger.db-wal'))));
  }
  database = readFileSync(join(folder, 'ledger.db'));
  log = readFileSync(join(folder, 'ledger.db-wal'));
  epoch = ledger.epoch;
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A state folder as the origin's, with this log. */
function scene(bytes: Uint8Array): string {
  const folder = join(root, `scene-${(scenes += 1)}`);
  stateDir(folder).ensure();
  writeFileSync(join(folder, 'ledger.db'), database);
  writeFileSync(join(folder, 'ledger.db-wal'), bytes);
  return folder;
}

test('a whole log and one torn anywhere in its last transaction are left to SQLite', () => {
  expect(resealedLog(log)).toBeNull();
  const last = ends.at(-2) ?? 0;
  fc.assert(
    fc.property(fc.integer({ min: last, max: (ends.at(-1) ?? 0) - 1 }), fc.constantFrom(0x00, 0x5a), (from, fill) => {
      expect(resealedLog(log.subarray(0, from))).toBeNull();
      expect(resealedLog(Uint8Array.from(log, (byte, at) => (at < from ? byte : fill)))).toBeNull();
    }),
    { numRuns: 20 },
  );
});

test('a log of any bytes and of any length is read without a throw', () => {
  for (let length = 0; length < 200; length += 1) expect(resealedLog(log.subarray(0, length))).toBeNull();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9_000 }), (bytes) => {
      expect(resealedLog(bytes)).toBeNull();
    }),
  );
});

test('a log damaged before its last transactions begins a new epoch, and what was told comes under its first identity', () => {
  const end = ends.at(-4) ?? 0;
  let came = 0;
  let rounds = 0;
  fc.assert(
    fc.property(fc.nat({ max: end - 65 }), fc.uint8Array({ minLength: 1, maxLength: 64 }), (at, blow) => {
      const bytes = Uint8Array.from(log);
      for (const [index, byte] of blow.entries()) bytes[at + index] = (bytes[at + index] ?? 0) ^ (byte | 1);
      using ledger = openIn(scene(bytes));
      // Two bytes of the header, a version number and a count of checkpoints, mean nothing to a reader.
      if (ledger.epoch === epoch) {
        expect(ledger.range('sale', 1, 100, 100)).toHaveLength(COMMITS);
        return;
      }
      const rows = ledger.peekInherited({ maxRows: 1_000, maxBytes: Infinity });
      for (const row of rows) {
        expect(row.epoch).toBe(epoch);
        expect(row.data).toEqual(payload(row.stream, row.sequence));
      }
      const said = ledger.range('agent', 1, 1, 1)[0]?.data['streams'] as unknown as readonly {
        readonly stream: string;
        readonly last: number;
        readonly missing: readonly { readonly from: number; readonly to: number }[];
      }[];
      const sale = said.find(({ stream }) => stream === 'sale');
      const have = new Set(rows.filter(({ stream }) => stream === 'sale').map(({ sequence }) => sequence));
      for (let sequence = 1; sequence <= COMMITS; sequence += 1)
        expect(
          have.has(sequence) || sale?.missing.some(({ from, to }) => from <= sequence && sequence <= to),
          `sale ${sequence}`,
        ).toBe(true);
      came += have.size;
      rounds += 1;
    }),
    { numRuns: 25 },
  );
  // Pages that took rows are rewritten by later commits, so that hardly a row is lost with its frame.
  expect(came).toBeGreaterThan(rounds * COMMITS * 0.9);
});
