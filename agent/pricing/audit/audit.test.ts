import { sign } from 'node:crypto';
import type Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { sampleBundle } from '../testing/samples.ts';
import { makeKit, type TestKit } from '../testing/kit.ts';
import type { AuditHead } from './audit-log.ts';
import { checkpointText, leafBytes } from './leaf.ts';
import { kitKeyFrom } from './kit-key.ts';
import { EMPTY_FRONTIER, grow, leafHash, rootOf, toHex } from './merkle.ts';
import { merchant } from '../testing/sample-offers.ts';
import { badAt, kitWithRecords, verdictAfter } from '../../../scripts/lib/audited-kit.ts';

describe('an audit of the price log', () => {
  it('passes an untouched log and counts its records', () => {
    const kit = kitWithRecords();
    const last = kit.events().length;
    expect(last).toBeGreaterThan(20);
    expect(verdictAfter(kit, () => undefined, kit.heads.at(-1))).toEqual({ ok: true, records: last, last });
  });

  it('names the first record of a ledger whose records are gone with their table, and calls one without its words damaged', () => {
    const kit = kitWithRecords();
    const drop = (table: string) => (db: Sqlite.Database) => void db.exec(`DROP TABLE ${table}`);
    expect(verdictAfter(kit, drop('event_price'))).toEqual(badAt(kit, 1, 'missing'));
    for (const table of ['saved', 'streams', 'meta', 'boots'])
      expect(() => verdictAfter(kit, drop(table)), table).toThrow(expect.objectContaining({ code: 'ledger-corrupt' }));
  });

  it('names any single record of which one bit was flipped, in any column that says something', () => {
    const kit = kitWithRecords();
    const last = kit.events().length;
    for (let sequence = 1; sequence <= last; sequence += 1)
      for (const [column, change] of [
        ['data', `data || ' '`],
        ['data', `replace(data, 'e', 'd')`],
        ['type', `type || 'x'`],
        ['subject', `'CAP'`],
        ['mono', 'mono + 1'],
        ['wall', 'wall + 1'],
        ['trust', '1 - trust'],
        ['boot', 'boot + 1'],
      ])
        expect(
          verdictAfter(
            kit,
            (db) => void db.prepare(`UPDATE event_price SET ${column} = ${change} WHERE seq = ?`).run(sequence),
          ),
          `${column} of ${sequence}`,
        ).toEqual(badAt(kit, sequence, 'changed'));
  });

  it('names any single record that was deleted', () => {
    const kit = kitWithRecords();
    for (let sequence = 1; sequence <= kit.events().length; sequence += 1)
      expect(verdictAfter(kit, (db) => void db.prepare('DELETE FROM event_price WHERE seq = ?').run(sequence))).toEqual(
        badAt(kit, sequence, 'missing'),
      );
  });

  it('names the first of two records that changed places', () => {
    const kit = kitWithRecords();
    const verdict = verdictAfter(kit, (db) => {
      db.exec('UPDATE event_price SET seq = 1000 WHERE seq = 4; UPDATE event_price SET seq = 4 WHERE seq = 9');
      db.exec('UPDATE event_price SET seq = 9 WHERE seq = 1000');
    });
    expect(verdict).toEqual(badAt(kit, 4, 'changed'));
  });

  it('names the first missing record of a cut tail, even when the counters were cut as well', () => {
    const kit = kitWithRecords();
    const last = kit.events().length;
    const cut = (db: Sqlite.Database): void => void db.prepare('DELETE FROM event_price WHERE seq > ?').run(last - 5);
    expect(verdictAfter(kit, cut)).toEqual(badAt(kit, last - 4, 'missing'));
    const verdict = verdictAfter(kit, (db) => {
      cut(db);
      db.prepare(`UPDATE streams SET last = ? WHERE stream = 'price'`).run(last - 5);
    });
    expect(verdict).toEqual(badAt(kit, last - 4, 'missing'));
  });

  it('finds a chain that was rewritten from one record on with all its hashes, for want of the kit’s key', () => {
    const kit = kitWithRecords();
    const verdict = verdictAfter(kit, (db) => rewrite(db, kit, 6, kitKeyFrom(new Uint8Array(32).fill(9))));
    expect(verdict).toEqual(badAt(kit, 6, 'signature'));
  });

  it('finds a chain that was rewritten whole under another key once the kit’s key is known', () => {
    const kit = kitWithRecords();
    const verdict = verdictAfter(kit, (db) => rewrite(db, kit, 1, kitKeyFrom(new Uint8Array(32).fill(9))));
    expect(verdict).toEqual(badAt(kit, 1, 'signature'));
  });

  it('lets retention take delivered records from the front, and nothing else', () => {
    const kit = makeKit({ trust: [merchant.trusted], retainAckedMs: 4 * 3_600_000 });
    kit.commit((tx) => kit.pricing.offer(tx, merchant.sign(sampleBundle), 'test'));
    kit.tick();
    const first = kit.events().length;
    for (let round = 0; round < 8; round += 1) {
      kit.clock.pass(3_600_000);
      kit.commit((tx) =>
        kit.pricing.override(tx, {
          sku: 'TEE-BLK-M',
          action: { pin: { priceMinor: 1800 + round } },
          actor: 'm.lee',
          reason: 'r',
          until: '2026-11-28T20:00:00Z',
        }),
      );
      kit.tick();
    }
    const remove = (through: number) => (db: Sqlite.Database) =>
      void db.prepare('DELETE FROM event_price WHERE seq <= ?').run(through);
    expect(verdictAfter(kit, remove(first))).toMatchObject({ ok: true });
    expect(verdictAfter(kit, (db) => void db.prepare('DELETE FROM event_price WHERE seq = 2').run())).toEqual(
      badAt(kit, 2, 'missing'),
    );
    const last = kit.events().length;
    expect(verdictAfter(kit, remove(last - 1))).toMatchObject({ ok: false, reason: 'missing' });
    const forged = verdictAfter(kit, (db) => {
      remove(last - 1)(db);
      const head = JSON.parse(
        String(db.prepare(`SELECT value FROM saved WHERE owner = 'audit' AND key = 'head'`).pluck().get()),
      ) as AuditHead;
      db.prepare(`UPDATE saved SET value = ? WHERE owner = 'audit' AND key = 'head'`).run(
        JSON.stringify({ ...head, mayBeGone: last }),
      );
    });
    expect(forged).toMatchObject({ ok: false });
  });
});

/** What somebody with the folder and all of this code, but without the kit's key, can do. */
function rewrite(db: Sqlite.Database, kit: TestKit, from: number, key: ReturnType<typeof kitKeyFrom>): void {
  db.prepare(`UPDATE event_price SET data = replace(data, 'm.lee', 'n.lee') WHERE seq = ?`).run(from);
  db.prepare(`UPDATE event_price SET data = replace(data, 'acme', 'acne') WHERE seq = ?`).run(from);
  const saved = db.prepare<[], string>(`SELECT value FROM saved WHERE owner = 'audit' AND key = 'head'`).pluck();
  const head = JSON.parse(saved.get()!) as AuditHead;
  const rows = db.prepare<[], [number, string, string, string, number, number]>(
    'SELECT seq, type, subject, data, mono, wall FROM event_price ORDER BY seq',
  );
  let frontier = EMPTY_FRONTIER;
  let signature = '';
  for (const [sequence, type, subject, data, atMono, wallMs] of rows.raw().all()) {
    const record = { sequence, type, subject, data, atMono, wallMs, bootId: 'boot-1', clockTrust: 'synced' as const };
    const leaf = leafHash(leafBytes(kit.ledger.epoch, record));
    frontier = grow(frontier, leaf);
    if (record.sequence < from) continue;
    const text = checkpointText(head.origin, frontier.size, rootOf(frontier));
    signature = sign(null, Buffer.from(text), key.privateKey).toString('base64');
    const note = JSON.stringify([toHex(leaf), signature, wallMs, 'synced']);
    db.prepare(`UPDATE saved SET value = ? WHERE owner = 'audit' AND key = ?`).run(
      note,
      `record/${String(record.sequence).padStart(12, '0')}`,
    );
  }
  const forged = {
    ...head,
    root: toHex(rootOf(frontier)),
    peaks: frontier.peaks.map(toHex),
    signature,
    ...(from === 1 ? { publicKey: key.publicKey } : {}),
  };
  db.prepare(`UPDATE saved SET value = ? WHERE owner = 'audit' AND key = 'head'`).run(JSON.stringify(forged));
}
