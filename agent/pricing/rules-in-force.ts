import type { JsonObject } from '../../drivers/api/reading.ts';
import type { LedgerTx } from '../core/ledger.ts';
import type { BundleStatus, LocalOverride } from '../core/pricing.ts';
import type { Bundle } from './bundle/bundle.ts';
import { keepBundle, keptBundles, readKept, type KeptBundle } from './bundle/bundle-store.ts';
import { sha256Hex } from './bundle/canonical.ts';
import { loadBundle, type LoadedBundle } from './bundle/load.ts';
import { readEnvelope, type TrustedKey } from './bundle/sign.ts';
import { prepareBundle, type ItemProgram, type Program } from './decide/program.ts';
import type { BundleIdentity } from './decision-record.ts';
import { JsonFault, readJson } from './language/json.ts';
import { withLocal } from './local-overrides.ts';

const OWNER = 'pricing';

/** Starts of the agent that a new bundle gets to stay up for {@link PROBATION_MS}; then the one before it comes back. */
export const PROBATION_STARTS = 3;
export const PROBATION_MS = 60_000;

type Read = Pick<LedgerTx, 'saved'>;

/** The rules that decide now, ready to run. */
export interface RulesInForce {
  readonly bundle: Bundle;
  readonly identity: BundleIdentity;
  readonly program: Program;
  readonly items: ReadonlyMap<string, ItemProgram>;
  readonly byGtin: ReadonlyMap<string, string>;
  readonly local: readonly LocalOverride[];
}

/** A bundle with the kit's own overrides, prepared. */
export function putInForce(bundle: Bundle, identity: BundleIdentity, local: readonly LocalOverride[]): RulesInForce {
  const program = prepareBundle(withLocal(bundle, local));
  return {
    bundle,
    identity,
    program,
    local,
    items: new Map(program.items.map((item) => [item.item.sku, item])),
    byGtin: new Map(
      bundle.catalog.flatMap(({ gtin, sku }): [string, string][] => (gtin === null ? [] : [[gtin, sku]])),
    ),
  };
}

export function identityOf(bundle: Bundle, hash: string, keyId: string): BundleIdentity {
  return { merchant: bundle.merchant, version: bundle.version, hash, keyId };
}

/** The newest kept bundle, verified anew: a key that is trusted no more decides no more. */
export function loadKept(
  read: Read,
  kept: KeptBundle | undefined,
  trust: readonly TrustedKey[],
): { readonly bundle: Bundle; readonly identity: BundleIdentity } | null {
  const bytes = kept === undefined ? null : readKept(read, kept);
  if (kept === undefined || bytes === null) return null;
  const loaded = loadBundle(bytes, { trust, sources: false });
  if (!loaded.ok || loaded.signedBy === null || sha256Hex(loaded.bytes) !== kept.hash) return null;
  return { bundle: loaded.bundle, identity: identityOf(loaded.bundle, kept.hash, loaded.signedBy) };
}

/** The hash of what a signed file carries, null when it is none: a bundle that is in force already needs no more than that. */
export function payloadHash(bytes: Uint8Array): string | null {
  try {
    const envelope = readEnvelope(readJson(new TextDecoder().decode(bytes)));
    return envelope === null ? null : sha256Hex(Buffer.from(envelope.payload, 'base64'));
  } catch (error) {
    if (error instanceof JsonFault) return null;
    throw error;
  }
}

export function highestVersion(read: Read, keyId: string): number | null {
  const value = read.saved(OWNER, `highest/${keyId}`);
  return typeof value === 'number' ? value : null;
}

/** Keeps an accepted bundle, raises its key's ratchet and begins its probation. */
export function keepAccepted(tx: LedgerTx, loaded: LoadedBundle, identity: BundleIdentity): void {
  if (loaded.envelope === null) throw new TypeError('only a signed bundle is kept');
  keepBundle(tx, { hash: identity.hash, version: identity.version, keyId: identity.keyId }, loaded.envelope);
  tx.save(OWNER, `highest/${identity.keyId}`, identity.version);
  tx.save(OWNER, 'probation', { hash: identity.hash, starts: 0 });
}

export interface Probation {
  readonly hash: string;
  readonly starts: number;
}

export function probationOf(read: Read): Probation | null {
  return (read.saved(OWNER, 'probation') as Probation | undefined) ?? null;
}

/**
 * Counts one start of a bundle that has not yet proved itself. Past {@link PROBATION_STARTS} the bundle is taken out of
 * the kept ones; its key's ratchet stays, so that the same file is not taken again. Returns the bundle that failed.
 */
export function countStart(tx: LedgerTx): KeptBundle | null {
  const probation = probationOf(tx);
  const [newest, ...others] = keptBundles(tx);
  if (probation === null || newest === undefined || newest.hash !== probation.hash) return null;
  if (probation.starts + 1 < PROBATION_STARTS || others.length === 0) {
    tx.save(OWNER, 'probation', { hash: probation.hash, starts: probation.starts + 1 });
    return null;
  }
  tx.save(OWNER, 'probation', null);
  tx.save(OWNER, 'bundles', others as unknown as JsonObject[]);
  return newest;
}

export function endProbation(tx: LedgerTx): void {
  if (probationOf(tx) !== null) tx.save(OWNER, 'probation', null);
}

export function statusOf({ bundle, identity, program }: RulesInForce, nowMs: number): BundleStatus {
  const { merchant, version, expires, kill, rules } = bundle;
  const inTime = nowMs < program.notBeforeMs ? 'not-yet-valid' : nowMs >= program.expiresMs ? 'expired' : 'in-force';
  return {
    merchant,
    version,
    keyId: identity.keyId,
    expires,
    state: kill === null ? inTime : 'killed',
    rules: rules.length,
  };
}
