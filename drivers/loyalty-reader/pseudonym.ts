import { createHmac } from 'node:crypto';
import type { JsonObject } from '../api/reading.ts';

/** What is mixed in before an id, so that the key serves no other purpose by accident. */
const PURPOSE = 'loyalty|v1|';
const KEY_ID_PURPOSE = 'loyalty|key-id|v1';
const KEY_ID_HEX = 16;

/** Customers whose old and new pseudonyms this driver remembers to have linked; the oldest is forgotten and linked again. */
export const LINKED_CUSTOMERS = 4_096;

interface Pseudonym {
  /** Tells keys apart without telling anything of them. */
  readonly keyId: string;
  /** HMAC-SHA256(key, "loyalty|v1|" + id), hexadecimal. */
  readonly pseudonym: string;
}

/** A customer's pseudonym, and during a change of keys, once per customer, the one under the key before. */
export interface LinkedPseudonym extends Pseudonym {
  readonly previous?: Pseudonym;
}

/**
 * Turns ids into pseudonyms. An id has little entropy: whoever has the key can find them all again, so the key stays in
 * its file. While a previous key is given, each customer's first pseudonym under the new key comes with the old one;
 * afterwards the previous key is taken out of kit.yaml and destroyed.
 */
export function pseudonymizer(keys: {
  readonly current: Uint8Array;
  readonly previous?: Uint8Array;
}): (id: Uint8Array) => LinkedPseudonym {
  const current = under(keys.current);
  const previous = keys.previous === undefined ? undefined : under(keys.previous);
  const linked = new Set<string>();
  return (id) => {
    const now = current(id);
    if (previous === undefined || linked.has(now.pseudonym)) return now;
    linked.add(now.pseudonym);
    if (linked.size > LINKED_CUSTOMERS) {
      const oldest = linked.values().next();
      if (oldest.done !== true) linked.delete(oldest.value);
    }
    return { ...now, previous: previous(id) };
  };
}

function under(key: Uint8Array): (id: Uint8Array) => Pseudonym {
  const keyId = createHmac('sha256', key).update(KEY_ID_PURPOSE).digest('hex').slice(0, KEY_ID_HEX);
  return (id) => ({ keyId, pseudonym: createHmac('sha256', key).update(PURPOSE).update(id).digest('hex') });
}

/** The pseudonym as event data. */
export function loyaltyData(readerId: string, { keyId, pseudonym, previous }: LinkedPseudonym): JsonObject {
  return {
    readerId,
    keyId,
    pseudonym,
    ...(previous === undefined ? {} : { previous: { keyId: previous.keyId, pseudonym: previous.pseudonym } }),
  };
}
