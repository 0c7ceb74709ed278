import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RangeSet } from './range-set.ts';

const ranges = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 8 })), { maxLength: 20 });

test('holds exactly the numbers that were added, in ranges that do not touch', () => {
  fc.assert(
    fc.property(ranges, (added) => {
      const set = new RangeSet();
      const model = new Set<number>();
      for (const [from, length] of added) {
        set.add(from, from + length);
        for (let value = from; value <= from + length; value += 1) model.add(value);
      }
      for (let value = 0; value <= 70; value += 1) expect(set.has(value)).toBe(model.has(value));
      for (const [index, [from]] of set.ranges.entries()) {
        const before = set.ranges[index - 1];
        if (before !== undefined) expect(from).toBeGreaterThan(before[1] + 1);
      }
    }),
  );
});

test('names the gaps that the ranges leave', () => {
  fc.assert(
    fc.property(ranges, fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 70 }), (added, from, to) => {
      const set = new RangeSet(added.map(([start, length]) => [start, start + length]));
      const inGaps = [...set.gaps(from, to)].flatMap(([a, b]) => Array.from({ length: b - a + 1 }, (_, i) => a + i));
      const expected = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i).filter(
        (v) => !set.has(v),
      );
      expect(inGaps).toEqual(expected);
    }),
  );
});

test('an empty or backward range adds nothing', () => {
  const set = new RangeSet();
  set.add(5, 4);
  expect(set.ranges).toEqual([]);
});
