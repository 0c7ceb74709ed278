import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ZvtFields } from './fields.ts';
import { bookingOf, judge, sameBooking, type Booking } from './recovery.ts';

const booking = (over: Partial<Booking> = {}): Booking => ({
  terminalId: '29000042',
  receiptNo: 41,
  trace: 141,
  time: '101500',
  date: '1127',
  amountMinor: 1250,
  ...over,
});
const fields = (over: Partial<Booking> = {}, resultCode = 0): ZvtFields => {
  const { terminalId, receiptNo, trace, time, date, amountMinor } = booking(over);
  return {
    resultCode,
    ...(terminalId === null ? {} : { terminalId }),
    ...(receiptNo === null ? {} : { receiptNo }),
    ...(trace === null ? {} : { trace }),
    ...(time === null ? {} : { time }),
    ...(date === null ? {} : { date }),
    ...(amountMinor === null ? {} : { amountMinor }),
  };
};
const newer = { receiptNo: 42, trace: 142, time: '103000' };

describe('the last booking of the terminal, against a payment whose status never came', () => {
  const ask = (last: ZvtFields | null, before: Booking | null = booking(), amountMinor = 1250) =>
    judge({ amountMinor, before, reported: null }, last);

  test.each([
    ['is a newer one of the same amount: booked', fields(newer), 'booked'],
    ['is the one from before: absent', fields(), 'absent'],
    ['is a newer one of another amount: an operator must look', fields({ ...newer, amountMinor: 999 }), 'unclear'],
    ['has the number of the one before at another time: an operator must look', fields({ time: '180000' }), 'unclear'],
    ['is an older one: an operator must look', fields({ receiptNo: 40, trace: 140 }), 'unclear'],
    ['is the very next one without an amount: booked', fields({ ...newer, amountMinor: null }), 'booked'],
    ['is a later one without an amount: unclear', fields({ ...newer, receiptNo: 44, amountMinor: null }), 'unclear'],
    ['failed: absent', fields(newer, 0x6c), 'absent'],
    ['shares nothing to tell it by: unclear', fields({ receiptNo: 0, trace: 0, time: null, date: null }), 'unclear'],
    ['is of an exchanged terminal: unclear', fields({ ...newer, terminalId: '29000043' }), 'unclear'],
  ] as const)('%s', (_what, last, verdict) => {
    expect(ask(last)).toBe(verdict);
  });

  test('does not exist: absent only where nothing was known before', () => {
    expect(ask(null, null)).toBe('absent');
    expect(ask(null)).toBe('unclear');
  });

  test('proves nothing where nothing was known before', () => {
    expect(ask(fields(newer), null)).toBe('unclear');
  });

  test('goes on from receipt 9999 to 1', () => {
    expect(ask(fields({ ...newer, receiptNo: 1 }), booking({ receiptNo: 9_999 }))).toBe('booked');
  });
});

describe('the last booking of the terminal, against a payment that it had reported', () => {
  const ask = (last: ZvtFields | null, before: Booking | null = booking()) =>
    judge({ amountMinor: 1250, before, reported: booking(newer) }, last);

  test.each([
    ['is that one: booked', fields(newer), 'booked'],
    ['is that one at the time of the repetition: booked', fields({ ...newer, time: '110000' }), 'booked'],
    ['is the one from before: absent, the terminal took it back', fields(), 'absent'],
    ['is a later one: an operator must look', fields({ receiptNo: 43, trace: 143 }), 'unclear'],
  ] as const)('%s', (_what, last, verdict) => {
    expect(ask(last)).toBe(verdict);
  });

  test('is older than it, where nothing was known before: absent', () => {
    expect(ask(fields(), null)).toBe('absent');
  });
});

test('a booking is the same as itself and never two at once', () => {
  const some = fc.record({
    terminalId: fc.constantFrom(null, '29000042'),
    receiptNo: fc.constantFrom(null, 0, 1, 2),
    trace: fc.constantFrom(null, 0, 1, 2),
    time: fc.constantFrom(null, '101500', '101501'),
    date: fc.constantFrom(null, '1127'),
    amountMinor: fc.constantFrom(null, 5, 6),
  });
  fc.assert(
    fc.property(some, some, (one, other) => {
      expect(sameBooking(one, other)).toBe(sameBooking(other, one));
      expect(sameBooking(one, one)).not.toBe(false);
    }),
  );
  expect(bookingOf({})).toEqual({
    terminalId: null,
    receiptNo: null,
    trace: null,
    time: null,
    date: null,
    amountMinor: null,
  });
});
