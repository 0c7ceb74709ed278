import { maskPan } from '../lib/pan-scrub.ts';

/** ISO/IEC 7812: no issued card number is shorter. */
const PAN_MIN_DIGITS = 12;
const MASKED = 0x0e;
const SEPARATOR = 0x0d;
const PADDING = 0x0f;
const KEPT_LAST = 4;

/**
 * BMP 22 without what must not leave the terminal (PCI DSS 3.4.1): cut at the field separator, since real captures
 * carry a track behind it, then first 6 and last 4. What the terminal masked itself stays masked. Of a number too
 * short to be a card's nothing would be hidden by that, so only its last 4 stay.
 */
export function maskedPan(bmp22: Uint8Array): string {
  let number = '';
  for (const byte of bmp22) {
    for (const nibble of [byte >> 4, byte & 0x0f]) {
      if (nibble === SEPARATOR || nibble === PADDING) return mask(number);
      number += nibble === MASKED || nibble > 9 ? '*' : String(nibble);
    }
  }
  return mask(number);
}

function mask(number: string): string {
  if (number.length >= PAN_MIN_DIGITS) return maskPan(number);
  const kept = number.length >= 2 * KEPT_LAST ? KEPT_LAST : 0;
  return '*'.repeat(number.length - kept) + number.slice(number.length - kept);
}
