import type Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { sampleBundle } from '../testing/samples.ts';
import { makeKit } from '../testing/kit.ts';
import type { AuditHead } from './audit-log.ts';
import { readAnchor } from './files.ts';
import { merchant } from '../testing/sample-offers.ts';
import { badAt, kitWithRecords, verdictAfter, verdictOf } from '../../../scripts/lib/audited-kit.ts';

describe('an audit of the price log', () => {
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
    const head = kit.heads.at(-1)!;
    const verdict = verdictOf(older, () => undefined, { ...head, epoch: kit.ledger.epoch });
    expect(verdict).toEqual(badAt(kit, before + 1, 'missing'));
  });
});
