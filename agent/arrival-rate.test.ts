import { expect, test } from 'vitest';
import type { MonoMs } from '../drivers/api/clock.ts';
import { arrivalRate } from './arrival-rate.ts';

/** The rates told while `perS` come evenly for so many seconds from `startMs` on. */
function come(rate: ReturnType<typeof arrivalRate>, perS: number, startMs: number, seconds: number): number[] {
  return Array.from({ length: perS * seconds }, (_, n) => rate.count((startMs + (n * 1_000) / perS) as MonoMs));
}

test('a steady stream is told at its rate from its second second on', () => {
  for (const perS of [1, 50, 500, 1_000]) {
    const told = come(arrivalRate(), perS, 7_000, 10).slice(perS);
    expect(Math.min(...told)).toBeGreaterThan(perS - 1.01);
    expect(Math.max(...told)).toBeLessThan(perS + 1.01);
  }
});

test('a rate never starts above what has come', () => {
  expect(come(arrivalRate(), 500, 0, 1).at(99)).toBe(100);
});

test('a stream that slows down is told so after two seconds, and a pause is forgotten', () => {
  const rate = arrivalRate();
  come(rate, 500, 0, 5);
  expect(come(rate, 50, 5_000, 3).slice(101)).toSatisfy((told: number[]) => told.every((each) => each <= 51));
  come(rate, 500, 8_000, 1);
  expect(rate.count(60_000 as MonoMs)).toBe(1);
});

test('a clock that stands still counts on', () => {
  const rate = arrivalRate();
  expect([1, 2, 3].map(() => rate.count(0 as MonoMs))).toEqual([1, 2, 3]);
});
