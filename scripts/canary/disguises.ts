/** Public test numbers of the schemes; none was ever a customer's. */
export const CANARIES: readonly string[] = [
  '4111111111111111',
  '5555555555554444',
  '378282246310005',
  '6011111111111117',
  '3530111333300000',
];

/** Fewer bytes than this would be found by chance. */
const FORM_BYTES_MIN = 6;

/**
 * Every way in which a card number may lie in a file, whatever stands before and after it: as text, spaced, packed in
 * either half of a byte, as a list of character codes, in both orders of UTF-16, and each of text and packed digits as
 * hex or base64 in all three alignments.
 */
export function disguises(pan: string): readonly Buffer[] {
  const text = Buffer.from(pan, 'latin1');
  const groups = pan.replaceAll(/(.{4})(?=.)/g, '$1 ');
  const packed = [evenDigits(pan), evenDigits(pan.slice(1))];
  return [
    text,
    Buffer.from(groups, 'latin1'),
    Buffer.from(groups.replaceAll(' ', '-'), 'latin1'),
    Buffer.from(pan, 'utf16le'),
    Buffer.from(pan, 'utf16le').swap16(),
    Buffer.from(text.join(','), 'latin1'),
    ...packed,
    ...hexForms(text),
    ...[text, ...packed].flatMap(base64Forms),
  ].filter((form) => form.length >= FORM_BYTES_MIN);
}

/** The card numbers that stand in some bytes in any disguise. */
export function leaks(haystack: Uint8Array, pans: readonly string[] = CANARIES): readonly string[] {
  const bytes = Buffer.from(haystack.buffer, haystack.byteOffset, haystack.byteLength);
  return pans.filter((pan) => disguises(pan).some((form) => bytes.includes(form)));
}

/** Packed digits whose neighbours are unknown: what fills whole bytes. */
function evenDigits(digits: string): Buffer {
  return Buffer.from(digits.slice(0, digits.length - (digits.length % 2)), 'hex');
}

function hexForms(bytes: Buffer): readonly Buffer[] {
  const hex = bytes.toString('hex');
  return [hex, hex.toUpperCase(), hex.replaceAll(/(..)(?=.)/g, '$1 '), hex.replaceAll(/(..)(?=.)/g, '$1:')].map(
    (form) => Buffer.from(form, 'latin1'),
  );
}

/** Base64 of bytes inside something longer: the characters at the ends also hold bits of the neighbours. */
function base64Forms(bytes: Buffer): readonly Buffer[] {
  return [0, 1, 2].flatMap((shift) => {
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes]);
    const whole = shifted.length - (shifted.length % 3);
    const standard = shifted
      .subarray(0, whole)
      .toString('base64')
      .slice(shift === 0 ? 0 : 4);
    const url = standard.replaceAll('+', '-').replaceAll('/', '_');
    return [...new Set([standard, url])].map((form) => Buffer.from(form, 'latin1'));
  });
}
