import type Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { sampleBundle } from '../testing/samples.ts';
import { makeKit, type TestKit } from '../testing/kit.ts';
import { merchant } from '../testing/sample-offers.ts';
import { badAt, verdictAfter } from '../../../scripts/lib/audited-kit.ts';

describe('an audit of the price log', () => {
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
});
