import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalBytes } from '../../pricing/bundle/canonical.ts';
import { signPayload } from '../../pricing/bundle/sign.ts';
import { sampleBundle } from '../../pricing/testing/samples.ts';
import { runHere } from '../rules/testing/run-here.ts';

const MAIN = new URL('../main.ts', import.meta.url).pathname;
let folder = '';
let epoch = '';
const at = (...names: string[]): string => join(folder, ...names);

interface Verdict {
  readonly status: number;
  readonly ok?: boolean;
  readonly firstBad?: { readonly stream: string; readonly sequence: number; readonly id: string };
  readonly reason?: string;
}

async function verify(state: string, ...more: string[]): Promise<Verdict> {
  const { status, out, err } = await runHere('audit', 'verify', '--state', state, '--json', ...more);
  expect(err).toBe('');
  return { status, ...(JSON.parse(out) as object) };
}

/** A price log of three records, as an agent leaves it that was started and stopped. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'barrow-audit-'));
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(at('merchant.pub'), publicKey.export({ format: 'pem', type: 'spki' }));
  const overrides = [
    { sku: 'TEE-BLK-M', pin: { priceMinor: 1900 }, actor: 'm.lee', reason: 'press day', until: '2099-01-01T00:00:00Z' },
  ];
  const time = { notBefore: '2020-01-01T00:00:00Z', expires: '2099-01-01T00:00:00Z' };
  const bundle = { ...sampleBundle, ...time, overrides };
  writeFileSync(at('rules.json'), JSON.stringify(signPayload(canonicalBytes(bundle), privateKey)));
  writeFileSync(
    at('kit.yaml'),
    [
      'kit: { id: popup-014, group: northern, currency: GBP, timezone: Europe/London }',
      `state: ${at('state')}`,
      'api: { listen: "127.0.0.1:0" }',
      'pricing: { trust: [ { file: merchant.pub } ], bundle: rules.json }',
    ].join('\n'),
  );
  const argv = ['--import', 'tsx', MAIN, 'run', '-c', at('kit.yaml')];
  const agent = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise<number | null>((resolve) => agent.once('exit', resolve));
  // Read to its end: an agent that cannot write its log is another story.
  for await (const line of createInterface(agent.stdout)) if (line.includes('"api-listening"')) agent.kill('SIGTERM');
  expect(await ended).toBe(0);
  epoch = (JSON.parse(readFileSync(at('state', 'audit.head'), 'utf8')) as { epoch: string }).epoch;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A copy of the state folder after a change to it. */
function tampered(change: (state: string) => void): string {
  const state = join(mkdtempSync(join(folder, 'case-')), 'state');
  cpSync(at('state'), state, { recursive: true });
  change(state);
  return state;
}

const sql =
  (...statements: string[]) =>
  (state: string): void => {
    const db = new Sqlite(join(state, 'ledger.db'));
    for (const statement of statements) db.exec(statement);
    db.close();
  };

const head =
  (change: (said: Record<string, unknown>) => unknown) =>
  (state: string): void => {
    const said = JSON.parse(readFileSync(join(state, 'audit.head'), 'utf8')) as Record<string, unknown>;
    const made = change(said);
    writeFileSync(join(state, 'audit.head'), typeof made === 'string' ? made : JSON.stringify(made));
  };

const set = (sequence: number, what: string) => sql(`UPDATE event_price SET ${what} WHERE seq = ${sequence}`);
const json = (path: string, value: string) => set(3, `data = json_set(data, '${path}', ${value})`);
const notes = (from: number): string =>
  `DELETE FROM saved WHERE owner = 'audit' AND key LIKE 'record/%' AND CAST(substr(key, 8) AS INTEGER) >= ${from}`;
const REMOVED = sql('DELETE FROM event_price', `DELETE FROM saved WHERE owner = 'audit'`);

type Case = readonly [name: string, change: (state: string) => void, sequence: number, reason: string];

const CASES: readonly Case[] = [
  ['a later wall time', set(2, 'wall = wall + 1'), 2, 'changed'],
  ['a later monotonic time', set(2, 'mono = mono + 1'), 2, 'changed'],
  ['more trust in the clock', set(1, 'trust = (trust + 1) % 3'), 1, 'changed'],
  ['another boot', set(3, 'boot = boot + 1'), 3, 'changed'],
  ['another boot’s name', sql(`UPDATE boots SET boot_id = 'other'`), 1, 'changed'],
  ['another type', set(2, `type = 'barrow.loss.v1'`), 2, 'changed'],
  ['another subject', set(3, `subject = 'CAP-RED'`), 3, 'changed'],
  ['one space more', set(3, `data = data || ' '`), 3, 'changed'],
  ['another price', json('$.priceMinor', '1899'), 3, 'changed'],
  ['another input', json('$.inputs.clocktrust', `'synced '`), 3, 'changed'],
  ['another state', json('$.stateAfter.rung', '3'), 3, 'changed'],
  ['another binding cap', json('$.boundBy', `json('[]')`), 3, 'changed'],
  ['another chain', json('$.chain.root', `'00'`), 3, 'changed'],
  ['data that is no JSON', set(1, `data = '{'`), 1, 'changed'],
  ['data that is no object', set(3, `data = '[]'`), 3, 'changed'],
  ['a time beyond all time', set(2, 'wall = 9000000000000000000'), 2, 'changed'],
  ['a row deleted', sql('DELETE FROM event_price WHERE seq = 2'), 2, 'missing'],
  ['a row deleted with its note', sql('DELETE FROM event_price WHERE seq = 2', notes(2)), 2, 'missing'],
  ['the first row deleted', sql('DELETE FROM event_price WHERE seq = 1'), 1, 'missing'],
  ['a row moved', set(2, 'seq = 9'), 2, 'missing'],
  ['the tail cut', sql('DELETE FROM event_price WHERE seq > 2'), 3, 'missing'],
  [
    'the tail cut with every word about it in the ledger',
    sql('DELETE FROM event_price WHERE seq > 1', `UPDATE streams SET last = 1 WHERE stream = 'price'`, notes(2)),
    2,
    'missing',
  ],
  [
    'two rows swapped',
    sql(
      ...['-1 WHERE seq = 2', '2 WHERE seq = 3', '3 WHERE seq = -1'].map((to) => `UPDATE event_price SET seq = ${to}`),
    ),
    2,
    'changed',
  ],
  [
    'a row more',
    sql(
      'INSERT INTO event_price SELECT 4, type, subject, data, mono, boot, wall, trust FROM event_price WHERE seq = 3',
    ),
    4,
    'unrecorded',
  ],
  ['all rows deleted', sql('DELETE FROM event_price'), 1, 'missing'],
  ['all rows and every word of the log deleted', REMOVED, 1, 'missing'],
  ['the table dropped', sql('DROP TABLE event_price'), 1, 'missing'],
  ['the table’s column renamed', sql('ALTER TABLE event_price RENAME COLUMN data TO datum'), 1, 'changed'],
  [
    'a note that is none',
    sql(`UPDATE saved SET value = '5' WHERE owner = 'audit' AND key LIKE 'record/%2'`),
    2,
    'unrecorded',
  ],
  [
    'a note nested too deeply',
    sql(`UPDATE saved SET value = printf('%.50000c', '[') WHERE key LIKE 'record/%2'`),
    2,
    'unrecorded',
  ],
  ['the log’s own state gone', sql(`DELETE FROM saved WHERE owner = 'audit' AND key = 'head'`), 1, 'unrecorded'],
  ['another ledger’s epoch', sql(`UPDATE meta SET value = 'other' WHERE key = 'epoch'`), 1, 'other-ledger'],
  ['no epoch', sql('DELETE FROM meta'), 1, 'other-ledger'],
  ['no table of streams', sql('DROP TABLE streams'), 1, 'unreadable'],
  ['a file that ends early', (state) => truncateSync(join(state, 'ledger.db'), 100), 1, 'unreadable'],
  ['an empty file', (state) => truncateSync(join(state, 'ledger.db')), 1, 'unreadable'],
  ['no head', (state) => rmSync(join(state, 'audit.head')), 4, 'head'],
  ['an empty head', head(() => ''), 4, 'head'],
  [
    'a head that is a folder',
    (state) => (rmSync(join(state, 'audit.head')), mkdirSync(join(state, 'audit.head'))),
    4,
    'head',
  ],
  [
    'a head that is a pipe',
    (state) => (rmSync(join(state, 'audit.head')), execFileSync('mkfifo', [join(state, 'audit.head')])),
    4,
    'head',
  ],
  ['a head of many megabytes', (state) => truncateSync(join(state, 'audit.head'), 200_000_000), 4, 'head'],
  ['a head of half a record', head((said) => ({ ...said, size: 2.5 })), 4, 'head'],
  ['a head of no record', head((said) => ({ ...said, size: 0 })), 4, 'head'],
  ['a head beyond the log', head((said) => ({ ...said, size: 9, last: 9 })), 4, 'missing'],
  ['a head with another root', head((said) => ({ ...said, root: 'ab' })), 3, 'head'],
  ['a head at another record', head((said) => ({ ...said, last: 2 })), 3, 'head'],
  ['a head with another origin', head((said) => ({ ...said, origin: 'barrow/other/x/price' })), 4, 'head'],
  ['a head with another signature', head((said) => ({ ...said, signature: 'AAAA' })), 4, 'head'],
  ['a head with another key', head((said) => ({ ...said, publicKey: 'AAAA' })), 4, 'head'],
  ['another kit’s key', (state) => writeFileSync(join(state, 'audit.key'), 'ab'.repeat(32)), 1, 'signature'],
];

describe('barrow audit verify', () => {
  it('passes the log of a stopped agent, whose head beside it reaches the last record', async () => {
    expect(await verify(at('state'))).toEqual({ status: 0, ok: true, records: 3, last: 3 });
    expect(JSON.parse(readFileSync(at('state', 'audit.head'), 'utf8'))).toMatchObject({ size: 3, last: 3 });
  });

  it.each(CASES)('finds %s, and names the first bad record', async (_name, change, sequence, reason) => {
    const verdict = await verify(tampered(change));
    expect(verdict).toMatchObject({ status: 1, ok: false, reason, firstBad: { stream: 'price', sequence } });
    if (reason !== 'unreadable' && reason !== 'other-ledger')
      expect(verdict.firstBad?.id).toBe(`${epoch}/price/${sequence}`);
  });

  it('finds every single bit that is flipped in the texts of a record', async () => {
    const db = new Sqlite(at('state', 'ledger.db'), { readonly: true });
    const text = db.prepare(`SELECT data FROM event_price WHERE seq = 3`).pluck().get() as string;
    db.close();
    for (let bit = 0; bit < text.length * 8; bit += 397) {
      const bytes = Buffer.from(text);
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const state = tampered(set(3, `data = CAST(x'${bytes.toString('hex')}' AS TEXT)`));
      expect(await verify(state), `bit ${bit}`).toMatchObject({ status: 1, firstBad: { sequence: 3 } });
      rmSync(state, { recursive: true });
    }
  });

  it.each<[string, (state: string) => void]>([
    ['nowhere', (state) => rmSync(state, { recursive: true })],
    ['a file in its place', (state) => (rmSync(state, { recursive: true }), writeFileSync(state, 'x'))],
    [
      'a pipe for a ledger',
      (state) => (rmSync(join(state, 'ledger.db')), execFileSync('mkfifo', [join(state, 'ledger.db')])),
    ],
    ['a folder for a ledger', (state) => (rmSync(join(state, 'ledger.db')), mkdirSync(join(state, 'ledger.db')))],
  ])('calls %s no state folder, for every command that reads one', async (_name, change) => {
    const state = tampered(change);
    expect(await verify(state)).toMatchObject({ status: 2, error: { code: 'state-unreadable' } });
    for (const argv of [
      ['audit', 'export', '--month', '2026-11'],
      ['rules', 'replay'],
    ])
      expect(await runHere(...argv, '--state', state)).toMatchObject({
        status: 2,
        err: expect.stringContaining('error[state-unreadable]') as string,
      });
  });
});

describe('barrow audit export and rules replay', () => {
  it('tell a month and decide it again; with another bundle, side by side', async () => {
    const month = new Date().toISOString().slice(0, 7);
    const exported = await runHere('audit', 'export', '--state', at('state'), '--month', month);
    expect(JSON.parse(exported.out)).toMatchObject({ month, decisions: 1, capsThatBound: { pin: 1 } });
    writeFileSync(at('other.json'), JSON.stringify(sampleBundle));
    const replay = await runHere('rules', 'replay', '--state', at('state'), '--bundle', at('other.json'), '--json');
    expect(JSON.parse(replay.out)).toMatchObject({
      ok: true,
      records: 1,
      identical: 1,
      comparison: [{ sku: 'TEE-BLK-M' }],
    });
  });

  it('answer for whatever was done to a folder, without a bug', async () => {
    const bundles = sql(`UPDATE saved SET value = '5' WHERE owner = 'pricing'`);
    for (const [name, change] of [...CASES, ['bundles that are none', bundles] as const]) {
      const state = tampered(change);
      for (const argv of [
        ['audit', 'export', '--month', '2026-11'],
        ['rules', 'replay'],
      ])
        expect([0, 1], name).toContain((await runHere(...argv, '--state', state, '--json')).status);
    }
  });
});
