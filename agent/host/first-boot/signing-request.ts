import { createHmac, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { bits, element, identifier, integer, sequence, set, utf8 } from './der.ts';

const COMMON_NAME = '2.5.4.3';
const CHALLENGE_PASSWORD = '1.2.840.113549.1.9.7';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/**
 * A PKCS #10 request for the kit's own key (RFC 2986), signed with ECDSA and SHA-256, as PEM.
 *
 * With a claim code, the challengePassword attribute (RFC 2985 §5.4.1) carries {@link claimProof}: the authority that
 * gave out the code can tell that this key was made where the code was, and a stranger who reads the request cannot use it.
 */
export function signingRequest(
  key: KeyObject,
  options: { readonly commonName: string; readonly claim?: string },
): string {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const attributes =
    options.claim === undefined
      ? []
      : [sequence(identifier(CHALLENGE_PASSWORD), set(utf8(claimProof(options.claim, publicKey))))];
  const information = sequence(
    integer(0),
    sequence(set(sequence(identifier(COMMON_NAME), utf8(options.commonName)))),
    publicKey,
    element(0xa0, ...attributes),
  );
  const signature = sign('sha256', information, key);
  const request = sequence(information, sequence(identifier(ECDSA_WITH_SHA256)), bits(signature));
  const lines =
    Buffer.from(request)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

/** base64url(HMAC-SHA256(claim code, SubjectPublicKeyInfo)): proves knowledge of the code for this one key. */
export function claimProof(claim: string, publicKeyDer: Uint8Array): string {
  return createHmac('sha256', claim).update(publicKeyDer).digest('base64url');
}
