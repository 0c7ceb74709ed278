import { RANDOM_UID } from './pn532-protocol.ts';

const HEX = '0123456789abcdef';

/**
 * A tag's UID as the id to make a pseudonym of: lower-case hexadecimal, as printed on cards. `null` for a random one,
 * which phones and passports show: it is another one at each approach and identifies nobody.
 */
export function uidId(uid: Uint8Array): Uint8Array | null {
  if (uid.length === 4 && uid[0] === RANDOM_UID) return null;
  const id = new Uint8Array(2 * uid.length);
  uid.forEach((byte, at) => {
    id[2 * at] = HEX.charCodeAt(byte >> 4);
    id[2 * at + 1] = HEX.charCodeAt(byte & 0x0f);
  });
  return id;
}
