import type { Json } from '../../drivers/api/reading.ts';
import type { LedgerTx } from '../core/ledger.ts';
import type { LocalOverride } from '../core/pricing.ts';
import { MAX_MONEY, type Bundle, type Override } from './bundle/bundle.ts';
import { parseUtc } from './decide/instant.ts';
import { pricingFailure } from './errors.ts';

const OWNER = 'pricing';
/** One value of the ledger holds them; an emergency concerns a few items. */
export const MAX_LOCAL_OVERRIDES = 100;
const MAX_TEXT = 256;

type Read = Pick<LedgerTx, 'saved'>;

/** Overrides made on the spot that have not run out, oldest first; one an item. */
export function localOverrides(read: Read, nowMs: number): readonly LocalOverride[] {
  // Written by `addLocal` alone.
  const all = (read.saved(OWNER, 'overrides') as readonly LocalOverride[] | undefined) ?? [];
  return all.filter((override) => nowMs < (parseUtc(override.until) ?? 0));
}

/** Keeps an override in place of the item's former one. Throws `override-invalid`. */
export function addLocal(tx: LedgerTx, override: LocalOverride, nowMs: number): void {
  const refuse = (detail: string): never => {
    throw pricingFailure('override-invalid', { detail });
  };
  for (const field of ['actor', 'reason'] as const) {
    const text = override[field];
    if (text.trim().length === 0 || text.length > MAX_TEXT) refuse(`${field} takes 1 to ${MAX_TEXT} characters`);
  }
  if ((override.secondApprovedBy ?? '').length > MAX_TEXT) refuse('secondApprovedBy is too long');
  const untilMs = parseUtc(override.until);
  if (untilMs === null || untilMs <= nowMs) refuse('until must be a time in UTC that is still to come');
  if ('pin' in override.action) {
    const { priceMinor } = override.action.pin;
    if (!Number.isSafeInteger(priceMinor) || priceMinor < 0 || priceMinor > MAX_MONEY) refuse('pin.priceMinor');
  }
  const kept = [...localOverrides(tx, nowMs).filter((other) => other.sku !== override.sku), override];
  if (kept.length > MAX_LOCAL_OVERRIDES) refuse(`at most ${MAX_LOCAL_OVERRIDES} items at a time`);
  tx.save(OWNER, 'overrides', kept as unknown as Json);
}

/** The bundle with the overrides made on the spot in place of its own for the same items; a release leaves none. */
export function withLocal(bundle: Bundle, local: readonly LocalOverride[]): Bundle {
  if (local.length === 0) return bundle;
  const skus = new Set(local.map((override) => override.sku));
  return {
    ...bundle,
    overrides: [...local.flatMap(toOverride), ...bundle.overrides.filter((override) => !skus.has(override.sku))],
  };
}

function toOverride({ sku, action, actor, reason, until, secondApprovedBy }: LocalOverride): readonly Override[] {
  if ('release' in action) return [];
  if ('block' in action) return [{ sku, block: true, actor, reason, until }];
  const second = secondApprovedBy === undefined ? {} : { secondApprovedBy };
  return [{ sku, pin: action.pin, actor, reason, until, ...second }];
}
