import { describe, expect, test } from 'vitest';
import type { Box } from './boxes.ts';
import type { Crossing } from './line-counter.ts';
import { PeopleCounter, type PeopleCounterOptions } from './people-counter.ts';

const options: PeopleCounterOptions = {
  lines: [{ id: 'door', from: { x: 200, y: 100 }, to: { x: 200, y: 300 } }],
  masks: [],
  late: false,
};
const person = (x: number, score = 0.7): Box => ({ x: x - 15, y: 140, width: 30, height: 80, score });

function count(frames: readonly (readonly Box[])[], stepMs: number, settings = options): readonly Crossing[] {
  const counter = new PeopleCounter(settings);
  return frames.flatMap((detections, at) => [
    ...counter.update({ frame: at + 1, atMs: at * stepMs, detections }).crossings,
  ]);
}

/** One who walks from 320 to 80 at 70 px a second. */
const walker = (fps: number): readonly (readonly Box[])[] =>
  Array.from({ length: Math.ceil((240 / 70) * fps) }, (_, at) => [person(320 - (at * 70) / fps)]);

describe('counting people', () => {
  for (const fps of [10, 7, 5, 3.5, 2.5])
    test(`counts a walker once at ${fps} frames a second`, () => {
      expect(count(walker(fps), 1000 / fps)).toMatchObject([{ lineId: 'door', direction: 'in' }]);
    });

  test('counts nobody in an empty room that flickers', () => {
    const frames = Array.from({ length: 300 }, (_, at) => (at % 3 === 0 ? [person(190 + (at % 7) * 4, 0.45)] : []));
    expect(count(frames, 200)).toEqual([]);
  });

  test('counts nobody whose feet are under a mask', () => {
    const mask = [
      { x: 0, y: 200 },
      { x: 400, y: 200 },
      { x: 400, y: 240 },
      { x: 0, y: 240 },
    ];
    expect(count(walker(5), 200, { ...options, masks: [mask] })).toEqual([]);
  });

  test('counts one who is hidden just while crossing, once', () => {
    const frames = walker(5).map((boxes) => boxes.filter(({ x }) => Math.abs(x + 15 - 200) > 40));
    expect(count(frames, 200)).toHaveLength(1);
  });

  test('counts both of two who walk one behind the other', () => {
    const frames = Array.from({ length: 24 }, (_, at) => [person(320 - at * 14), person(390 - at * 14)]);
    expect(count(frames, 200)).toHaveLength(2);
  });

  /** A second box at almost the same place. */
  const beside = (x: number, score: number): Box => ({ ...person(x + 17, score), y: 132 });

  test('counts both of two who cross side by side', () => {
    const frames = Array.from({ length: 24 }, (_, at) => [person(320 - at * 14), beside(320 - at * 14, 0.65)]);
    expect(count(frames, 200)).toHaveLength(2);
  });

  test('counts one once whose second box outlives the first', () => {
    const frames = Array.from({ length: 24 }, (_, at) => {
      const x = 320 - at * 14;
      return x > 165 ? [person(x), beside(x, 0.3)] : [beside(x, 0.7)];
    });
    expect(count(frames, 200)).toHaveLength(1);
  });

  test('counting late says nothing until the person has gone', () => {
    const frames = [...walker(5), ...Array.from({ length: 12 }, () => [])];
    const crossings = count(frames, 200, { ...options, late: true });
    expect(crossings).toMatchObject([{ direction: 'in' }]);
  });
});
