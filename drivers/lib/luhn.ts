const ZERO = 0x30;
const NINE = 0x39;

/**
 * Whether character codes `start` to `end` are decimal digits that end in their Luhn check digit (ISO/IEC 7812-1
 * annex B). Works on bytes so that a card's number need not become a string, which could not be wiped.
 */
export function passesLuhnAt(codes: ArrayLike<number>, start: number, end: number): boolean {
  if (end - start < 2) return false;
  let sum = 0;
  for (let at = end - 1, doubled = false; at >= start; at -= 1, doubled = !doubled) {
    const code = codes[at] ?? 0;
    if (code < ZERO || code > NINE) return false;
    const digit = (code - ZERO) * (doubled ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
}

/** Character codes of a text: for the functions that read digits from bytes. */
export function codesOf(text: string): readonly number[] {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
}

/** Whether a text of 2 or more decimal digits ends in its Luhn check digit. */
export function passesLuhn(digits: string): boolean {
  return passesLuhnAt(codesOf(digits), 0, digits.length);
}
