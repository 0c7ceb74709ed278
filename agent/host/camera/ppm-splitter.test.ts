import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PpmSplitter } from './ppm-splitter.ts';

const ppm = (width: number, height: number, fill: number): Uint8Array =>
  Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), Buffer.alloc(3 * width * height, fill)]);

function split(splitter: PpmSplitter, chunk: Uint8Array): string[] {
  const found: string[] = [];
  for (const { width, height, pixels } of splitter.push(chunk))
    found.push(`${width}x${height} ${pixels.length} ${pixels[0]}`);
  return found;
}

describe('cutting raw pictures', () => {
  test('finds pictures of changing size however the bytes are cut', () => {
    const stream = Buffer.concat([ppm(4, 2, 7), ppm(2, 2, 9), ppm(5, 3, 1)]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: stream.length }), (length) => {
        const splitter = new PpmSplitter(100);
        const found: string[] = [];
        for (let at = 0; at < stream.length; at += length)
          found.push(...split(splitter, stream.subarray(at, at + length)));
        expect(found).toEqual(['4x2 24 7', '2x2 12 9', '5x3 45 1']);
      }),
    );
  });

  test('refuses what is no picture, and one that is too large', () => {
    expect(() => split(new PpmSplitter(100), Buffer.alloc(64, 0x41))).toThrow(RangeError);
    expect(() => split(new PpmSplitter(100), ppm(11, 10, 0))).toThrow(RangeError);
    expect(() => split(new PpmSplitter(100), Buffer.from('P6\n0 9\n255\n'))).toThrow(RangeError);
  });
});
