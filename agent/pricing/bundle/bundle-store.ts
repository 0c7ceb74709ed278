import type { Json } from '../../../drivers/api/reading.ts';
import type { LedgerTx } from '../../core/ledger.ts';
import { isObject } from '../facts/sales-book.ts';
import { MAX_FILE_BYTES } from '../language/document.ts';
import type { Envelope } from './sign.ts';

const OWNER = 'pricing';

/** One value of the ledger takes 64 KiB; base64 needs no escaping. */
const PART_CHARS = 60_000;

/** Parts of the largest bundle: 4 MiB in base64. */
const MAX_PARTS = Math.ceil((MAX_FILE_BYTES * 4) / 3 / PART_CHARS) + 1;

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
  const list = read.saved(OWNER, 'bundles');
  // An auditor's folder may hold anything; signatures are looked at with the bundle.
  return Array.isArray(list) ? (list as readonly Json[]).filter(isKept) : [];
}

function isKept(value: Json): value is Json & KeptBundle {
  if (!isObject(value)) return false;
  const { hash, keyId, version, parts } = value;
  const numbers = [version, parts].every((number) => Number.isSafeInteger(number));
  return typeof hash === 'string' && typeof keyId === 'string' && numbers && Number(parts) <= MAX_PARTS;
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
