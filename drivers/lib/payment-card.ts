import { codesOf, passesLuhnAt } from './luhn.ts';

interface Issuer {
  /** First and last value of the leading digits. */
  readonly from: number;
  readonly to: number;
  /** How many leading digits those are. */
  readonly leading: number;
  readonly shortest: number;
  readonly longest: number;
}

const ZERO = 0x30;
const NINE = 0x39;

/**
 * Issuer ranges of the card schemes (ISO/IEC 7812 issuer identification numbers as the schemes publish them). Wide on
 * purpose: the whole of 4, 5 and 6, so that a scheme's new range is not let through.
 */
const ISSUERS: readonly Issuer[] = [
  { leading: 4, from: 2200, to: 2204, shortest: 16, longest: 19 },
  { leading: 4, from: 2221, to: 2720, shortest: 16, longest: 16 },
  { leading: 2, from: 30, to: 30, shortest: 14, longest: 19 },
  { leading: 2, from: 34, to: 34, shortest: 15, longest: 15 },
  { leading: 2, from: 35, to: 35, shortest: 16, longest: 19 },
  { leading: 2, from: 36, to: 36, shortest: 14, longest: 19 },
  { leading: 2, from: 37, to: 37, shortest: 15, longest: 15 },
  { leading: 2, from: 38, to: 39, shortest: 14, longest: 19 },
  { leading: 1, from: 4, to: 4, shortest: 13, longest: 19 },
  { leading: 1, from: 5, to: 6, shortest: 12, longest: 19 },
  { leading: 2, from: 81, to: 82, shortest: 16, longest: 19 },
  { leading: 4, from: 9792, to: 9792, shortest: 16, longest: 16 },
];

/** Whether digits `start` to `end` have the first digits and the length of a payment card's number. */
export function hasPaymentIssuerAt(codes: ArrayLike<number>, start: number, end: number): boolean {
  const length = end - start;
  return ISSUERS.some(({ from, to, leading, shortest, longest }) => {
    if (length < shortest || length > longest) return false;
    let value = 0;
    for (let at = start; at < start + leading; at += 1) {
      const code = codes[at] ?? 0;
      if (code < ZERO || code > NINE) return false;
      value = value * 10 + code - ZERO;
    }
    return value >= from && value <= to;
  });
}

/** Whether digits `start` to `end` are to be taken for a payment card's number: issuer, length and Luhn. */
export function isPaymentPanAt(codes: ArrayLike<number>, start: number, end: number): boolean {
  return hasPaymentIssuerAt(codes, start, end) && passesLuhnAt(codes, start, end);
}

/** {@link isPaymentPanAt} of a text of digits. Luhn alone would take one number in ten. */
export function isPaymentPan(digits: string): boolean {
  return isPaymentPanAt(codesOf(digits), 0, digits.length);
}
