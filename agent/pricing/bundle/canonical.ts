import { createHash } from 'node:crypto';

/**
 * The one spelling of a JSON value: keys by UTF-16 code unit, no white space. RFC 8785 restricted to integers, where
 * it needs no number formatting of its own. Only for values that `readJson` has let through.
 */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const object = value as Readonly<Record<string, unknown>>;
    let text = '';
    // The default sort is by UTF-16 code unit, as RFC 8785 §3.2.3 asks.
    for (const key of Object.keys(object).sort()) {
      const item = object[key];
      if (item !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalText(item)}`;
    }
    return `{${text}}`;
  }
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new TypeError('only whole numbers within ±(2^53−1) have a canonical form');
  return JSON.stringify(value) ?? 'null';
}

export function canonicalBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(canonicalText(value));
}

/** SHA-256 in lower hex. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
