import { withoutRandomIds } from '../../drivers/lib/random-id.ts';
import { toGtin14 } from './gtin.ts';

/** A run of digits as people and devices write card numbers: single blanks or hyphens may stand between them. */
const DIGIT_RUN = /\d(?:[ -]?\d){11,}/g;

/** Issuer ranges with the lengths in use; Luhn alone would take one time stamp in ten for a card. */
const ISSUERS: readonly { readonly prefix: RegExp; readonly lengths: readonly number[] }[] = [
  { prefix: /^4/, lengths: [13, 16, 18, 19] },
  { prefix: /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] },
  { prefix: /^3[47]/, lengths: [15] },
  { prefix: /^(30[0-5]|3095|36|3[89])/, lengths: [14, 15, 16, 17, 18, 19] },
  { prefix: /^(6011|64[4-9]|65)/, lengths: [16, 17, 18, 19] },
  { prefix: /^(2131|1800)/, lengths: [15] },
  { prefix: /^35(2[89]|[3-8])/, lengths: [16, 17, 18, 19] },
  { prefix: /^(62|81)/, lengths: [14, 15, 16, 17, 18, 19] },
  { prefix: /^220[0-4]/, lengths: [16, 17, 18, 19] },
  { prefix: /^(50|5[6-9]|6)/, lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
];

const LONGEST = 19;
const SHORTEST = 12;

/** The check digit of card numbers (ISO/IEC 7812-1, annex B). */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

function isCardNumber(digits: string): boolean {
  return ISSUERS.some((one) => one.lengths.includes(digits.length) && one.prefix.test(digits)) && passesLuhn(digits);
}

/** True when a text holds something that looks like a primary account number, also inside a longer run of digits. */
export function holdsCardNumber(text: string): boolean {
  for (const match of withoutRandomIds(text).matchAll(DIGIT_RUN)) {
    const pieces = match[0].split(/[ -]/);
    if (holdsGroupedCard(pieces)) return true;
    const run = pieces.join('');
    if (run.length <= LONGEST) continue;
    // A longer run (track data without its separators) is searched at each offset for the common lengths only: with
    // all lengths a random run of 40 digits would be a card more often than not.
    for (let start = 0; start + 16 <= run.length; start++) if (isCardNumber(run.slice(start, start + 16))) return true;
  }
  return false;
}

/** A card number may stand beside other digits (`42 4111 1111 1111 1111`): any row of whole groups may be one. */
function holdsGroupedCard(groups: readonly string[]): boolean {
  return groups.some((_, from) => {
    let digits = '';
    for (const group of groups.slice(from)) {
      digits += group;
      if (digits.length > LONGEST) return false;
      if (isCardNumber(digits)) return true;
    }
    return false;
  });
}

/** Fields in which a GTIN is expected: an EAN-13 with a right check digit is no 13-digit card of the last century. */
const GTIN_FIELDS: ReadonlySet<string> = new Set(['gtin', 'gtin14', 'sku']);

/**
 * The path of the first text in a JSON value that looks like a card number, or `null`.
 * @param knownGtin tells GTIN-14s of the catalogue, the only 14-digit ones that may look like a card
 */
export function findCardNumber(value: unknown, knownGtin: (gtin14: string) => boolean): string | null {
  return find(value, '', '', knownGtin);
}

function find(value: unknown, path: string, field: string, knownGtin: (gtin14: string) => boolean): string | null {
  if (typeof value === 'string') {
    if (value.length < SHORTEST || !holdsCardNumber(value)) return null;
    if (GTIN_FIELDS.has(field)) {
      const gtin14 = toGtin14(value);
      if (gtin14 !== null && (value.length < 14 || knownGtin(gtin14))) return null;
    }
    return path === '' ? 'body' : path;
  }
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && value >= 1e11 && isCardNumber(String(value)) ? path : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    if (holdsCardNumber(key)) return path === '' ? 'a field name' : `a field name in ${path}`;
    const name = Array.isArray(value) ? field : key;
    const found = find(inner, path === '' ? key : `${path}.${key}`, name, knownGtin);
    if (found !== null) return found;
  }
  return null;
}
