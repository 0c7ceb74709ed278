import { generateKeyPairSync, type KeyObject, type KeyPairKeyObjectResult } from 'node:crypto';
import { canonicalBytes } from '../../../pricing/bundle/canonical.ts';
import { signPayload, type Envelope } from '../../../pricing/bundle/sign.ts';
import { nested, plain, rule, sample, type Case } from './hostile-bundles.ts';

export const merchant: KeyPairKeyObjectResult = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');

/** An envelope as one key signs it. */
type Signed = Envelope & { readonly signatures: readonly [Envelope['signatures'][number]] };
const signed = (bytes: Uint8Array, by: KeyObject = merchant.privateKey): Signed => signPayload(bytes, by) as Signed;

const envelope = (change: (signed: Signed) => unknown, content: unknown = sample): string =>
  JSON.stringify(change(signed(canonicalBytes(content))));
const signedText = (payload: string): string => JSON.stringify(signed(new TextEncoder().encode(payload)));
const flipped = (base64: string): string => {
  const bytes = Buffer.from(base64, 'base64');
  bytes.writeUInt8(bytes.readUInt8(5) ^ 1, 5);
  return bytes.toString('base64');
};

export const SIGNATURES: readonly Case[] = [
  ['the merchant’s own', envelope((signed) => signed), 'ok'],
  [
    'a payload with one bit flipped',
    envelope((signed) => ({ ...signed, payload: flipped(signed.payload) })),
    '1 signature-invalid',
  ],
  [
    'a signature with one bit flipped',
    envelope(({ payload, signatures: [first] }) => ({ payload, signatures: [{ ...first, sig: flipped(first.sig) }] })),
    '1 signature-invalid',
  ],
  [
    'a stranger’s under the merchant’s name',
    envelope(({ payload, signatures: [first] }) => ({
      payload,
      signatures: [{ keyid: first.keyid, sig: signed(canonicalBytes(sample), stranger.privateKey).signatures[0].sig }],
    })),
    '1 signature-invalid',
  ],
  [
    'one for another bundle',
    envelope(({ payload }) => ({
      payload,
      signatures: signPayload(canonicalBytes({ ...sample, version: 6 }), merchant.privateKey).signatures,
    })),
    '1 signature-invalid',
  ],
  [
    'an empty signature',
    envelope(({ payload, signatures: [first] }) => ({ payload, signatures: [{ ...first, sig: '' }] })),
    '1 signature-invalid',
  ],
  ['none at all', envelope(({ payload }) => ({ payload, signatures: [] })), '1 signature-missing'],
  ['no list of them', envelope(({ payload }) => ({ payload })), '1 bundle-format'],
  ['a list of nothing', envelope(({ payload }) => ({ payload, signatures: [null] })), '1 bundle-format'],
  [
    'seventeen',
    envelope(({ payload, signatures: [first] }) => ({ payload, signatures: Array.from({ length: 17 }, () => first) })),
    '1 bundle-format',
  ],
  [
    'a signature of a megabyte',
    envelope(({ payload, signatures: [first] }) => ({
      payload,
      signatures: [{ ...first, sig: 'A'.repeat(1_000_000) }],
    })),
    '1 bundle-format',
  ],
  ['a key more', envelope((signed) => ({ ...signed, alg: 'none' })), '1 bundle-format'],
  ['a payload that is no base64', envelope((signed) => ({ ...signed, payload: '{"format":1}' })), '1 bundle-format'],
  ['a payload that is no text', envelope((signed) => ({ ...signed, payload: sample })), '1 bundle-format'],
  ['no signature', JSON.stringify(sample), '1 signature-missing'],
  ['a payload with white space', signedText(JSON.stringify(sample, null, 1)), '1 not-canonical'],
  ['a payload with its keys in disorder', signedText(JSON.stringify(sample)), '1 not-canonical'],
  [
    'a payload with a byte order mark',
    signedText(`\uFEFF${new TextDecoder().decode(canonicalBytes(sample))}`),
    '1 bundle-syntax',
  ],
  ['a payload with a key twice', signedText('{"a":1,"a":2}'), '1 bundle-syntax'],
  ['a payload that is deep', signedText(nested(100_000, '[', ']')), '1 bundle-too-deep'],
  ['a payload that is no JSON', signedText('version: 7'), '1 bundle-syntax'],
  [
    'a payload with a condition as text',
    signedText(new TextDecoder().decode(canonicalBytes(plain({ ...sample, rules: [{ ...rule, when: 'stock > 1' }] })))),
    '1 wrong-type',
  ],
  [
    'a signed bundle in a signed bundle',
    envelope((signed) => signed, plain(signPayload(canonicalBytes(sample), merchant.privateKey))),
    '1 missing-key',
  ],
];
