import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { MonoMs } from '../../drivers/api/clock.ts';
import type { Stream } from '../../drivers/api/reading.ts';
import { stateDir } from '../host/state-dir.ts';
import { PAGE_BYTES } from './database.ts';
import {
  cleanUp,
  expectAccounted,
  inherited,
  newFolder,
  open,
  payload,
  scribble,
  shut,
  trade,
} from '../../scripts/lib/ledger-folders.ts';

afterEach(cleanUp);

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
