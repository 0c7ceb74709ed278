import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findCardNumber, holdsCardNumber, passesLuhn } from './card-guard.ts';
import { toGtin14 } from './gtin.ts';

// Numbers that the card schemes publish for tests.
const TEST_PANS = [
  '4111111111111111',
  '4012888888881881',
  '4222222222222',
  '5555555555554444',
  '5105105105105100',
  '2223003122003222',
  '378282246310005',
  '371449635398431',
  '6011111111111117',
  '6011000990139424',
  '3530111333300000',
  '30569309025904',
  '38520000023237',
  '6200000000000005',
  '6759649826438453',
  '5018000000000009',
];
const noCatalogue = (): boolean => false;

describe('a card number', () => {
  test.each(TEST_PANS)('%s is found bare, grouped and inside text', (pan) => {
    expect(holdsCardNumber(pan)).toBe(true);
    expect(holdsCardNumber(pan.replaceAll(/(\d{4})(?=\d)/g, '$1 '))).toBe(true);
    expect(holdsCardNumber(pan.replaceAll(/(\d{4})(?=\d)/g, '$1-'))).toBe(true);
    expect(holdsCardNumber(`note: ${pan}, exp 12/29`)).toBe(true);
    expect(holdsCardNumber(`;${pan}=29121010000000000?`)).toBe(true);
    expect(holdsCardNumber(`%B${pan}^DOE/J^2912101?`)).toBe(true);
  });

  test('is found in track data whose separators were lost', () => {
    expect(holdsCardNumber('411111111111111129121010000000000')).toBe(true);
  });

  test('is found beside other digits in groups of their own', () => {
    for (const pan of TEST_PANS) {
      expect(holdsCardNumber(`sale/42 ${pan}`)).toBe(true);
      expect(holdsCardNumber(`${pan} 12`)).toBe(true);
      expect(holdsCardNumber(`42-${pan.replaceAll(/(\d{4})(?=\d)/g, '$1-')}-0007`)).toBe(true);
    }
  });

  test.each(['476173******0119', '411111', '4111111111111112', '1764238530123', '20261127101530', ''])(
    'is not seen in %j',
    (text) => expect(holdsCardNumber(text)).toBe(false),
  );
});

describe('a body', () => {
  test('is searched in every field, every depth and in the names of fields', () => {
    expect(findCardNumber({ lines: [{ note: '4111 1111 1111 1111' }] }, noCatalogue)).toBe('lines.0.note');
    expect(findCardNumber({ a: { b: { c: ['x', '378282246310005'] } } }, noCatalogue)).toBe('a.b.c.1');
    expect(findCardNumber({ '4111111111111111': 1 }, noCatalogue)).toBe('a field name');
    expect(findCardNumber({ seq: 4111111111111111 }, noCatalogue)).toBe('seq');
  });

  test('may hold a GTIN that happens to pass Luhn, but no card number in the GTIN’s place', () => {
    let seen = 0;
    for (let n = 0; n < 2_000 && seen < 20; n += 1) {
      const gtin = `400${String(n).padStart(9, '0')}`;
      for (let digit = 0; digit < 10; digit += 1) {
        const whole = `${gtin}${digit}`;
        if (toGtin14(whole) === null || !passesLuhn(whole)) continue;
        seen += 1;
        expect(findCardNumber({ gtin: whole, sku: whole }, noCatalogue)).toBeNull();
        expect(findCardNumber({ note: whole }, noCatalogue)).toBe('note');
      }
    }
    expect(seen).toBe(20);
    for (const pan of TEST_PANS) expect(findCardNumber({ gtin: pan, sku: pan }, noCatalogue)).toBe('gtin');
  });

  test('may hold a 14-digit GTIN of the catalogue whatever it looks like', () => {
    let gtin = '';
    for (let n = 0; gtin === ''; n += 1) {
      const body = `36${String(n).padStart(11, '0')}`;
      const found = Array.from('0123456789')
        .map((digit) => body + digit)
        .find((one) => toGtin14(one) !== null);
      if (found !== undefined && passesLuhn(found)) gtin = found;
    }
    expect(findCardNumber({ gtin }, noCatalogue)).toBe('gtin');
    expect(findCardNumber({ gtin }, (known) => known === gtin)).toBeNull();
  });

  test('is searched without falling over, whatever it is', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void findCardNumber(value, noCatalogue)));
  });
});
