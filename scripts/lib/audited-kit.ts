import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { openAuditReader } from '../../agent/ledger/audit-reader.ts';
import { sampleBundle } from '../../agent/pricing/testing/samples.ts';
import { makeKit, type TestKit } from '../../agent/pricing/testing/kit.ts';
import type { AuditHead } from '../../agent/pricing/audit/audit-log.ts';
import { verifyAudit, type AuditAnchor, type AuditVerdict } from '../../agent/pricing/audit/verify.ts';
import { merchant } from '../../agent/pricing/testing/sample-offers.ts';

/** A day's worth of records: a bundle, overrides, prices, checkpoints. */
export function kitWithRecords(): TestKit {
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

/** What an audit says of a ledger's file, once somebody has been at it. */
export function verdictOf(
  ledger: Uint8Array,
  tamper: (db: Sqlite.Database) => void,
  anchor: AuditAnchor | null,
): AuditVerdict {
  const folder = mkdtempSync(join(tmpdir(), 'barrow-audit-'));
  try {
    const path = join(folder, 'ledger.db');
    writeFileSync(path, ledger);
    const db = new Sqlite(path);
    tamper(db);
    db.close();
    using reader = openAuditReader(path);
    return verifyAudit({ ...reader, records: reader.rows(), anchor, key: null });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same of a kit's ledger as it is now, its newest head, or another one, lying outside. */
export function verdictAfter(
  kit: TestKit,
  tamper: (db: Sqlite.Database) => void,
  head: (AuditHead & { readonly epoch?: string }) | null = kit.heads.at(-1) ?? null,
): AuditVerdict {
  return verdictOf(kit.ledger.image(), tamper, head === null ? null : { epoch: kit.ledger.epoch, ...head });
}

/** The verdict that names this record. */
export function badAt(kit: TestKit, sequence: number, reason: string): object {
  return {
    ok: false,
    firstBad: { stream: 'price', sequence, id: `${kit.ledger.epoch}/price/${sequence}` },
    reason,
  };
}
