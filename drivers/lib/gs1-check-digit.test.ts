import fc from 'fast-check';
import * as gtin from 'gtin';
import { expect, test } from 'vitest';
import { hasGs1CheckDigit, toGtin14 } from './gs1-check-digit.ts';

// gs1/gs1-syntax-engine, src/c-lib/scandata.c, test_scandata_validateParity; the last is the usual EAN-13 example.
test.each([
  ['24012345678905', true],
  ['24012345678909', false],
  ['2112233789657', true],
  ['2112233789658', false],
  ['416000336108', true],
  ['416000336107', false],
  ['02345680', true],
  ['02345689', false],
  ['4006381333931', true],
])('%s has a right check digit: %s', (digits, valid) => {
  expect(hasGs1CheckDigit(digits)).toBe(valid);
  expect(toGtin14(digits)).toBe(valid ? digits.padStart(14, '0') : null);
});

test('agrees with another implementation on every GTIN', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^(?:\d{8}|\d{12,14})$/), (digits) => {
      expect(hasGs1CheckDigit(digits)).toBe(gtin.isValid(digits));
    }),
  );
});

test('checks an SSCC, which is longer than a GTIN', () => {
  expect(hasGs1CheckDigit('106141412345678908')).toBe(true);
  expect(hasGs1CheckDigit('106141412345678909')).toBe(false);
});

test('takes nothing but digits', () => {
  for (const text of ['', '5', '400638133393a', ' 4006381333931', '４００６３８１３３３９３１']) {
    expect(hasGs1CheckDigit(text)).toBe(false);
    expect(toGtin14(text)).toBeNull();
  }
  expect(toGtin14('0000000000')).toBeNull();
});
