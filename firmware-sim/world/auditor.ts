import { createPublicKey } from 'node:crypto';
import type { KeptFiles } from '../../agent/core/host.ts';
import type { Ledger } from '../../agent/core/ledger.ts';
import { KEY_FILE, ANCHOR_FILE, readAnchor, readKitKey } from '../../agent/pricing/audit/files.ts';
import { verifyAudit } from '../../agent/pricing/audit/verify.ts';

/** Whoever proves the decision log with the kit in hand, as `barrow audit verify` does; `null` when it holds. */
export function auditFault(ledger: Ledger, host: { readonly kept?: KeptFiles } | null): string | null {
  const { epoch, last } = ledger.manifest('price');
  // Nothing was decided yet in a ledger that took another's place: the head beside it is still the other's.
  if (last === 0) return null;
  const rows = ledger.range('price', 1, last, last + 1);
  const held = new Set(rows.map(({ sequence }) => sequence));
  const key = readKitKey(host?.kept?.read(KEY_FILE) ?? null);
  const verdict = verifyAudit({
    epoch,
    last,
    // JSON that was written by JSON.stringify comes out of it again byte for byte.
    records: rows.map((row) => ({ ...row, data: JSON.stringify(row.data) })),
    saved: (owner, key) => ledger.saved(owner, key),
    holds: (sequence) => held.has(sequence),
    anchor: readAnchor(host?.kept?.read(ANCHOR_FILE) ?? null),
    key: key === null ? null : createPublicKey(key.privateKey),
  });
  return verdict.ok ? null : `the price log does not hold at ${verdict.firstBad.id}: ${verdict.reason}`;
}
