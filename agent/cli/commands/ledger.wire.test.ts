import { execFile } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { MonoMs } from '../../../drivers/api/clock.ts';
import { systemChance, systemClock } from '../../host/clock.ts';
import { stateDir } from '../../host/state-dir.ts';
import { openLedger } from '../../ledger/open-ledger.ts';
import type { SqliteLedger } from '../../ledger/sqlite-ledger.ts';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const main = new URL('../main.ts', import.meta.url).pathname;
let folder = '';
let ledger: SqliteLedger;

interface Answer {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

function barrow(...args: readonly string[]): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', main, ...args], (error, out, err) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}

function open(): SqliteLedger {
  return openLedger({
    store: stateDir(folder),
    maxBytes: 16 * 1024 * 1024,
    retainAckedMs: 3_600_000,
    clock: systemClock(),
    chance: systemChance(),
    log: quiet,
  });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'barrow-ledger-cli-'));
  ledger = open();
  ledger.transaction((tx) => {
    for (let n = 1; n <= 20; n += 1)
      tx.append({ type: 'barrow.sale.v1', stream: 'sale', subject: 'till', atMono: 1 as MonoMs, data: { n } });
    tx.append({ type: 'barrow.scan.v1', stream: 'scan', subject: 'scanner', atMono: 1 as MonoMs, data: { text: 'x' } });
    tx.save('agent', 'kit', { id: 'popup-014', node: 'leeds' });
  });
  ledger.ack('sale', [1, 2, 3]);
});

afterEach(() => {
  ledger[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('stats and verify read the ledger while the agent holds it', async () => {
  ledger.flush();
  const { status, out } = await barrow('ledger', 'stats', '--state', folder, '--json');
  expect(status).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    epoch: ledger.epoch,
    streams: [{ stream: 'sale', last: 20, delivered: 3, pending: 17 }, {}, { stream: 'scan', last: 1 }, {}, {}, {}],
  });
  const verified = await barrow('ledger', 'verify', '--state', folder);
  expect(verified.status).toBe(0);
  expect(verified.out).toContain('sale      20 accepted = 3 delivered + 17 pending + 0 declared lost');
});

test('export gives CloudEvents in order, from one stream and range', async () => {
  const { status, out } = await barrow(
    'ledger',
    'export',
    '--state',
    folder,
    '--stream',
    'sale',
    '--from',
    '5',
    '--to',
    '7',
  );
  expect(status).toBe(0);
  const events = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string });
  expect(events.map((event) => event.id)).toEqual([5, 6, 7].map((n) => `${ledger.epoch}/sale/${n}`));
  expect(events[0]).toMatchObject({ source: '/kits/popup-014', node: 'leeds', data: { n: 5 } });
});

test('verify says no when rows went that nobody declared', async () => {
  ledger[Symbol.dispose]();
  const { default: Sqlite } = await import('better-sqlite3');
  const db = new Sqlite(join(folder, 'ledger.db'));
  db.exec('DELETE FROM event_sale WHERE seq = 9');
  db.close();
  ledger = open();
  const { status, out } = await barrow('ledger', 'verify', '--state', folder, '--json');
  expect(status).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ ok: false, streams: [{ unaccounted: [[9, 9]] }, {}, {}, {}, {}, {}] });
});

test('salvage writes what a damaged file still gives, and says that it is damaged', async () => {
  ledger[Symbol.dispose]();
  const fd = openSync(join(folder, 'ledger.db'), 'r+');
  writeSync(fd, new Uint8Array(100), 0, 100, 0);
  closeSync(fd);
  const out = join(folder, 'rescued.jsonl');
  const { status, err } = await barrow('ledger', 'salvage', '--state', folder, '--out', out);
  expect(status).toBe(1);
  expect(err).toContain('21 rows, damaged');
  expect(readFileSync(out, 'utf8').trim().split('\n')).toHaveLength(21);
  ledger = open();
});

test('a folder without a ledger is a wrong command line', async () => {
  const { status, out } = await barrow('ledger', 'stats', '--state', join(folder, 'nowhere'), '--json');
  expect(status).toBe(2);
  expect(JSON.parse(out)).toMatchObject({ error: { code: 'ledger-absent' } });
});

test.each(['export', 'salvage'])('%s says which file it cannot write, whatever is wrong with it', async (name) => {
  ledger.flush();
  for (const out of [join(folder, 'absent', 'x.jsonl'), folder]) {
    const answer = await barrow('ledger', name, '--state', folder, '--out', out);
    expect(answer.err).toContain(`error[file-unwritable]: The file cannot be written: ${out}`);
    expect(answer.status).toBe(2);
  }
});

test('what is no ledger is called absent', async () => {
  const empty = join(folder, 'empty');
  const taken = join(folder, 'taken');
  mkdirSync(empty);
  writeFileSync(join(empty, 'ledger.db'), '');
  mkdirSync(join(taken, 'ledger.db'), { recursive: true });
  for (const state of [empty, taken]) {
    const answer = await barrow('ledger', 'stats', '--state', state);
    expect(answer.err).toContain('error[ledger-absent]');
    expect(answer.status).toBe(2);
  }
});
