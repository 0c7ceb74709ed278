import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { JsonObject, Stream } from '../../drivers/api/reading.ts';
import type { StoredEvent } from '../../agent/core/event.ts';
import { stateDir } from '../../agent/host/state-dir.ts';
import type { LedgerFiles } from '../../agent/ledger/files.ts';
import { openLedger } from '../../agent/ledger/open-ledger.ts';
import type { SqliteLedger } from '../../agent/ledger/sqlite-ledger.ts';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const folders: string[] = [];
let opened: SqliteLedger[] = [];

/** Closes and removes what a test opened and made. */
export function cleanUp(): void {
  for (const ledger of opened) ledger[Symbol.dispose]();
  opened = [];
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'barrow-ledger-'));
  folders.push(folder);
  return folder;
}

/** A ledger in a folder, under a clock that stands still; who opens it closes it. */
export function openIn(folder: string, checkedBytes?: number, files: LedgerFiles = stateDir(folder)): SqliteLedger {
  return openLedger({
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
}

export function open(folder: string, checkedBytes?: number, files?: LedgerFiles): SqliteLedger {
  const ledger = openIn(folder, checkedBytes, files);
  opened.push(ledger);
  return ledger;
}

export function shut(ledger: SqliteLedger): void {
  ledger[Symbol.dispose]();
  opened = opened.filter((each) => each !== ledger);
}

export const payload = (stream: Stream, n: number): JsonObject => ({ n, fill: `${stream}-${n}-`.repeat(12) });

let template: { readonly bytes: Uint8Array; readonly epoch: string } | undefined;

/** Puts the ledger of a day's trade into a folder; its epoch. */
export function trade(folder: string): string {
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

export function scribble(path: string, at: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

export function inherited(ledger: SqliteLedger): readonly StoredEvent[] {
  return ledger.peekInherited({ maxRows: 100_000, maxBytes: Infinity });
}

export function said(ledger: SqliteLedger): JsonObject | undefined {
  return ledger.range('agent', 1, 1, 1).find((row) => row.type === 'barrow.ledger.quarantined.v1')?.data;
}

export interface Told {
  readonly stream: Stream;
  readonly last: number;
  readonly rescued: number;
  readonly missing: readonly { readonly from: number; readonly to: number }[];
}

/** Every undelivered row is either there as it was or named as missing. */
export function expectAccounted(ledger: SqliteLedger, oldEpoch: string): void {
  const rows = inherited(ledger);
  for (const row of rows) {
    strictEqual(row.epoch, oldEpoch);
    deepStrictEqual(row.data, payload(row.stream, row.sequence));
  }
  const streams = said(ledger)?.['streams'] as unknown as readonly Told[];
  for (const { stream, last, missing } of streams) {
    const have = new Set(rows.filter((row) => row.stream === stream).map((row) => row.sequence));
    for (let sequence = stream === 'sale' ? 501 : 1; sequence <= last; sequence += 1) {
      const named = missing.some(({ from, to }) => from <= sequence && sequence <= to);
      ok(have.has(sequence) || named, `${stream}/${sequence}`);
    }
  }
}
