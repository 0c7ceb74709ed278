/** A UUID (RFC 9562) with at least one letter, so that no digits alone hide behind its hyphens. */
const UUID = String.raw`(?=[0-9-]*[a-f])[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`;

/**
 * A digest or key in hexadecimal. Six letters at least: track data in BCD (`4111111111111111d2912…f`) has three at most,
 * and digits in ASCII hexadecimal (`34313131…`) none; of random tokens of 32 digits hardly one has fewer.
 */
const DIGEST = String.raw`(?=(?:[0-9]*[a-f]){6})[0-9a-f]{32,128}`;

const RANDOM_ID = new RegExp(String.raw`(?<![0-9a-z])(?:${UUID}|${DIGEST})(?![0-9a-z])`, 'gi');

/**
 * The parts of a text that are no machine-made id. The digits of such ids are chance: one random UUID in 850, and one
 * SHA-256 in 560, holds a run with a card scheme's issuer, length and Luhn digit (measured on 200,000 of each).
 */
export function mapOutsideRandomIds(text: string, map: (part: string) => string): string {
  let at = 0;
  let mapped = '';
  for (const match of text.matchAll(RANDOM_ID)) {
    mapped += map(text.slice(at, match.index)) + match[0];
    at = match.index + match[0].length;
  }
  return mapped + map(text.slice(at));
}

/** A text without its machine-made ids; a mark stands for each, so that what it parted stays apart. */
export function withoutRandomIds(text: string): string {
  return text.replaceAll(RANDOM_ID, '…');
}
