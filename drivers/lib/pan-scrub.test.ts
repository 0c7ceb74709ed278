import fc from 'fast-check';
import luhn from 'luhn-js';
import { describe, expect, test } from 'vitest';
import { codesOf, passesLuhn } from './luhn.ts';
import { maskCards, maskPan, scrubPans } from './pan-scrub.ts';
import { hasPaymentIssuerAt, isPaymentPan } from './payment-card.ts';

const TEST_CARDS = [
  '4111111111111111',
  '4222222222222',
  '4012888888881881',
  '5555555555554444',
  '2223003122003222',
  '378282246310005',
  '6011111111111117',
  '3530111333300000',
  '30569309025904',
  '6759649826438453',
  '6200000000000005',
];

describe('Luhn', () => {
  test('accepts what the public vectors accept', () => {
    expect(passesLuhn('4111111111111111')).toBe(true);
    expect(passesLuhn('79927398713')).toBe(true);
    expect(passesLuhn('1234123412341234')).toBe(false);
  });

  test('agrees with another implementation', () => {
    fc.assert(fc.property(fc.stringMatching(/^\d{2,30}$/), (digits) => passesLuhn(digits) === luhn.isValid(digits)));
  });

  test('never throws on other text', () => {
    expect(passesLuhn('')).toBe(false);
    expect(passesLuhn('4111 1111')).toBe(false);
    expect(passesLuhn('٤٤')).toBe(false);
  });
});

describe('a payment card’s number', () => {
  test.each(TEST_CARDS)('%s is known by issuer, length and check digit', (pan) => expect(isPaymentPan(pan)).toBe(true));

  test('is not taken from a loyalty number, a timestamp or another length', () => {
    expect(isPaymentPan('9900001234567')).toBe(false);
    expect(isPaymentPan('1795771200000')).toBe(false);
    expect(isPaymentPan('411111111111111')).toBe(false);
    expect(hasPaymentIssuerAt(codesOf('4111111111111112'), 0, 16)).toBe(true);
    expect(isPaymentPan('4111111111111112')).toBe(false);
  });
});

describe('scrubbing free text', () => {
  test('keeps the first six and last four of every run that passes Luhn', () => {
    expect(scrubPans('KARTE 4111111111111111 OK')).toBe('KARTE 411111******1111 OK');
    expect(scrubPans('378282246310005')).toBe('378282*****0005');
    expect(scrubPans('6759649826438453=2512')).toBe('675964******8453=2512');
  });

  test('leaves runs that fail Luhn or have another length', () => {
    for (const text of ['1234123412341234', 'BELEG 0042', '12345678901', '41111111111111111111'])
      expect(scrubPans(text)).toBe(text);
  });

  test('sees card numbers in printed groups, whatever digits stand before them', () => {
    expect(scrubPans('01 4111 1111 1111 1111')).toBe('01 4111 11** **** 1111');
    expect(scrubPans('3782-822463-10005')).toBe('3782-82****-*0005');
    expect(scrubPans('Tel 0800 1234 5678 9012')).toBe('Tel 0800 1234 5678 9012');
  });

  test('leaves no run of a card’s length that passes Luhn, whatever the text', () => {
    const piece = fc.oneof(
      fc.constantFrom(...TEST_CARDS),
      fc.stringMatching(/^\d{11,18}$/).map((body) => luhn.generate(body)),
      fc.constantFrom(' ', '=', 'D', '\n', 'x'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const left = scrubPans(pieces.join(' ')).match(/(?<!\d)\d{12,19}(?!\d)/g) ?? [];
        return left.every((run) => !passesLuhn(run));
      }),
    );
  });

  test('hides all but ten digits', () => {
    expect(maskPan('4111111111111111')).toBe('411111******1111');
    expect(maskPan('559883******8074'.replaceAll('*', '0'))).toBe('559883******8074');
  });
});

test('masking cards elsewhere spares numbers that only pass Luhn', () => {
  expect(maskCards('serial 9900000000000008')).toBe('serial 9900000000000008');
  expect(maskCards('serial 4111111111111111')).toBe('serial 411111******1111');
});
