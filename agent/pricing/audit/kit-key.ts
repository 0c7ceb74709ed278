import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { keyIdOf } from '../bundle/sign.ts';

/** The key with which one kit signs its own log; made on its first start and never sent anywhere. */
export interface KitKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
  /** SPKI DER in base64. */
  readonly publicKey: string;
}

/** PKCS#8 of an Ed25519 key up to its 32-byte seed. @see RFC 8410 §7 */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

export const SEED_BYTES = 32;

/** The kit's key from its seed. */
export function kitKeyFrom(seed: Uint8Array): KitKey {
  if (seed.length !== SEED_BYTES) throw new RangeError(`an Ed25519 seed has ${SEED_BYTES} bytes, not ${seed.length}`);
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(privateKey);
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return { keyId: keyIdOf(publicKey), privateKey, publicKey: Buffer.from(spki).toString('base64') };
}
