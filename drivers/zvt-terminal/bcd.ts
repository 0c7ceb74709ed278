/** Digits of packed BCD; `undefined` when a nibble is no digit. */
export function bcdDigits(bytes: Uint8Array): string | undefined {
  let digits = '';
  for (const byte of bytes) {
    if (byte >> 4 > 9 || (byte & 0x0f) > 9) return undefined;
    digits += `${byte >> 4}${byte & 0x0f}`;
  }
  return digits;
}

/** The number that packed BCD holds, at most 15 digits; `undefined` when a nibble is no digit. */
export function bcdNumber(bytes: Uint8Array): number | undefined {
  const digits = bcdDigits(bytes);
  return digits === undefined || digits.length > 15 ? undefined : Number(digits);
}

/** `value` as packed BCD of `length` bytes. Throws RangeError when it does not fit. */
export function toBcd(value: number, length: number): Uint8Array {
  const digits = String(value).padStart(length * 2, '0');
  if (!Number.isSafeInteger(value) || value < 0 || digits.length !== length * 2)
    throw new RangeError(`${value} does not fit into ${length} bytes of BCD`);
  return Uint8Array.from({ length }, (_, index) => Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16));
}

/** Bytes as lower-case hex. */
export function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
