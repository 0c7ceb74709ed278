import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CountLine, type Crossing, LINE_COUNTER, LineCounter, type Point } from './line-counter.ts';

/** Drawn downwards: its positive side is the left one of the picture. */
const line: CountLine = { id: 'door', from: { x: 100, y: 50 }, to: { x: 100, y: 150 } };
const HEIGHT = 80;

function walk(counter: LineCounter, path: readonly Point[], trackId = 1): readonly Crossing[] {
  return path.flatMap((point, at) =>
    counter.see({ ...point, trackId, frame: at + 1, atMs: at * 100, heightPx: HEIGHT }),
  );
}

const along = (xs: readonly number[], y = 100): readonly Point[] => xs.map((x) => ({ x, y }));

describe('counting over a line', () => {
  test('counts in from the negative to the positive side and out the other way', () => {
    expect(walk(new LineCounter([line]), along([140, 120, 80, 60]))).toMatchObject([
      { lineId: 'door', direction: 'in', frame: 3, atMs: 150 },
    ]);
    expect(walk(new LineCounter([line]), along([60, 80, 120, 140]))).toMatchObject([{ direction: 'out' }]);
  });

  test('counts nobody who passes beyond the end of the segment', () => {
    expect(walk(new LineCounter([line]), along([140, 120, 80, 60], 151))).toEqual([]);
    expect(walk(new LineCounter([line]), along([140, 120, 80, 60], 149))).toHaveLength(1);
  });

  test('counts one who goes round the end and back through the line once', () => {
    const path = [...along([140, 60], 200), ...along([60, 140], 100)];
    expect(walk(new LineCounter([line]), path)).toMatchObject([{ direction: 'out' }]);
  });

  test('counts nobody who only comes close or trembles on the line', () => {
    expect(walk(new LineCounter([line]), along([140, 104, 99, 104, 98, 103, 140]))).toEqual([]);
    expect(walk(new LineCounter([line]), along([106, 94, 106, 94, 106, 94]))).toEqual([]);
  });

  test('does not count again one who stops just behind the line and sways', () => {
    expect(walk(new LineCounter([line]), along([140, 120, 90, 106, 92, 105, 93, 60]))).toHaveLength(1);
  });

  test('counts one who was hidden while crossing, at the time between', () => {
    const counter = new LineCounter([line]);
    walk(counter, along([160, 150]));
    const seen = counter.see({ x: 50, y: 100, trackId: 1, frame: 22, atMs: 2100, heightPx: HEIGHT });
    expect(seen).toMatchObject([{ direction: 'in', frame: 12, atMs: 1100 }]);
  });

  test('keeps lines and tracks apart', () => {
    const counter = new LineCounter([line, { id: 'other', from: { x: 60, y: 50 }, to: { x: 60, y: 150 } }]);
    const first = walk(counter, along([140, 80, 30]), 1);
    const second = walk(counter, along([30, 80, 140]), 2);
    expect(first.map(({ lineId }) => lineId)).toEqual(['door', 'other']);
    expect(second.map(({ lineId, direction }) => `${lineId} ${direction}`)).toEqual(['other out', 'door out']);
  });

  test('counting late gives the net of a person when he has gone', () => {
    const counter = new LineCounter([line], { ...LINE_COUNTER, late: true });
    expect(walk(counter, along([140, 60, 140, 60]), 1)).toEqual([]);
    expect(walk(counter, along([140, 60, 140]), 2)).toEqual([]);
    expect(counter.forget(1)).toMatchObject([{ direction: 'in', trackId: 1 }]);
    expect(counter.forget(2)).toEqual([]);
    expect(counter.forget(3)).toEqual([]);
  });
});

const step = fc.record({ x: fc.integer({ min: 0, max: 200 }), y: fc.integer({ min: 0, max: 200 }) });
const path = fc.array(step, { minLength: 2, maxLength: 40 });

describe('for any path', () => {
  test('crossings of one track alternate unless it went round the end', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 60 }), (xs) => {
        const directions = walk(new LineCounter([line]), along(xs)).map(({ direction }) => direction);
        directions.forEach((direction, at) => expect(direction).not.toBe(directions[at - 1]));
      }),
    );
  });

  test('the line drawn the other way counts the same crossings with in and out exchanged', () => {
    const reversed: CountLine = { id: 'door', from: line.to, to: line.from };
    fc.assert(
      fc.property(path, (points) => {
        const there = walk(new LineCounter([line]), points);
        const back = walk(new LineCounter([reversed]), points);
        // A foot exactly on the line belongs to the positive side, which is another one then.
        fc.pre(points.every(({ x }) => x !== 100));
        expect(back.map(({ frame, direction }) => [frame, direction === 'in' ? 'out' : 'in'])).toEqual(
          there.map(({ frame, direction }) => [frame, direction]),
        );
      }),
    );
  });

  test('a path that never touches the strip of the segment counts nothing', () => {
    fc.assert(
      fc.property(path, (points) => {
        const outside = points.map(({ x, y }) => ({ x, y: y + 151 }));
        expect(walk(new LineCounter([line]), outside)).toEqual([]);
      }),
    );
  });

  test('the same walk twice as large counts the same', () => {
    const large: CountLine = { id: 'door', from: { x: 200, y: 100 }, to: { x: 200, y: 300 } };
    fc.assert(
      fc.property(path, (points) => {
        const counter = new LineCounter([large]);
        const counted = points.flatMap(({ x, y }, at) =>
          counter.see({ x: 2 * x, y: 2 * y, trackId: 1, frame: at + 1, atMs: at * 100, heightPx: 2 * HEIGHT }),
        );
        expect(counted).toEqual(walk(new LineCounter([line]), points));
      }),
    );
  });
});
