import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodePersons, iou, MAX_BOXES, type PersonBox } from './decode.ts';
import { nanodet } from './manifest.ts';
import { letterbox, letterboxPart } from './preprocess.ts';

const input = { width: 64, height: 64 };

function silent(): Float32Array[] {
  return nanodet.outputs.map(({ stride }) => {
    const count = (input.width / stride) * (input.height / stride);
    const cells = new Float32Array(nanodet.channels * count);
    cells.fill(-20, 0, count);
    return cells;
  });
}

/** A cell that says: a person with that logit, each side exactly so many strides away. */
function say(outputs: Float32Array[], at: number, cell: number, logit: number, bins: readonly number[]): void {
  const { stride } = nanodet.outputs[at]!;
  const count = (input.width / stride) * (input.height / stride);
  const cells = outputs[at]!;
  cells[cell] = logit;
  bins.forEach((bin, side) => {
    for (let index = 0; index < nanodet.bins; index += 1)
      cells[(1 + side * nanodet.bins + index) * count + cell] = index === bin ? 40 : -40;
  });
}

const options = { box: letterbox(input, input), minScore: 0.4, maxIou: 0.6 };

describe('decoding the network', () => {
  test('places a box by the centre of its cell and the distance of its sides', () => {
    const outputs = silent();
    // Stride 8, row 3, column 2: the centre is (20, 28).
    say(outputs, 0, 3 * 8 + 2, 2, [1, 2, 2, 3]);
    const [box, ...others] = decodePersons(outputs, options);
    expect(others).toEqual([]);
    expect(box).toMatchObject({ x: 12, y: 12, width: 24, height: 40 });
    expect(box?.score).toBeCloseTo(1 / (1 + Math.exp(-2)), 6);
  });

  test('takes the expectation between two bins that are equally likely', () => {
    const outputs = silent();
    say(outputs, 2, 0, 2, [0, 0, 1, 1]);
    const count = 4;
    outputs[2]![(1 + 2 * nanodet.bins + 2) * count] = 40; // right: bins 1 and 2
    expect(decodePersons(outputs, options)[0]).toMatchObject({ x: 16, width: 48 });
  });

  test('clips a box to the frame and scales it to the source', () => {
    const outputs = silent();
    say(outputs, 2, 0, 2, [5, 5, 9, 9]);
    const source = { width: 128, height: 96 };
    const [box] = decodePersons(outputs, { ...options, box: letterbox(source, input) });
    expect(box).toMatchObject({ x: 0, y: 0, width: 128, height: 96 });
  });

  test('places a box found in a part of the frame in the whole of it, clipped to the part', () => {
    const outputs = silent();
    say(outputs, 2, 0, 2, [5, 5, 9, 9]);
    const part = { x: 100, y: 40, width: 64, height: 48 };
    const [box] = decodePersons(outputs, {
      ...options,
      box: letterboxPart({ width: 400, height: 300 }, input, part, 1),
    });
    expect(box).toMatchObject(part);
  });

  test('keeps the better of two boxes over one person and both of two persons', () => {
    const outputs = silent();
    say(outputs, 0, 3 * 8 + 2, 3, [1, 2, 1, 2]);
    say(outputs, 0, 3 * 8 + 3, 2, [2, 2, 0, 2]);
    say(outputs, 0, 3 * 8 + 6, 1, [1, 2, 1, 2]);
    expect(decodePersons(outputs, options).map(({ x }) => x)).toEqual([12, 44]);
  });

  test('leaves out what scores too low', () => {
    const outputs = silent();
    say(outputs, 1, 5, Math.log(0.39 / 0.61), [1, 1, 1, 1]);
    expect(decodePersons(outputs, options)).toEqual([]);
  });

  test('survives any numbers, NaN and infinities included, within its bounds', () => {
    fc.assert(
      fc.property(fc.array(fc.float(), { minLength: 1, maxLength: 64 }), (values) => {
        const outputs = silent().map((cells) => cells.map((_, at) => values[at % values.length]!));
        const boxes = decodePersons(outputs, options);
        expect(boxes.length).toBeLessThanOrEqual(MAX_BOXES);
        for (const { x, y, width, height, score } of boxes) {
          expect(x >= 0 && y >= 0 && width > 0 && height > 0).toBe(true);
          expect(x + width).toBeLessThanOrEqual(64.001);
          expect(y + height).toBeLessThanOrEqual(64.001);
          expect(score).toBeGreaterThanOrEqual(0.4);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('ignores outputs of another size than the input', () => {
    expect(decodePersons([new Float32Array(7), new Float32Array(0)], options)).toEqual([]);
  });
});

test('intersection over union is symmetric, one for equals and zero apart', () => {
  const box = (x: number, width: number): PersonBox => ({ x, y: 0, width, height: 10, score: 1 });
  expect(iou(box(0, 10), box(0, 10))).toBe(1);
  expect(iou(box(0, 10), box(10, 10))).toBe(0);
  expect(iou(box(0, 10), box(5, 10))).toBeCloseTo(1 / 3, 9);
  expect(iou(box(5, 10), box(0, 10))).toBeCloseTo(1 / 3, 9);
});
