import { expect, test } from 'vitest';
import { withoutCards } from './log-guard.ts';

test('card numbers in log fields keep first six and last four, at any depth, in names and as numbers', () => {
  expect(
    withoutCards({
      topic: 'x/4111111111111111',
      n: 378282246310005,
      list: [{ '5555555555554444': 'a' }],
      ok: true,
      none: null,
    }),
  ).toEqual({
    topic: 'x/411111******1111',
    n: '378282*****0005',
    list: [{ '555555******4444': 'a' }],
    ok: true,
    none: null,
  });
});

test('other numbers stay as they are', () => {
  const fields = { wallMs: 1_795_771_200_000, bytes: 268_435_456, serial: '9900000000000008', share: 0.25 };
  expect(withoutCards(fields)).toEqual(fields);
  expect(withoutCards()).toEqual({});
});
