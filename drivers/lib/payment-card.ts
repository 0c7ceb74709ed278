import { passesLuhn } from './luhn.ts';

interface Issuer {
  /** First digits, from–to, equally long. */
  readonly from: string;
  readonly to: string;
  readonly lengths: readonly number[];
}

const digitsFrom = (first: number, last: number): readonly number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/**
 * Issuer ranges of the card schemes (ISO/IEC 7812 issuer identification numbers as the schemes publish them). Wide on
 * purpose: the whole of 4 and 5, 34–39 and 60–69, so that a scheme's new range is not let through.
 */
const ISSUERS: readonly Issuer[] = [
  { from: '2200', to: '2204', lengths: digitsFrom(16, 19) },
  { from: '2221', to: '2720', lengths: [16] },
  { from: '30', to: '30', lengths: digitsFrom(14, 19) },
  { from: '34', to: '34', lengths: [15] },
  { from: '35', to: '35', lengths: digitsFrom(16, 19) },
  { from: '36', to: '36', lengths: digitsFrom(14, 19) },
  { from: '37', to: '37', lengths: [15] },
  { from: '38', to: '39', lengths: digitsFrom(14, 19) },
  { from: '4', to: '4', lengths: [13, 16, 18, 19] },
  { from: '50', to: '59', lengths: digitsFrom(12, 19) },
  { from: '60', to: '69', lengths: digitsFrom(12, 19) },
  { from: '81', to: '82', lengths: digitsFrom(16, 19) },
  { from: '9792', to: '9792', lengths: [16] },
];

/** Whether the first digits and the length are those of a payment card. */
export function hasPaymentIssuer(digits: string): boolean {
  return ISSUERS.some(({ from, to, lengths }) => {
    const first = digits.slice(0, from.length);
    return first >= from && first <= to && lengths.includes(digits.length);
  });
}

/**
 * Whether these digits are to be taken for a payment card's number: issuer, length and Luhn. Luhn alone would take one
 * number in ten.
 */
export function isPaymentPan(digits: string): boolean {
  return hasPaymentIssuer(digits) && passesLuhn(digits);
}
