import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JpegSplitter } from './jpeg-splitter.ts';

const SOI = 0xd8;
const EOI = 0xd9;

/** A segment of ITU-T T.81 B.1.1.4: marker, length that counts itself, payload. */
const segment = (marker: number, payload: readonly number[]): number[] => [
  0xff,
  marker,
  (payload.length + 2) >> 8,
  (payload.length + 2) & 0xff,
  ...payload,
];

interface Shape {
  readonly width?: number;
  readonly height?: number;
  readonly app?: readonly number[];
  readonly scan?: readonly number[];
}

/** The skeleton of a picture: right by its markers, which is all that a splitter looks at. */
function jpeg({
  width = 64,
  height = 48,
  app = [1, 2, 3],
  scan = [10, 0xff, 0x00, 20, 0xff, 0xd3, 30],
}: Shape = {}): Uint8Array {
  const frame = [8, height >> 8, height & 0xff, width >> 8, width & 0xff, 1, 1, 0x11, 0];
  return Uint8Array.from([
    0xff,
    SOI,
    ...segment(0xe0, app),
    ...segment(0xdb, [0, 1, 2]),
    ...segment(0xc0, frame),
    ...segment(0xc4, [0, 0]),
    ...segment(0xda, [1, 1, 0, 0, 63, 0]),
    ...scan,
    0xff,
    EOI,
  ]);
}

function split(splitter: JpegSplitter, ...chunks: readonly Uint8Array[]): string[] {
  const found: string[] = [];
  // One by one: a picture is only lent until the next is asked for.
  for (const chunk of chunks)
    for (const { bytes, width, height } of splitter.push(chunk))
      found.push(`${width}x${height} ${Buffer.from(bytes).toString('hex')}`);
  return found;
}

const told = (picture: Uint8Array, size = '64x48'): string => `${size} ${Buffer.from(picture).toString('hex')}`;
const join = (...parts: readonly (Uint8Array | string)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));

describe('cutting pictures out of a stream', () => {
  test('finds pictures between multipart headers', () => {
    const stream = join(
      '--b\r\nContent-Type: image/jpeg\r\n\r\n',
      jpeg(),
      '\r\n--b\r\n\r\n',
      jpeg({ width: 32 }),
      '\r\n',
    );
    const splitter = new JpegSplitter();
    expect(split(splitter, stream)).toEqual([told(jpeg()), told(jpeg({ width: 32 }), '32x48')]);
    expect(splitter.skipped).toBe(0);
  });

  test('finds them however the bytes are cut', () => {
    const stream = join('noise\xff', jpeg(), jpeg(), '\xff\xd8zz', jpeg());
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(cuts, (lengths) => {
        const splitter = new JpegSplitter();
        const found: string[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const length = lengths[turn % lengths.length]!;
          found.push(...split(splitter, stream.subarray(at, at + length)));
          at += length;
        }
        expect(found).toEqual([told(jpeg()), told(jpeg()), told(jpeg())]);
      }),
    );
  });

  test('is not ended by a thumbnail inside the picture', () => {
    const picture = jpeg({ app: [...jpeg({ width: 8, height: 8 })] });
    expect(split(new JpegSplitter(), picture)).toEqual([told(picture)]);
  });

  test('counts a picture that is cut short and goes on with the next', () => {
    const splitter = new JpegSplitter();
    const half = jpeg().subarray(0, jpeg().length - 5);
    expect(split(splitter, join(half, jpeg()))).toEqual([told(jpeg())]);
    expect(splitter.skipped).toBe(1);
  });

  test('every truncation at the end of the stream counts once and yields nothing', () => {
    const picture = jpeg();
    for (let length = 3; length < picture.length; length += 1) {
      const splitter = new JpegSplitter();
      expect(split(splitter, picture.subarray(0, length))).toEqual([]);
      splitter.reset();
      expect(splitter.skipped, `${length} bytes`).toBe(1);
    }
  });

  test('every flipped bit leaves the pictures that follow whole', () => {
    const picture = jpeg();
    for (let bit = 0; bit < picture.length * 8; bit += 1) {
      const changed = Uint8Array.from(picture);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const splitter = new JpegSplitter({ maxBytes: 100_000, maxPixels: 1e6 });
      // A wrong length may swallow up to 64 KiB of what follows.
      const gap = new Uint8Array(66_000);
      const found = split(splitter, join(changed, gap, jpeg(), jpeg(), jpeg(), jpeg()));
      expect(found.slice(-3), `bit ${bit}`).toEqual([told(jpeg()), told(jpeg()), told(jpeg())]);
    }
  });

  test('refuses a picture with too many pixels before anybody decodes it', () => {
    const splitter = new JpegSplitter({ maxBytes: 4096, maxPixels: 1_000_000 });
    expect(split(splitter, join(jpeg({ width: 60_000, height: 60_000 }), jpeg()))).toEqual([told(jpeg())]);
    expect(splitter.skipped).toBeGreaterThanOrEqual(1);
  });

  test('gives up a picture with too many bytes and holds no more than its bound', () => {
    const splitter = new JpegSplitter({ maxBytes: 1024, maxPixels: 1e6 });
    const endless = jpeg({ scan: Array.from({ length: 5_000 }, () => 7) });
    expect(split(splitter, join(endless, jpeg()))).toEqual([told(jpeg())]);
    expect(splitter.skipped).toBeGreaterThanOrEqual(1);
  });

  test('survives any bytes', () => {
    const byte = fc.oneof(fc.constantFrom(0xff, 0xd8, 0xd9, 0xda, 0xc0, 0x00), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 400 }), (bytes) => {
        const splitter = new JpegSplitter({ maxBytes: 256, maxPixels: 1e6 });
        for (const text of split(splitter, Uint8Array.from(bytes))) expect(text).toContain(' ffd8');
      }),
      { numRuns: 500 },
    );
  });
});
