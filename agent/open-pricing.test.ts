import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KitConfig } from './config/read-config.ts';
import type { Host } from './core/host.ts';
import type { LedgerTx } from './core/ledger.ts';
import { openAuditReader } from './ledger/audit-reader.ts';
import { openPricing } from './open-pricing.ts';
import { ANCHOR_FILE, readAnchor } from './pricing/audit/files.ts';
import { verifyAudit, type AuditVerdict } from './pricing/audit/verify.ts';
import { makeKit, makeMerchant, type TestKit } from './pricing/testing/kit.ts';
import { sampleBundle } from './pricing/testing/samples.ts';

const merchant = makeMerchant();
const FORMER = 'a-former-epoch';
let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'barrow-open-pricing-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What `audit verify` says of the kit's ledger and the files beside it. */
function verdict(kit: TestKit, files: ReadonlyMap<string, Uint8Array>): AuditVerdict {
  const path = join(folder, 'ledger.db');
  writeFileSync(path, kit.ledger.image());
  using reader = openAuditReader(path);
  return verifyAudit({
    ...reader,
    records: reader.rows(),
    anchor: readAnchor(files.get(ANCHOR_FILE) ?? null),
    key: null,
  });
}

describe('a kit whose damaged ledger was set aside', () => {
  it('has the new log’s head beside it as soon as its prices are open, so that no moment passes for another kit’s', async () => {
    const damaged = makeKit({ trust: [merchant.trusted] });
    damaged.commit((tx) => damaged.pricing.offer(tx, merchant.sign(sampleBundle), 'test'));
    damaged.tick();
    const head = JSON.stringify(damaged.ledger.saved('audit', 'head')).replaceAll(damaged.ledger.epoch, FORMER);
    const kit = makeKit({ trust: [merchant.trusted] });
    kit.ledger.transaction((tx) => tx.save('audit', 'head', JSON.parse(head) as never));
    const anchor = { ...damaged.heads.at(-1)!, epoch: FORMER };
    const files = new Map<string, Uint8Array>([[ANCHOR_FILE, new TextEncoder().encode(JSON.stringify(anchor))]]);
    expect(verdict(kit, files)).toMatchObject({ ok: false, reason: 'other-ledger' });
    const host = {
      clock: kit.clock,
      chance: { float: () => 0.5, bytes: (length: number) => new Uint8Array(length).fill(7) },
      version: '0.1.0',
      secret: () =>
        Promise.resolve(
          new TextEncoder().encode(merchant.trusted.key.export({ format: 'pem', type: 'spki' }).toString()),
        ),
      kept: {
        read: (name: string) => files.get(name) ?? null,
        write: (name: string, bytes: Uint8Array) => void files.set(name, bytes),
      },
    } as unknown as Host;
    const config = {
      kit: { id: 'popup-014', group: 'northern', currency: 'GBP', timezone: 'Europe/London' },
      drivers: [],
      ledger: { retainAcked: 72 * 3_600_000 },
      pricing: { trust: [{ file: 'merchant.pub' }] },
    } as unknown as KitConfig;
    const commit = <T>(work: (tx: LedgerTx) => T): T => kit.ledger.transaction(work);
    const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const pricing = await openPricing({ host, config, ledger: kit.ledger, commit, log: silent });
    expect(pricing).not.toBeNull();
    expect(verdict(kit, files)).toEqual({ ok: true, records: 1, last: 1 });
  });
});
