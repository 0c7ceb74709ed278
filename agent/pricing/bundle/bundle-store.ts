import type { Json } from '../../../drivers/api/reading.ts';
import type { LedgerTx } from '../../core/ledger.ts';
import type { Envelope } from './sign.ts';

const OWNER = 'pricing';

/** One value of the ledger takes 64 KiB; base64 needs no escaping. */
const PART_CHARS = 60_000;

/** Bundles that are kept: the one in force, the one before it for a crash loop, and older ones for replay. */
export const KEPT_BUNDLES = 8;

/** A bundle that was in force. Newest first in the list. */
export interface KeptBundle {
  readonly hash: string;
  readonly version: number;
  readonly keyId: string;
  readonly parts: number;
  readonly signatures: Envelope['signatures'];
}

type Read = Pick<LedgerTx, 'saved'>;

/** The bundles in the order in which they came into force, newest first. */
export function keptBundles(read: Read): readonly KeptBundle[] {
  // Written by keepBundle alone.
  return (read.saved(OWNER, 'bundles') as readonly KeptBundle[] | undefined) ?? [];
}

/** Keeps a bundle as the newest; the oldest beyond {@link KEPT_BUNDLES} go. */
export function keepBundle(tx: LedgerTx, bundle: Omit<KeptBundle, 'parts' | 'signatures'>, envelope: Envelope): void {
  const parts = Math.ceil(envelope.payload.length / PART_CHARS);
  for (let part = 0; part < parts; part += 1)
    tx.save(OWNER, partKey(bundle.hash, part), envelope.payload.slice(part * PART_CHARS, (part + 1) * PART_CHARS));
  const others = keptBundles(tx).filter((kept) => kept.hash !== bundle.hash);
  const kept = [{ ...bundle, parts, signatures: envelope.signatures }, ...others];
  for (const old of kept.slice(KEPT_BUNDLES))
    for (let part = 0; part < old.parts; part += 1) tx.save(OWNER, partKey(old.hash, part), null);
  tx.save(OWNER, 'bundles', kept.slice(0, KEPT_BUNDLES) as unknown as Json);
}

/** The signed file of a kept bundle; null when a part is missing. */
export function readKept(read: Read, bundle: KeptBundle): Uint8Array | null {
  let payload = '';
  for (let part = 0; part < bundle.parts; part += 1) {
    const text = read.saved(OWNER, partKey(bundle.hash, part));
    if (typeof text !== 'string') return null;
    payload += text;
  }
  return new TextEncoder().encode(JSON.stringify({ payload, signatures: bundle.signatures }));
}

function partKey(hash: string, part: number): string {
  return `bundle/${hash}/${part}`;
}
