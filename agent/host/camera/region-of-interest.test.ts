import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CameraRegion, Detection } from '../../../drivers/api/transports.ts';
import { REGION, RegionOfInterest } from './region-of-interest.ts';

const PICTURE = { width: 1280, height: 720 };
const LINE = [
  { x: 500, y: 400 },
  { x: 700, y: 400 },
];

/** A walker of that height whose feet are there. */
const person = (x: number, y: number, height: number, score = 0.7): Detection => ({
  x: x - height / 6,
  y: y - height,
  width: height / 3,
  height,
  score,
});

/** Twelve people around the line, none over another. */
const crowd = (height: number, from = 0): readonly Detection[] =>
  Array.from({ length: 12 }, (_, at) =>
    person(500 + ((at % 6) + from) * height * 0.35, 395 + Math.floor(at / 6) * 0.4 * height, height),
  );

class Film {
  readonly interest: RegionOfInterest;
  atMs = 0;

  constructor(places: readonly (readonly { readonly x: number; readonly y: number }[])[] = [LINE]) {
    this.interest = new RegionOfInterest(places);
  }

  /** One picture; answers what was looked at. */
  show(detections: readonly Detection[], picture = PICTURE, stepMs = 200): CameraRegion | null {
    this.atMs += stepMs;
    const part = this.interest.partOf(picture, this.atMs);
    this.interest.see({ atMs: this.atMs, detections });
    return part;
  }

  region(): CameraRegion {
    const { region } = this.interest;
    if (region === null) throw new Error('the whole picture is looked at');
    return region;
  }
}

describe('the region of interest', () => {
  test('is the whole picture until it is known how tall people are at the line', () => {
    const film = new Film();
    expect(film.show([])).toBe(null);
    expect(film.show(crowd(60))).toBe(null);
    expect(film.show([])).toEqual(film.region());
  });

  test('holds the line, whole bodies on it and the way to it', () => {
    const film = new Film();
    film.show(crowd(60));
    const { x, y, width, height } = film.region();
    expect(y).toBeLessThanOrEqual(400 - 1.5 * 60);
    expect(y + height).toBeGreaterThanOrEqual(400 + 0.75 * 60);
    expect(x).toBeLessThanOrEqual(500 - 2 * 60);
    expect(x + width).toBeGreaterThanOrEqual(700 + 2 * 60);
    expect(width * height).toBeLessThan((PICTURE.width * PICTURE.height) / 4);
  });

  test('learns nothing from a thing that never moves, from weak boxes, and from people far from the line', () => {
    const film = new Film();
    for (let at = 0; at < 300; at += 1)
      film.show([person(600, 400, 30), person(550 + at, 400, 50, 0.2), ...crowd(60).map((box) => ({ ...box, y: 40 }))]);
    expect(film.interest.region).toBe(null);
  });

  test('is learned from two or three who cross one after the other', () => {
    const film = new Film();
    for (let who = 0; who < 3; who += 1)
      for (let step = 0; step < 12; step += 1) film.show([person(520 + 60 * who, 360 + 8 * step, 66)]);
    expect(film.interest.region).not.toBe(null);
  });

  test('stays as it is while people differ a little', () => {
    const film = new Film();
    film.show(crowd(60));
    const first = film.region();
    for (let at = 0; at < 600; at += 1) film.show(crowd(58 + (at % 5), at / 10));
    expect(film.interest.region).toEqual(first);
  });

  test('grows as soon as people turn out taller, shrinks only after a while', () => {
    const film = new Film();
    film.show(crowd(60));
    const first = film.region();
    for (let at = 0; at < 12; at += 1) film.show(crowd(75, at));
    const second = film.region();
    expect(second.height).toBeGreaterThan(first.height);
    const small = new Film();
    small.show(crowd(90));
    const large = small.region();
    const children = Array.from({ length: 96 }, (_, at) =>
      person(480 + 14 * (at % 16), 380 + 13 * Math.floor(at / 16), 40),
    );
    for (let at = 0; at < 40; at += 1) small.show(children, PICTURE, 200);
    expect(small.region()).toEqual(large);
    for (let at = 0; at < 20; at += 1) small.show(children, PICTURE, 200);
    expect(small.region().height).toBeLessThan(large.height);
  });

  test('grows for a far taller visitor cut by its border, and comes back a minute later', () => {
    const film = new Film();
    film.show(crowd(60));
    const first = film.region();
    const cut = (): Detection => ({ x: 560, y: film.region().y, width: 50, height: 400 - film.region().y, score: 0.6 });
    film.show([cut()]);
    film.show([cut()]);
    expect(film.region()).toEqual(first);
    film.show([cut()]);
    const { y } = film.region();
    expect(y).toBeLessThan(first.y);
    for (let at = 0; at < 60; at += 1) film.show([person(600, 400, 60)], PICTURE, 1_000);
    expect(film.interest.region).not.toBe(null);
    for (let at = 0; at < 20; at += 1) film.show([person(600, 400, 60)], PICTURE, 1_000);
    expect(film.region().height).toBeLessThan(400 - y + 200);
  });

  test('lets nobody make it larger who is cut where the picture itself ends', () => {
    const film = new Film([
      [
        { x: 0, y: 60 },
        { x: 200, y: 60 },
      ],
    ]);
    film.show(Array.from({ length: 12 }, (_, at) => person(10 + 20 * at, 80, 60)));
    const first = film.region();
    expect([first.x, first.y]).toEqual([0, 0]);
    for (let at = 0; at < 5; at += 1) film.show([{ x: 0, y: 0, width: 30, height: 58, score: 0.9 }]);
    expect(film.region()).toEqual(first);
  });

  test('is left for the whole picture now and then, for one frame', () => {
    const film = new Film();
    film.show(crowd(60));
    const parts = Array.from({ length: 650 }, () => film.show([]));
    expect(parts.filter((part) => part === null).length).toBe(4);
    expect(parts.some((part, at) => part === null && parts[at + 1] === null)).toBe(false);
  });

  test('is looked at whole again at once when media time jumps back', () => {
    const film = new Film();
    film.show(crowd(60));
    expect(film.show([])).not.toBe(null);
    film.atMs = -1_000;
    expect(film.show([])).toBe(null);
    expect(film.show([])).not.toBe(null);
  });

  test('is the whole picture where it would save little, and without a line or zone', () => {
    const tall = new Film();
    tall.show(crowd(300));
    expect(tall.interest.region).toBe(null);
    const none = new Film([]);
    none.show(crowd(60));
    expect(none.interest.region).toBe(null);
  });

  test('starts anew when the picture changes its size', () => {
    const film = new Film();
    film.show(crowd(60));
    expect(film.show([])).not.toBe(null);
    expect(film.show([], { width: 640, height: 360 })).toBe(null);
    expect(film.interest.region).toBe(null);
  });

  test('surrounds zones as well, and people inside one are near it', () => {
    const zone = [
      { x: 200, y: 300 },
      { x: 500, y: 300 },
      { x: 500, y: 500 },
      { x: 200, y: 500 },
    ];
    const film = new Film([LINE, zone]);
    film.show(Array.from({ length: 15 }, (_, at) => person(230 + 60 * (at % 5), 380 + 30 * Math.floor(at / 5), 40)));
    const { x, width, y, height } = film.region();
    expect(x).toBeLessThan(200);
    expect(x + width).toBeGreaterThan(700);
    expect(y).toBeLessThan(300);
    expect(y + height).toBeGreaterThan(500);
  });

  test('gives the same parts for the same frames', () => {
    const parts = (): readonly (CameraRegion | null)[] => {
      const film = new Film();
      return Array.from({ length: 400 }, (_, at) => film.show(crowd(50 + (at % 40), at / 7)));
    };
    expect(parts()).toEqual(parts());
  });
});

describe('whatever the picture, the lines and the boxes', () => {
  const point = fc.record({ x: fc.integer({ min: 0, max: 400 }), y: fc.integer({ min: 0, max: 400 }) });
  const wild = fc.oneof(fc.double(), fc.integer({ min: -500, max: 900 }));
  const box = fc.record({ x: wild, y: wild, width: wild, height: wild, score: fc.double({ min: 0, max: 1 }) });
  const sane = fc.tuple(point, fc.integer({ min: 1, max: 400 })).map(([{ x, y }, height]) => person(x, y, height));

  test('a part is made of whole pixels inside it, not tiny, not nearly all of it, and holds every corner inside the picture', () => {
    fc.assert(
      fc.property(
        fc.record({ width: fc.integer({ min: 1, max: 400 }), height: fc.integer({ min: 1, max: 400 }) }),
        fc.array(fc.array(point, { maxLength: 5 }), { maxLength: 4 }),
        fc.array(fc.array(fc.oneof({ weight: 9, arbitrary: sane }, box), { maxLength: 30 }), { maxLength: 8 }),
        (picture, places, frames) => {
          const film = new Film(places);
          for (const boxes of frames) {
            const part = film.show(boxes, picture);
            if (part === null) continue;
            const { x, y, width, height } = part;
            expect([x, y, width, height].every(Number.isInteger)).toBe(true);
            expect(x >= 0 && y >= 0 && x + width <= picture.width && y + height <= picture.height).toBe(true);
            expect(Math.min(width, height)).toBeGreaterThanOrEqual(32);
            expect(width * height).toBeLessThanOrEqual(REGION.most * picture.width * picture.height);
            for (const corner of places.flat())
              if (corner.x <= picture.width && corner.y <= picture.height)
                expect(corner.x >= x && corner.x <= x + width && corner.y >= y && corner.y <= y + height).toBe(true);
          }
        },
      ),
    );
  });

  test('a box that the region’s border cuts has its false foot far from every line', () => {
    fc.assert(
      fc.property(point, point, fc.integer({ min: 20, max: 60 }), (from, to, height) => {
        const line = [from, to].map(({ x, y }) => ({ x: x + 400, y: y + 150 }));
        const film = new Film([line]);
        const along = (part: number, key: 'x' | 'y'): number => line[0]![key] + part * (line[1]![key] - line[0]![key]);
        for (let row = 0; row < 4; row += 1)
          film.show(
            Array.from({ length: 12 }, (_, at) =>
              person(along(at / 11, 'x'), along(at / 11, 'y') + (row - 1.5) * 0.4 * height, height),
            ),
          );
        const { region } = film.interest;
        if (region === null) return;
        const lowest = Math.max(line[0]!.y, line[1]!.y);
        if (region.y + region.height < PICTURE.height)
          expect(region.y + region.height - lowest).toBeGreaterThanOrEqual(REGION.below * height);
        const side = Math.min(line[0]!.x, line[1]!.x);
        // Cut at the side, his box is narrower by half at most before the rest of him is too little to be found.
        if (region.x > 0) expect(side - region.x).toBeGreaterThanOrEqual(REGION.beside * height);
      }),
    );
  });
});
