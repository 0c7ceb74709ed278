import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toGtin14 } from './gtin.ts';

test.each([
  ['96385074', '00000096385074'],
  ['614141000036', '00614141000036'],
  ['5901234123457', '05901234123457'],
  ['10614141000415', '10614141000415'],
])('reads %s as a GTIN-14', (given, gtin14) => expect(toGtin14(given)).toBe(gtin14));

test.each(['', '96385075', '5901234123456', '590123412345', '123456789', '5901234123457 ', '٥٩٠١٢٣٤١٢٣٤٥٧'])(
  'refuses %j',
  (given) => expect(toGtin14(given)).toBeNull(),
);

test('finds each single wrong digit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 9 }), (at, more) => {
      const digits = Array.from('5901234123457');
      digits[at] = String((Number(digits[at]) + more) % 10);
      expect(toGtin14(digits.join(''))).toBeNull();
    }),
  );
});
