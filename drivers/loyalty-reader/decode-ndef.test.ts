import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeNdefId } from './decode-ndef.ts';

const memory = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const said = (hex: string): string => {
  const result = decodeNdefId(memory(hex));
  return result.ok ? Buffer.from(result.id).toString('latin1') : result.code;
};

// NTAG213 data sheet, 8.5.6: capability container E1 10 12 00; NFC Forum Text and URI record types, their examples.
const TEXT = 'E1101200 030F D1010B54 02656E 3939303030313233 FE';
const URI = 'E1101200 030F D1010B55 04 612E622F63393930 3031 FE';

test('the id is the text of a text record', () => expect(said(TEXT)).toBe('99000123'));
test('the id is the address of a URI record, its prefix written out', () =>
  expect(said(URI)).toBe('https://a.b/c99001'));
test('lock controls and null bytes are passed over', () =>
  expect(said('E1101200 0103A00C34 00 0308 D101045402656E41 FE')).toBe('A'));
test('a record of another type is passed over', () =>
  expect(said('E1101200 030D 910101 58 78 51010454 02656E42 FE')).toBe('B'));
test('a long record with an id is read', () =>
  expect(said('E1101200 030D C90100000004 01 54 49 02656E43 FE')).toBe('C'));
test('what goes on behind the bytes asks for more', () => {
  for (let length = 0; length < memory(TEXT).length - 1; length += 1)
    expect(decodeNdefId(memory(TEXT).subarray(0, length))).toEqual({ ok: false, code: 'more' });
});
test('a tag without a message, UTF-16 text and a chunked record hold no id', () => {
  expect(said('00000000')).toBe('no-ndef');
  expect(said('E1101200 FE')).toBe('no-ndef');
  expect(said('E1101200 0308 D101045482656E41 FE')).toBe('no-id');
  expect(said('E1101200 0308 F101045402656E41 FE')).toBe('no-id');
  expect(said('E1101200 0303 D10104 FE')).toBe('no-id');
});
test('survives every flipped bit and random bytes', () => {
  for (const hex of [TEXT, URI])
    for (let bit = 0; bit < memory(hex).length * 8; bit += 1) {
      const flipped = Uint8Array.from(memory(hex));
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(typeof decodeNdefId(flipped).ok).toBe('boolean');
    }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(typeof decodeNdefId(Uint8Array.of(0xe1, 0x10, 0x12, 0x00, ...bytes)).ok).toBe('boolean');
    }),
    { numRuns: 2_000 },
  );
});
