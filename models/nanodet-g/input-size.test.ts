import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inputFor, inputForPart, MAX_AUTO_PIXELS } from './input-size.ts';
import { letterbox } from './preprocess.ts';

const side = fc.integer({ min: 64, max: 8_192 });
const shapes = [
  { width: 416, height: 320 },
  { width: 480, height: 288 },
  { width: 320, height: 416 },
  { width: 288, height: 480 },
];

test('a picture gets the size in which it comes out largest', () => {
  fc.assert(
    fc.property(side, side, (width, height) => {
      const scaleIn = (input: { readonly width: number; readonly height: number }): number =>
        Math.min(input.width / width, input.height / height);
      const best = Math.max(...shapes.map(scaleIn));
      expect(scaleIn(inputFor({ width, height }))).toBeCloseTo(best, 9);
    }),
  );
});

test('4:3 keeps the size that was measured most, 16:9 fills a wider one', () => {
  expect(inputFor({ width: 768, height: 576 })).toEqual({ width: 416, height: 320 });
  expect(inputFor({ width: 640, height: 480 })).toEqual({ width: 416, height: 320 });
  expect(inputFor({ width: 1920, height: 1080 })).toEqual({ width: 480, height: 288 });
  expect(inputFor({ width: 1080, height: 1920 })).toEqual({ width: 288, height: 480 });
  const { width, height } = letterbox({ width: 1280, height: 720 }, inputFor({ width: 1280, height: 720 }));
  expect([width, height]).toEqual([480, 270]);
});

test('every size is one that the network takes, and none costs more than four parts in a hundred above the first', () => {
  for (const width of [64, 640, 1_000, 1_920]) {
    const input = inputFor({ width, height: 700 });
    expect([input.width % 32, input.height % 32]).toEqual([0, 0]);
    expect(input.width * input.height).toBeLessThanOrEqual(MAX_AUTO_PIXELS);
  }
  expect(MAX_AUTO_PIXELS / (416 * 320)).toBeLessThan(1.04);
});

test('a part gets the size in which it comes out largest for the same cost, and never a larger one than it needs', () => {
  expect(inputForPart({ width: 720, height: 273 }, 1)).toEqual({ width: 608, height: 224 });
  expect(inputForPart({ width: 300, height: 200 }, 1)).toEqual({ width: 320, height: 224 });
  fc.assert(
    fc.property(fc.integer({ min: 32, max: 4096 }), fc.integer({ min: 32, max: 4096 }), (width, height) => {
      const input = inputForPart({ width, height }, 1);
      expect([input.width % 32, input.height % 32]).toEqual([0, 0]);
      expect(input.width * input.height).toBeLessThanOrEqual(MAX_AUTO_PIXELS);
      const scaleIn = (size: { readonly width: number; readonly height: number }): number =>
        Math.min(1, size.width / width, size.height / height);
      for (const shape of shapes) expect(scaleIn(input)).toBeGreaterThanOrEqual(scaleIn(shape));
    }),
  );
});
