import { expect, test } from 'vitest';
import vectors from '../../../drivers/zvt-terminal/vectors.json' with { type: 'json' };
import { createBook } from './book.ts';
import { TEST_CARD } from './customer.ts';
import { apdu, asked, bookingStatus, intermediate, negative, positive, printLine, registered } from './encode.ts';

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const published = new Set(vectors.map((row) => row.hex));
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

test('what the virtual terminal says is what published terminals and examples say', () => {
  expect(published).toContain(hexOf(registered({ terminalId: '29001006', currencyNumeric: '978' })));
  expect(hexOf(printLine('Gesamt      0       0,00'))).toBe('06d11900476573616d742020202020203020202020202020302c3030');
  expect(hexOf(positive())).toBe('800000');
  expect(hexOf(negative(0x9c))).toBe('849c00');
  expect(hexOf(intermediate(0x0a))).toBe('04ff010a');
  expect(hexOf(apdu(0x0650, bytes('123456')))).toBe('065003123456');
  expect(hexOf(apdu(0x06d3, new Uint8Array(256))).slice(0, 10)).toBe('06d3ff0001');
});

test('a booking is told with its numbers, masked unless the terminal is badly set up', () => {
  const entry = createBook(41).hold('sale', 1250, { time: '101500', date: '1123' });
  const identity = { terminalId: '00000001', currencyNumeric: '978' };
  const masked = hexOf(bookingStatus(identity, entry, TEST_CARD, { unmasked: false }));
  expect(masked).toContain('2700040000000012500b0000420c1015000d112322f0f8411111eeeeee1111');
  expect(masked).toContain('2900000001490978870042');
  expect(masked).not.toContain(TEST_CARD.pan);
  const leaking = hexOf(bookingStatus(identity, entry, TEST_CARD, { unmasked: true }));
  for (const field of ['22f1f2', '23f1f7', '24f0f1f8', '2df4f5', '3a123f', '3cf0f2f5'])
    expect(leaking).toContain(field);
});

test('what a till asks is understood, and a wrong length is not', () => {
  expect(asked(bytes('06010a04000000001250490978'))).toMatchObject({ control: 0x0601, amountMinor: 1250 });
  expect(asked(bytes('063006123456870231'))).toMatchObject({ control: 0x0630, receiptNo: 231 });
  expect(asked(bytes('0620051234560303'))).toMatchObject({ control: 0x0620, serviceByte: 3 });
  expect(asked(bytes('06310d12345604000000000300490978'))).toMatchObject({ control: 0x0631, amountMinor: 300 });
  expect(asked(bytes('06010b04000000001250490978'))).toBeNull();
});

test('a book counts what stands, and shows the last booking that does', () => {
  const book = createBook(9_998);
  const at = { time: '101500', date: '1123' };
  const first = book.hold('sale', 1250, at);
  const second = book.hold('sale', 999, at);
  expect([first.receiptNo, second.receiptNo]).toEqual([9_999, 1]);
  expect(book.totalMinor()).toBe(0);
  first.state = 'booked';
  second.state = 'reversed';
  const refund = book.hold('refund', 250, at);
  refund.state = 'booked';
  expect(book.totalMinor()).toBe(1000);
  refund.state = 'reversed';
  expect(book.last()).toBe(first);
});
