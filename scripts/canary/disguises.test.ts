import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CANARIES, disguises, leaks } from './disguises.ts';

const noise = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes));

/** A packed number at either half of a byte. */
const packed = (pan: string, before: string): Buffer => {
  const digits = `${before}${pan}`;
  return Buffer.from(digits.length % 2 === 0 ? digits : `${digits}f`, 'hex');
};

const encodings: readonly (readonly [name: string, encode: (bytes: Buffer) => Buffer])[] = [
  ['as it is', (bytes) => bytes],
  ['as hex', (bytes) => Buffer.from(bytes.toString('hex'))],
  ['as upper-case hex', (bytes) => Buffer.from(bytes.toString('hex').toUpperCase())],
  ['as base64', (bytes) => Buffer.from(bytes.toString('base64'))],
  ['as base64url', (bytes) => Buffer.from(bytes.toString('base64url'))],
];

describe('the search for card numbers', () => {
  test.each(encodings)('finds each one in text %s, whatever stands around it', (_, encode) => {
    fc.assert(
      fc.property(fc.constantFrom(...CANARIES), noise, noise, (pan, before, after) =>
        leaks(encode(Buffer.concat([before, Buffer.from(pan), after]))).includes(pan),
      ),
    );
  });

  test.each(encodings)('finds each one packed and %s, in either half of a byte', (name, encode) => {
    for (const pan of CANARIES)
      for (const before of ['', '7', '06', '123'])
        expect(leaks(encode(packed(pan, before))), `${name} ${before}`).toContain(pan);
  });

  test('finds each one in UTF-16, in groups and as a list of codes', () => {
    for (const pan of CANARIES) {
      expect(leaks(Buffer.from(`"${pan}"`, 'utf16le'))).toEqual([pan]);
      expect(leaks(Buffer.from(`"${pan}"`, 'utf16le').swap16())).toEqual([pan]);
      expect(leaks(Buffer.from(JSON.stringify([...Buffer.from(`;${pan}=`)])))).toEqual([pan]);
      expect(leaks(Buffer.from(pan.replaceAll(/(.{4})(?=.)/g, '$1 ')))).toEqual([pan]);
    }
  });

  test('finds nothing in what may be kept, and seldom anything in noise', () => {
    for (const pan of CANARIES) expect(leaks(Buffer.from(`${pan.slice(0, 6)}******${pan.slice(-4)}`))).toEqual([]);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4_096, maxLength: 4_096 }), (bytes) => leaks(bytes).length === 0),
      {
        numRuns: 20,
      },
    );
    for (const pan of CANARIES)
      expect(Math.min(...disguises(pan).map(({ length }) => length))).toBeGreaterThanOrEqual(6);
  });
});
