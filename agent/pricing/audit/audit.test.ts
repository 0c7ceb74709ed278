import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sign } from 'node:crypto';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAuditReader } from '../../ledger/audit-reader.ts';
import { sampleBundle } from '../testing/samples.ts';
import { makeKit, makeMerchant, type TestKit } from '../testing/kit.ts';
import type { AuditHead } from './audit-log.ts';
import { readAnchor } from './files.ts';
import { checkpointText, leafBytes } from './leaf.ts';
import { kitKeyFrom } from './kit-key.ts';
import { EMPTY_FRONTIER, grow, leafHash, rootOf, toHex } from './merkle.ts';
import { verifyAudit, type AuditVerdict } from './verify.ts';

const merchant = makeMerchant();
let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'barrow-audit-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A day's worth of records: a bundle, overrides, prices, checkpoints. */
function kitWithRecords(): TestKit {
  const kit = makeKit({ trust: [merchant.trusted] });
  kit.commit((tx) => kit.pricing.offer(tx, merchant.sign(sampleBundle), 'test'));
  for (let round = 0; round < 12; round += 1) {
    kit.commit((tx) =>
      kit.pricing.override(tx, {
        sku: 'TEE-BLK-M',
        action: { pin: { priceMinor: 1800 + round } },
        actor: 'm.lee',
        reason: 'press day',
        until: '2026-11-27T20:00:00Z',
      }),
    );
    kit.tick(60_000);
  }
  return kit;
}

function verdictAfter(
  kit: TestKit,
  tamper: (db: Sqlite.Database) => void,
  head: (AuditHead & { readonly epoch?: string }) | null = kit.heads.at(-1) ?? null,
): AuditVerdict {
  const path = join(folder, 'ledger.db');
  writeFileSync(path, kit.ledger.image());
  const db = new Sqlite(path);
  tamper(db);
  db.close();
  using reader = openAuditReader(path);
  return verifyAudit({
    ...reader,
    records: reader.rows(),
    anchor: head === null ? null : { epoch: kit.ledger.epoch, ...head },
    key: null,
  });
}

const badAt = (kit: TestKit, sequence: number, reason: string): object => ({
  ok: false,
  firstBad: { stream: 'price', sequence, id: `${kit.ledger.epoch}/price/${sequence}` },
  reason,
});

describe('an audit of the price log', () => {
  it('passes an untouched log and counts its records', () => {
    const kit = kitWithRecords();
    const last = kit.events().length;
    expect(last).toBeGreaterThan(20);
    expect(verdictAfter(kit, () => undefined, kit.heads.at(-1))).toEqual({ ok: true, records: last, last });
  });

  it('misses the head that lies outside of the database wherever one was kept, or had to be', () => {
    const kit = kitWithRecords();
    const last = kit.events().length;
    expect(verdictAfter(kit, () => undefined, null)).toEqual(badAt(kit, last + 1, 'head'));
    const forget = (db: Sqlite.Database): void => void db.exec(`DELETE FROM saved WHERE key = 'kept'`);
    expect(verdictAfter(kit, forget, null)).toEqual(badAt(kit, last + 1, 'head'));
    const gone = (db: Sqlite.Database): void => {
      db.exec(`DELETE FROM event_price; DELETE FROM saved WHERE owner = 'audit' AND key <> 'kept'`);
      db.exec(`DELETE FROM streams WHERE stream = 'price'`);
    };
    expect(verdictAfter(kit, gone, null)).toEqual(badAt(kit, 1, 'missing'));
  });

  it('misses no head of a kit that never priced, nor of one that stopped within its first minute before it kept one', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    expect(verdictAfter(kit, () => undefined, null)).toEqual({ ok: true, records: 0, last: 0 });
    kit.commit((tx) => kit.pricing.offer(tx, merchant.sign(sampleBundle), 'test'));
    expect(kit.heads).toEqual([]);
    expect(verdictAfter(kit, () => undefined, null)).toMatchObject({ ok: true });
    kit.tick();
    expect(verdictAfter(kit, () => undefined, null)).toMatchObject({ ok: false, reason: 'head' });
  });

  it('tries again to keep a head that could not be written, and does not miss it until then', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    kit.commit((tx) => kit.pricing.offer(tx, merchant.sign(sampleBundle), 'test'));
    kit.writable = false;
    kit.tick();
    expect(verdictAfter(kit, () => undefined, null)).toMatchObject({ ok: true });
    kit.writable = true;
    kit.tick();
    expect(kit.heads).toHaveLength(1);
  });

  it('takes no file for a head that does not say one', () => {
    for (const text of ['', 'null', '[]', '7', '{"origin":', '{"origin":"barrow/x/y/price","epoch":"y","size":"1"}'])
      expect(readAnchor(new TextEncoder().encode(text)), text).toBe(null);
  });

  it('names the first record of a ledger whose records are gone with their table, and calls one without its words damaged', () => {
    const kit = kitWithRecords();
    const drop = (table: string) => (db: Sqlite.Database) => void db.exec(`DROP TABLE ${table}`);
    expect(verdictAfter(kit, drop('event_price'))).toEqual(badAt(kit, 1, 'missing'));
    for (const table of ['saved', 'streams', 'meta', 'boots'])
      expect(() => verdictAfter(kit, drop(table)), table).toThrow(expect.objectContaining({ code: 'ledger-corrupt' }));
  });

  it('begins a new log in a ledger that took the place of a damaged one, and names the one before it', () => {
    const damaged = kitWithRecords();
    const former = JSON.parse(
      JSON.stringify(damaged.ledger.saved('audit', 'head')).replaceAll(damaged.ledger.epoch, 'a-former-epoch'),
    ) as AuditHead;
    const kit = makeKit({ trust: [merchant.trusted] });
    kit.commit((tx) => {
      tx.save('audit', 'head', former as never);
      tx.save('audit', 'kept', 'a-former-epoch');
      tx.save('audit', 'clock/boot-1', [5, 'signed for another log']);
      tx.save('clock', 'anchor', { bootId: 'boot-1', offsetMs: 1_795_000_000_000 });
    });
    expect(verdictAfter(kit, () => undefined, null)).toEqual({ ok: true, records: 0, last: 0 });
    kit.clock.trusted = 'unset';
    kit.tick();
    kit.commit((tx) => kit.pricing.offer(tx, merchant.sign(sampleBundle), 'test'));
    kit.ledger.restamp(1_795_000_000_000, 'synced');
    kit.tick();
    const { root, size, last, origin } = former;
    expect(kit.events('barrow.checkpoint.v1')[0]!.data).toMatchObject({ origin, root, size, last });
    expect(kit.events()[0]!.sequence).toBe(1);
    const records = kit.events().length;
    expect(verdictAfter(kit, () => undefined)).toEqual({ ok: true, records, last: records });
  });

  it('keeps its head outside from the first moment on where it took another’s place, and then misses it', () => {
    const damaged = kitWithRecords();
    const former = damaged.ledger.saved('audit', 'head');
    const kit = makeKit({ trust: [merchant.trusted] });
    kit.commit((tx) => {
      tx.save('audit', 'head', JSON.parse(JSON.stringify(former).replaceAll(damaged.ledger.epoch, 'former')) as never);
    });
    const old = { ...damaged.heads.at(-1)!, epoch: 'former' };
    expect(verdictAfter(kit, () => undefined, old)).toMatchObject({ ok: false, reason: 'other-ledger' });
    kit.tick();
    kit.pricing.keepHead();
    expect(kit.heads).toHaveLength(1);
    expect(verdictAfter(kit, () => undefined)).toEqual({ ok: true, records: 1, last: 1 });
    expect(verdictAfter(kit, () => undefined, old)).toMatchObject({ ok: false, reason: 'other-ledger' });
    kit.tick();
    expect(kit.heads).toHaveLength(1);
    expect(verdictAfter(kit, () => undefined, null)).toMatchObject({ ok: false, reason: 'head' });
  });

  it('goes on under the kit’s former name when it is renamed', () => {
    const kit = kitWithRecords();
    kit.restart('popup-015');
    kit.tick();
    kit.commit((tx) => kit.pricing.offer(tx, merchant.sign({ ...sampleBundle, version: 9 }), 'test'));
    kit.tick(600_000);
    const last = kit.events().length;
    expect(verdictAfter(kit, () => undefined)).toEqual({ ok: true, records: last, last });
  });

  it('finds a head outside of the database that is none of the log’s own', () => {
    const kit = kitWithRecords();
    const head = kit.heads.at(-1)!;
    const zeroes = '0'.repeat(64);
    for (const forged of [{ root: zeroes }, { last: head.last - 1 }, { size: 0 }, { size: head.size - 1 }])
      expect(
        verdictAfter(kit, () => undefined, { ...head, ...forged }),
        JSON.stringify(forged),
      ).toMatchObject({
        ok: false,
        reason: 'head',
      });
    expect(verdictAfter(kit, () => undefined, kit.heads[0])).toMatchObject({ ok: true });
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

  describe('once the clock was set after records were written', () => {
    /** A kit that starts without the time, then learns it; `record` appends, `learn` is what the clock watch does. */
    const lateKit = (): { kit: TestKit; record: () => void; learn: (offsetMs: number) => void } => {
      const kit = makeKit({ trust: [merchant.trusted] });
      kit.clock.trusted = 'estimated';
      kit.commit((tx) => kit.pricing.offer(tx, merchant.sign(sampleBundle), 'test'));
      kit.tick();
      let price = 1800;
      const record = (): void => {
        const pin = { priceMinor: (price += 1) };
        const until = '2026-11-27T20:00:00Z';
        const override = { sku: 'TEE-BLK-M', action: { pin }, actor: 'm.lee', reason: 'press day', until };
        kit.commit((tx) => kit.pricing.override(tx, override));
      };
      record();
      const learn = (offsetMs: number): void => {
        kit.clock.trusted = 'synced';
        kit.commit((tx) => tx.save('clock', 'anchor', { bootId: kit.clock.bootId, offsetMs }));
        kit.ledger.restamp(offsetMs, 'synced');
      };
      return { kit, record, learn };
    };
    const OFFSET_MS = 1_795_000_000_000.25;
    const run = (sql: string) => (db: Sqlite.Database) => void db.exec(sql);

    it('lets the ledger date them by the anchor of their boot, and nobody otherwise', () => {
      const { kit, record, learn } = lateKit();
      learn(OFFSET_MS);
      record();
      kit.tick();
      expect(kit.events()[0]!.clockTrust).toBe('synced');
      expect(kit.events()[0]!.wallMs).toBe(Math.trunc(kit.events()[0]!.atMono + OFFSET_MS));
      expect(verdictAfter(kit, () => undefined)).toMatchObject({ ok: true });
      for (const change of ['trust = 0, wall = 5', 'trust = 1', 'wall = wall + 1', 'wall = wall - 86400000'])
        expect(verdictAfter(kit, run(`UPDATE event_price SET ${change} WHERE seq = 2`)), change).toEqual(
          badAt(kit, 2, 'changed'),
        );
    });

    it('takes the ledger’s own anchor while the kit stopped before it vouched for it', () => {
      const { kit, learn } = lateKit();
      learn(OFFSET_MS);
      expect(verdictAfter(kit, () => undefined)).toMatchObject({ ok: true });
      expect(verdictAfter(kit, run('UPDATE event_price SET wall = wall + 1 WHERE seq = 2'))).toEqual(
        badAt(kit, 2, 'changed'),
      );
    });

    it('takes no anchor that the kit did not vouch for once it has written on, nor another one', () => {
      const { kit, record, learn } = lateKit();
      const dated = kit.events().length;
      learn(OFFSET_MS);
      record();
      const [anchor, note] = [`owner = 'clock' AND key = 'anchor'`, `owner = 'audit' AND key = 'clock/boot-1'`];
      const moved = `
        UPDATE saved SET value = '{"bootId":"boot-1","offsetMs":1795086400000.25}' WHERE ${anchor};
        UPDATE event_price SET wall = wall + 86400000 WHERE seq <= ${dated};`;
      expect(verdictAfter(kit, run(`${moved} DELETE FROM saved WHERE ${note}`))).toEqual(badAt(kit, 1, 'changed'));
      expect(verdictAfter(kit, run(moved))).toEqual(badAt(kit, 1, 'changed'));
      const forged = `UPDATE saved SET value = json_set(value, '$[0]', 1795086400000.25) WHERE ${note}`;
      expect(verdictAfter(kit, run(`${moved} ${forged}`))).toEqual(badAt(kit, 1, 'changed'));
    });

    it('names a record of a kit that never had the time when somebody gives it a trusted one', () => {
      const { kit, record } = lateKit();
      record();
      kit.tick();
      expect(verdictAfter(kit, run('UPDATE event_price SET trust = 2, wall = wall + 86400000 WHERE seq = 3'))).toEqual(
        badAt(kit, 3, 'changed'),
      );
      expect(verdictAfter(kit, run('UPDATE event_price SET trust = 2 WHERE seq = 3'))).toEqual(
        badAt(kit, 3, 'changed'),
      );
    });
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

  it('finds an older ledger in the place of the newer one by the head that lies outside of it', () => {
    const kit = kitWithRecords();
    const older = kit.ledger.image();
    const before = kit.events().length;
    kit.tick(3_600_000);
    kit.commit((tx) =>
      kit.pricing.override(tx, {
        sku: 'TEE-BLK-M',
        action: { release: true },
        actor: 'm.lee',
        reason: 'over',
        until: '2026-11-27T20:00:00Z',
      }),
    );
    kit.tick();
    const path = join(folder, 'ledger.db');
    writeFileSync(path, older);
    using reader = openAuditReader(path);
    const head = kit.heads.at(-1)!;
    const verdict = verifyAudit({
      ...reader,
      records: reader.rows(),
      anchor: { ...head, epoch: kit.ledger.epoch },
      key: null,
    });
    expect(verdict).toEqual(badAt(kit, before + 1, 'missing'));
  });

  it('finds a chain that was rewritten from one record on with all its hashes, for want of the kit’s key', () => {
    const kit = kitWithRecords();
    const verdict = verdictAfter(kit, (db) => rewrite(db, kit, 6, kitKeyFrom(new Uint8Array(32).fill(9))));
    expect(verdict).toEqual(badAt(kit, 6, 'signature'));
  });

  it('finds a chain that was rewritten whole under another key once the kit’s key is known', () => {
    const kit = kitWithRecords();
    const path = join(folder, 'ledger.db');
    writeFileSync(path, kit.ledger.image());
    const db = new Sqlite(path);
    rewrite(db, kit, 1, kitKeyFrom(new Uint8Array(32).fill(9)));
    db.close();
    using reader = openAuditReader(path);
    const source = {
      epoch: reader.epoch,
      last: reader.last,
      saved: (owner: string, key: string) => reader.saved(owner, key),
      holds: (sequence: number) => reader.holds(sequence),
      anchor: { ...kit.heads.at(-1)!, epoch: kit.ledger.epoch },
      key: null,
    };
    expect(verifyAudit({ ...source, records: reader.rows() })).toEqual(badAt(kit, 1, 'signature'));
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
