import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { pricingFailure } from '../errors.ts';

/** A merchant's public key. `keyId` is the SHA-256 of its SPKI DER form, lower hex. */
export interface TrustedKey {
  readonly keyId: string;
  readonly key: KeyObject;
}

/** A signed bundle: one JSON file, the payload being base64 of the canonical bytes that were signed. */
export interface Envelope {
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** More signatures than approvals are of no use, and each costs 0.2 ms to check. */
export const MAX_SIGNATURES = 16;

/** Longest key id or signature text that is looked at: hex of 32 bytes and base64 of 64 need fewer. */
const MAX_TEXT = 128;

/** Reads a public key in PEM (SPKI). Throws `key-unreadable`; a private key is refused too: it belongs elsewhere. */
export function readTrustedKey(pem: Uint8Array, name: string): TrustedKey {
  const text = new TextDecoder().decode(pem);
  if (!text.includes('BEGIN PUBLIC KEY'))
    throw pricingFailure('key-unreadable', { detail: `${name} holds no public key` });
  const key = readKey(() => createPublicKey({ key: text, format: 'pem', type: 'spki' }), name);
  return { key, keyId: keyIdOf(key) };
}

/** Reads a private key in PEM (PKCS#8). Throws `key-unreadable`. */
export function readSigningKey(pem: Uint8Array, name: string): KeyObject {
  const text = new TextDecoder().decode(pem);
  if (!text.includes('BEGIN PRIVATE KEY'))
    throw pricingFailure('key-unreadable', { detail: `${name} holds no private key` });
  return readKey(() => createPrivateKey({ key: text, format: 'pem', type: 'pkcs8' }), name);
}

function readKey(make: () => KeyObject, name: string): KeyObject {
  let key: KeyObject;
  try {
    key = make();
  } catch (error) {
    throw pricingFailure('key-unreadable', { detail: name, cause: error });
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw pricingFailure('key-unreadable', { detail: `${name} is ${key.asymmetricKeyType ?? 'no'} key, not Ed25519` });
  return key;
}

export function keyIdOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('hex');
}

/** Signs the exact bytes; signatures of other keys over the same bytes are kept, so that two can approve one bundle. */
export function signPayload(bytes: Uint8Array, key: KeyObject, others: Envelope['signatures'] = []): Envelope {
  const keyid = keyIdOf(createPublicKey(key));
  const mine = { keyid, sig: sign(null, bytes, key).toString('base64') };
  return {
    payload: Buffer.from(bytes).toString('base64'),
    signatures: [...others.filter((other) => other.keyid !== keyid), mine].slice(-MAX_SIGNATURES),
  };
}

/** Whether a parsed file claims to be signed. */
export function looksSigned(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Object.hasOwn(value, 'payload') || Object.hasOwn(value, 'signatures'))
  );
}

/** The envelope of a parsed file, exactly in its form; null otherwise. */
export function readEnvelope(value: unknown): Envelope | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const { payload, signatures, ...others } = value as Readonly<Record<string, unknown>>;
  if (Object.keys(others).length > 0 || typeof payload !== 'string' || !isBase64(payload)) return null;
  if (!Array.isArray(signatures) || signatures.length > MAX_SIGNATURES) return null;
  const list: { keyid: string; sig: string }[] = [];
  for (const item of signatures as readonly unknown[]) {
    if (typeof item !== 'object' || item === null) return null;
    const { keyid, sig, ...rest } = item as Readonly<Record<string, unknown>>;
    if (typeof keyid !== 'string' || typeof sig !== 'string' || Object.keys(rest).length > 0 || !isBase64(sig))
      return null;
    if (keyid.length > MAX_TEXT || sig.length > MAX_TEXT) return null;
    list.push({ keyid, sig });
  }
  return { payload, signatures: list };
}

/**
 * The trusted key that signed these bytes; null when none did. `keyid` only says which key to try first: what counts is
 * that the signature holds.
 */
export function signerOf(envelope: Envelope, trust: readonly TrustedKey[]): TrustedKey | null {
  const bytes = Buffer.from(envelope.payload, 'base64');
  for (const { keyid, sig } of envelope.signatures) {
    const signature = Buffer.from(sig, 'base64');
    const named = trust.filter((key) => key.keyId === keyid);
    for (const key of named.length > 0 ? named : trust) if (verify(null, bytes, key.key, signature)) return key;
  }
  return null;
}

function isBase64(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64') === text;
}
