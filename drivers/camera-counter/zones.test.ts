import { describe, expect, test } from 'vitest';
import { isInside } from './polygon.ts';
import { ZoneCounter } from './zones.ts';

const corners = [
  { x: 100, y: 100 },
  { x: 200, y: 100 },
  { x: 200, y: 200 },
  { x: 100, y: 200 },
];
const zones = [{ id: 'till', corners }];
const foot = (trackId: number, x: number, atMs: number) => ({ trackId, x, y: 150, frame: 1, atMs, heightPx: 80 });

describe('zones', () => {
  test('count who is inside and say how long he stayed when he leaves', () => {
    const counter = new ZoneCounter(zones);
    counter.update([foot(1, 50, 0)], []);
    expect(counter.update([foot(1, 150, 1_000)], []).occupancy.get('till')).toBe(1);
    const { occupancy, dwells } = counter.update([foot(1, 250, 6_000)], []);
    expect(occupancy.get('till')).toBe(0);
    expect(dwells).toEqual([{ zoneId: 'till', trackId: 1, dwellMs: 5_000, atMs: 6_000 }]);
  });

  test('forget what never moved: a cone that looks like a person occupies nothing', () => {
    const counter = new ZoneCounter(zones);
    for (let at = 0; at < 600; at += 1)
      expect(counter.update([foot(1, 150 + (at % 3), at * 1_000)], []).occupancy.get('till')).toBe(0);
    expect(counter.update([], [1]).dwells).toEqual([]);
  });

  test('end a stay when the track ends, at its last sighting', () => {
    const counter = new ZoneCounter(zones);
    counter.update([foot(1, 110, 0)], []);
    counter.update([foot(1, 180, 3_000)], []);
    const { occupancy, dwells } = counter.update([], [1]);
    expect(occupancy.get('till')).toBe(0);
    expect(dwells).toMatchObject([{ dwellMs: 3_000 }]);
  });

  test('do not count one who clips a corner as a stay', () => {
    const counter = new ZoneCounter(zones);
    counter.update([foot(1, 50, 0)], []);
    counter.update([foot(1, 150, 200)], []);
    expect(counter.update([foot(1, 250, 400)], []).dwells).toEqual([]);
  });
});

test('a point is inside a polygon by the even-odd rule, also a concave one', () => {
  const notched = [...corners.slice(0, 2), { x: 150, y: 150 }, ...corners.slice(2)];
  expect(isInside(corners, { x: 150, y: 150 })).toBe(true);
  expect(isInside(corners, { x: 250, y: 150 })).toBe(false);
  expect(isInside(notched, { x: 190, y: 150 })).toBe(false);
  expect(isInside([], { x: 1, y: 1 })).toBe(false);
});
