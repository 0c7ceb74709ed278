import type { JsonObject } from '../../drivers/api/reading.ts';
import type { LedgerTx } from '../core/ledger.ts';
import type { AuditLog } from './audit/audit-log.ts';
import { factsHash } from './decision-record.ts';
import type { RulesInForce } from './rules-in-force.ts';

const OWNER = 'pricing';

/** Refusals that are remembered, so that a retained message that is refused at each connection is told once. */
const MAX_REFUSALS = 32;

/** Records that rules came into force. */
export function recordActivation(
  tx: LedgerTx,
  audit: AuditLog,
  { bundle, identity }: RulesInForce,
  { origin, previous }: { readonly origin: string; readonly previous: RulesInForce['identity'] | null },
): void {
  const { issuedAt, notBefore, expires, rolloutBp, kill } = bundle;
  audit.append(tx, {
    type: 'barrow.rules.activated.v1',
    subject: 'rules',
    data: {
      ...identity,
      origin,
      issuedAt,
      notBefore,
      expires,
      rolloutBp,
      kill,
      rules: bundle.rules.length,
      skus: bundle.catalog.length,
      overrides: bundle.overrides.map((override) => ({ ...override })),
      previous: previous === null ? null : { version: previous.version, hash: previous.hash },
      facts: factsHash,
    } as unknown as JsonObject,
  });
}

export interface Refusal {
  readonly code: string;
  readonly detail: string;
  readonly origin: string;
  readonly version: number | null;
  readonly hash: string;
}

/** Records that rules were refused, once for each file and reason. Returns whether it was news. */
export function recordRefusal(tx: LedgerTx, audit: AuditLog, refusal: Refusal): boolean {
  const mark = `${refusal.code} ${refusal.hash}`;
  // Written by this function alone.
  const known = (tx.saved(OWNER, 'refusals') as readonly string[] | undefined) ?? [];
  if (known.includes(mark)) return false;
  tx.save(OWNER, 'refusals', [...known, mark].slice(-MAX_REFUSALS));
  audit.append(tx, { type: 'barrow.rules.rejected.v1', subject: 'rules', data: { ...refusal } });
  return true;
}
