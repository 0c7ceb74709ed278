import { createHmac, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { element, identifier } from './der.ts';
import { claimProof, signingRequest } from './signing-request.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** The parts of a DER sequence, headers included. */
function parts(der: Uint8Array): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  let at = headerBytes(der, 0);
  while (at < der.length) {
    const end = at + headerBytes(der, at) + contentBytes(der, at);
    found.push(der.subarray(at, end));
    at = end;
  }
  return found;
}
function headerBytes(der: Uint8Array, at: number): number {
  const length = der[at + 1]!;
  return length < 0x80 ? 2 : 2 + (length & 0x7f);
}
function contentBytes(der: Uint8Array, at: number): number {
  const length = der[at + 1]!;
  if (length < 0x80) return length;
  return [...der.subarray(at + 2, at + 2 + (length & 0x7f))].reduce((sum, byte) => sum * 256 + byte, 0);
}
function bytesOf(pem: string): Uint8Array {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
}

describe('a signing request', () => {
  test('is signed by the key that it asks for', () => {
    const [information, , signature] = parts(bytesOf(signingRequest(privateKey, { commonName: 'popup-014' })));
    const publicKey = createPublicKey({ key: Buffer.from(parts(information!)[2]!), format: 'der', type: 'spki' });
    const signed = signature!.subarray(headerBytes(signature!, 0) + 1);
    expect(verify('sha256', information!, publicKey, signed)).toBe(true);
    expect(publicKey.equals(createPublicKey(privateKey))).toBe(true);
  });

  test('proves the claim code for this one key and does not show it', () => {
    const claim = 'BARROW-7F3K-9QX2-M4TA';
    const pem = signingRequest(privateKey, { commonName: 'popup-014', claim });
    const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
    const text = Buffer.from(bytesOf(pem)).toString('latin1');
    expect(text).not.toContain(claim);
    expect(text).toContain(createHmac('sha256', claim).update(spki).digest('base64url'));
    expect(claimProof(claim, spki)).not.toBe(claimProof(claim, spki.subarray(1)));
  });
});

describe('DER', () => {
  // X.690 §8.19.5 and RFC 3279 §2.2.3 write these out.
  test.each([
    ['2.5.4.3', '0603550403'],
    ['1.2.840.10045.4.3.2', '06082a8648ce3d040302'],
    ['1.2.840.113549.1.9.7', '06092a864886f70d010907'],
  ])('writes the identifier %s as published', (dotted, hex) => {
    expect(Buffer.from(identifier(dotted)).toString('hex')).toBe(hex);
  });

  test.each([
    [0, '0400'],
    [127, '047f'],
    [128, '048180'],
    [255, '0481ff'],
    [256, '04820100'],
    [0xffff, '0482ffff'],
  ])('writes the length of %i bytes in the shortest form', (length, hex) => {
    expect(
      Buffer.from(element(4, new Uint8Array(length)))
        .toString('hex')
        .slice(0, hex.length),
    ).toBe(hex);
  });

  test('refuses what its lengths cannot say', () => {
    expect(() => element(4, new Uint8Array(0x10000))).toThrow(RangeError);
  });
});
