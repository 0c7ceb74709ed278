import type { ClockTrust } from '../core/event.ts';
import type { Bundle } from './bundle/bundle.ts';
import { loadBundle, type LoadedBundle } from './bundle/load.ts';
import { selfTestFaults } from './bundle/self-test.ts';
import type { TrustedKey } from './bundle/sign.ts';
import { bucketOf } from './decide/experiment.ts';
import { parseUtc } from './decide/instant.ts';
import { fault, type Fault } from './fault.ts';

/** What a kit compares a bundle with. */
export interface Place {
  readonly kit: { readonly id: string; readonly group?: string | undefined; readonly currency: string };
  readonly trust: readonly TrustedKey[];
  readonly nowMs: number;
  readonly clockTrust: ClockTrust;
  /** Highest version ever taken of a key. */
  readonly highest: (keyId: string) => number | null;
}

export type Accepted =
  | { readonly ok: true; readonly loaded: LoadedBundle; readonly keyId: string }
  | { readonly ok: false; readonly fault: Fault; readonly version: number | null };

/**
 * Whether this kit takes these bytes: signature before anything is parsed, then shape, types and cost, then place, time
 * and version, and the bundle's own examples last, being the only part that takes time.
 */
export function accept(bytes: Uint8Array, place: Place): Accepted {
  if (place.trust.length === 0) return refuse(fault('no-trust', [], 'pricing.trust is empty'), null);
  const loaded = loadBundle(bytes, { trust: place.trust, sources: false });
  if (!loaded.ok) return refuse(loaded.faults[0] ?? fault('bundle-format', [], 'no bundle'), null);
  const { bundle, signedBy } = loaded;
  if (signedBy === null) return refuse(fault('signature-missing', [], 'no signature'), bundle.version);
  const found = placeFault(bundle, signedBy, place) ?? selfTestFaults(bundle)[0] ?? null;
  if (found !== null) return refuse(found, bundle.version);
  return { ok: true, loaded, keyId: signedBy };
}

function refuse(found: Fault, version: number | null): Accepted {
  return { ok: false, fault: found, version };
}

function placeFault(bundle: Bundle, keyId: string, place: Place): Fault | null {
  const { kit, nowMs, clockTrust } = place;
  const highest = place.highest(keyId);
  if (highest !== null && bundle.version <= highest)
    return fault('version-not-newer', ['version'], `${bundle.version} is not above ${highest}`);
  if (bundle.currency !== kit.currency)
    return fault('currency-other', ['currency'], `${bundle.currency} where the kit has ${kit.currency}`);
  if (!isMeantFor(bundle, kit)) return fault('audience-other', ['audience'], kit.id);
  if (!isRolledOutTo(bundle, kit.id)) return fault('outside-rollout', ['rolloutBp'], `${bundle.rolloutBp} bp`);
  // A clock that was never set cannot say that anything has run out.
  if (clockTrust !== 'unset' && nowMs >= (parseUtc(bundle.expires) ?? 0))
    return fault('bundle-expired', ['expires'], bundle.expires);
  return null;
}

function isMeantFor({ audience }: Bundle, kit: Place['kit']): boolean {
  if (audience.groups === undefined && audience.kits === undefined) return true;
  if (audience.kits?.includes(kit.id) === true) return true;
  return kit.group !== undefined && audience.groups?.includes(kit.group) === true;
}

/**
 * Kits come in by a hash of merchant and kit, not of the version: whoever took part at 1 % still does at 10 %.
 * A hash below `rolloutBp` takes part.
 */
export function isRolledOutTo({ merchant, rolloutBp }: Pick<Bundle, 'merchant' | 'rolloutBp'>, kitId: string): boolean {
  return bucketOf(`rollout/${merchant}`, kitId) < rolloutBp;
}
