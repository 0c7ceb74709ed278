import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Box } from './boxes.ts';
import { MAX_FRAME_BOXES, MAX_TRACKS, Tracker, TRACKER } from './tracker.ts';

const person = (x: number, score = 0.7, y = 100): Box => ({ x, y, width: 30, height: 80, score });

/** Positions of each track over the frames, by track number. */
function follow(frames: readonly (readonly Box[])[], stepMs: number): Map<number, number[]> {
  const tracker = new Tracker();
  const found = new Map<number, number[]>();
  frames.forEach((boxes, at) => {
    for (const { trackId, box } of tracker.update(boxes, at * stepMs).seen)
      found.set(trackId, [...(found.get(trackId) ?? []), Math.round(box.x)]);
  });
  return found;
}

describe('following people', () => {
  for (const fps of [10, 5, 2.5])
    test(`keeps one walker one track at ${fps} frames a second`, () => {
      const frames = Array.from({ length: 20 }, (_, at) => [person(50 + (at * 70) / fps)]);
      expect(follow(frames, 1000 / fps).size).toBe(1);
    });

  test('keeps two who pass each other apart', () => {
    const frames = Array.from({ length: 30 }, (_, at) => [person(50 + at * 10), person(350 - at * 10, 0.7, 112)]);
    const tracks = [...follow(frames, 100).values()];
    expect(tracks).toHaveLength(2);
    expect(new Set(tracks.map((xs) => Math.sign(xs.at(-1)! - xs[0]!)))).toEqual(new Set([-1, 1]));
  });

  test('takes up a walker again who was hidden for a second', () => {
    const frames = Array.from({ length: 30 }, (_, at) => (at > 10 && at < 20 ? [] : [person(50 + at * 7)]));
    expect(follow(frames, 100).size).toBe(1);
  });

  test('a weak box continues a track', () => {
    const frames = Array.from({ length: 40 }, (_, at) => [person(50 + at * 5, at < 8 ? 0.7 : 0.2)]);
    const [xs] = [...follow(frames, 100).values()];
    expect(xs).toHaveLength(40);
  });

  test('a weak part of another box begins no track', () => {
    const part = (x: number): Box => ({ x: x + 2, y: 102, width: 26, height: 40, score: 0.35 });
    const frames = Array.from({ length: 20 }, (_, at) => [person(50 + at * 5), part(50 + at * 5)]);
    expect(follow(frames, 100).size).toBe(1);
  });

  test('a track that only lives on parts of another is never solid', () => {
    const tracker = new Tracker();
    const solid = new Set<number>();
    for (let at = 0; at < 30; at += 1) {
      const x = 50 + at * 5;
      const double: Box = { x: x + 4, y: 108, width: 28, height: 66, score: 0.55 };
      for (const sighting of tracker.update([person(x, 0.75), double], at * 100).seen)
        if (sighting.solid) solid.add(sighting.trackId);
    }
    expect(solid.size).toBe(1);
  });

  test('ends a track after its time, and every track when time runs backwards', () => {
    const tracker = new Tracker();
    for (let at = 0; at < 5; at += 1) tracker.update([person(50)], at * 100);
    expect(tracker.update([], 400 + TRACKER.lostS * 1000).ended).toEqual([]);
    expect(tracker.update([], 500 + TRACKER.lostS * 1000).ended).toEqual([1]);
    for (let at = 0; at < 5; at += 1) tracker.update([person(50)], 10_000 + at * 100);
    expect(tracker.update([], 10_000).ended).toEqual([2]);
  });
});

describe('for any boxes', () => {
  const number = fc.oneof(fc.double({ min: -500, max: 2000 }), fc.constant(Infinity), fc.constant(-Infinity));
  const box: fc.Arbitrary<Box> = fc.record({ x: number, y: number, width: number, height: number, score: number });

  test('gives finite boxes with a size, one per track, and never a track twice in a frame', () => {
    fc.assert(
      fc.property(fc.array(fc.array(box, { maxLength: 12 }), { maxLength: 20 }), (frames) => {
        const tracker = new Tracker();
        const alive = new Set<number>();
        frames.forEach((boxes, at) => {
          const { seen, ended } = tracker.update(boxes, at * 150);
          const ids = seen.map(({ trackId }) => trackId);
          expect(new Set(ids).size).toBe(ids.length);
          for (const id of ids) alive.add(id);
          for (const id of ended) expect(alive.delete(id)).toBe(true);
          for (const { box: found } of seen)
            expect([found.x, found.y].every(Number.isFinite) && found.width > 0 && found.height > 0).toBe(true);
        });
      }),
    );
  });

  test('holds its bounds when a frame is full of people', () => {
    const crowd = Array.from({ length: MAX_FRAME_BOXES + 50 }, (_, at) => person((at % 60) * 45, 0.7, (at >> 5) * 100));
    const tracker = new Tracker();
    tracker.update(crowd, 0);
    const { seen } = tracker.update(
      crowd.map((one) => ({ ...one, x: one.x + 5000 })),
      100,
    );
    expect(seen.length).toBeLessThanOrEqual(MAX_TRACKS);
  });

  test('gives the same tracks for the same boxes', () => {
    const frames = Array.from({ length: 10 }, (_, at) => [person(50 + at * 9), person(220 - at * 9, 0.5, 120)]);
    expect(follow(frames, 100)).toEqual(follow(frames, 100));
  });
});
