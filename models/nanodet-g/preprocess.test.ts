import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nanodet } from './manifest.ts';
import { fillPlanes, inputPlanes, letterbox, letterboxPart } from './preprocess.ts';

describe('the letterbox', () => {
  test('fits a frame without changing its shape', () => {
    expect(letterbox({ width: 768, height: 576 }, { width: 416, height: 320 })).toMatchObject({
      width: 416,
      height: 312,
    });
    expect(letterbox({ width: 1080, height: 1920 }, { width: 416, height: 320 })).toMatchObject({
      width: 180,
      height: 320,
    });
  });

  test('stays inside the input for every size of frame', () => {
    const side = fc.integer({ min: 1, max: 8192 });
    fc.assert(
      fc.property(side, side, (width, height) => {
        const box = letterbox({ width, height }, { width: 416, height: 320 });
        expect(box.width >= 1 && box.width <= 416 && box.height >= 1 && box.height <= 320).toBe(true);
        expect(box.width === 416 || box.height === 320).toBe(true);
      }),
    );
  });
});

describe('the letterbox of a part', () => {
  test('shows it as large as the input allows, in the same place of the scaled frame', () => {
    const part = { x: 40, y: 120, width: 600, height: 240 };
    const box = letterboxPart({ width: 720, height: 400 }, { width: 480, height: 192 }, part, 1);
    expect(box).toMatchObject({ width: 480, height: 192, left: 32, top: 96, whole: { width: 576, height: 320 } });
    expect(box.scaleX).toBeCloseTo(0.8, 9);
  });

  test('is not larger than life, and stays inside the input and the frame for every part', () => {
    const side = fc.integer({ min: 1, max: 4096 });
    fc.assert(
      fc.property(side, side, fc.double({ min: 0, max: 1, noNaN: true }), (width, height, share) => {
        const part = { x: Math.floor(share * (width - 1)), y: Math.floor(share * (height - 1)), width: 0, height: 0 };
        const rest = { width: width - part.x, height: height - part.y };
        const box = letterboxPart({ width, height }, { width: 416, height: 320 }, { ...part, ...rest }, 1);
        expect(box.width >= 1 && box.width <= 416 && box.height >= 1 && box.height <= 320).toBe(true);
        expect(box.left + box.width <= box.whole.width && box.top + box.height <= box.whole.height).toBe(true);
        expect(box.whole.width <= width && box.whole.height <= height).toBe(true);
      }),
    );
  });
});

describe('filling the planes', () => {
  const input = { width: 4, height: 2 };
  const box = { ...letterbox({ width: 2, height: 2 }, input), width: 2, height: 2 };
  const red = nanodet.planes.findIndex(({ channel }) => channel === 'red');

  test('normalises each channel into its plane, blue first', () => {
    const planes = inputPlanes(input);
    fillPlanes(planes, Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), box);
    expect(red).toBe(2);
    expect(planes[2 * 8]).toBeCloseTo((255 - 123.675) / 58.395, 5);
    expect(planes[0]).toBeCloseTo((0 - 103.53) / 57.375, 5);
  });

  test('leaves the mean colour, zero, where the frame does not reach', () => {
    const planes = inputPlanes(input).fill(9);
    fillPlanes(planes, new Uint8Array(12), box);
    expect([...planes.slice(2, 4), ...planes.slice(6, 8)]).toEqual([0, 0, 0, 0]);
  });

  test('never reads past pixels that end early', () => {
    const planes = inputPlanes(input);
    for (let length = 0; length <= 12; length += 1) {
      fillPlanes(planes, new Uint8Array(length), box);
      expect(planes.every(Number.isFinite)).toBe(true);
    }
  });
});
