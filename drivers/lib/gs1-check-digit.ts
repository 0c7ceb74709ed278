/**
 * Whether the last digit is the GS1 check digit of those before it: modulo 10, weights 3 and 1 alternating, the digit
 * beside the check digit weighing 3. Holds for GTIN-8/12/13/14, GLN, SSCC and every other all-numeric GS1 key.
 * @see GS1 General Specifications, 7.9.1
 */
export function hasGs1CheckDigit(digits: string): boolean {
  if (!/^\d{2,}$/.test(digits)) return false;
  let sum = 0;
  for (let fromRight = 0; fromRight < digits.length; fromRight += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - fromRight) - 0x30;
    sum += fromRight % 2 === 0 ? digit : 3 * digit;
  }
  return sum % 10 === 0;
}

/** A GTIN-8, -12, -13 or -14 with a right check digit, padded to 14 digits; `null` for anything else. */
export function toGtin14(digits: string): string | null {
  if (!/^(?:\d{8}|\d{12,14})$/.test(digits) || !hasGs1CheckDigit(digits)) return null;
  return digits.padStart(14, '0');
}
