import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CameraRegion, Detection, DetectionFrame } from '../../../drivers/api/transports.ts';
import { findClip } from '../../../firmware-sim/cli/read-scenario.ts';
import { buildNanodet } from '../../../models/build/build-nanodet.ts';
import { iou } from '../../../models/nanodet-g/decode.ts';
import { Detector } from './detector.ts';
import type { SourcePicture } from './picture.ts';
import { readFfmpeg } from './read-ffmpeg.ts';
import { RegionDetector } from './region-detector.ts';

const CLIP = findClip('vtest.avi');
const LINE = [
  { x: 350, y: 180 },
  { x: 350, y: 420 },
];

let detector: Detector;

beforeAll(async () => {
  const { path } = await buildNanodet({}, new AbortController().signal);
  detector = await Detector.load({ modelPath: path, input: null, threads: 1, minScore: 0.12 });
}, 300_000);

afterAll(() => detector.release());

/** Pictures of the clip's beginning, one a second, copied. */
async function pictures(count: number): Promise<readonly SourcePicture[]> {
  const found: SourcePicture[] = [];
  const options = { fps: 2, input: null, parts: true, skip: (): void => undefined };
  for await (const picture of readFfmpeg({ kind: 'file', path: CLIP }, options, new AbortController().signal)) {
    found.push({ ...picture, bytes: Uint8Array.from(picture.bytes) });
    if (found.length === count) break;
  }
  return found;
}

const clear = ({ detections }: DetectionFrame): readonly Detection[] => detections.filter(({ score }) => score >= 0.6);

/** True when it lies in the region and its border cuts nothing of it. */
const isWithin = (box: Detection, region: CameraRegion): boolean =>
  box.x > region.x + 10 &&
  box.y > region.y + 10 &&
  box.x + box.width < region.x + region.width - 10 &&
  box.y + box.height < region.y + region.height - 10;

const isAmong = (box: Detection, others: DetectionFrame | null): boolean =>
  others?.detections.some((other) => iou(box, other) > 0.6) === true;

describe('a detector that looks at a part', () => {
  test('finds the same people in the same places of the picture, raw or JPEG', async () => {
    const part = { x: 150, y: 60, width: 420, height: 440 };
    let compared = 0;
    for (const picture of await pictures(12)) {
      const { width, height, bytes } = picture;
      const jpeg = await sharp(bytes, { raw: { width, height, channels: 3 } })
        .jpeg({ quality: 95 })
        .toBuffer();
      const whole = await detector.detect(picture);
      const raw = await detector.detect(picture, part);
      const decoded = await detector.detect({ ...picture, bytes: jpeg, format: 'jpeg' }, part);
      if (whole === null || raw === null) throw new Error('a picture was refused');
      for (const box of clear(whole).filter((candidate) => isWithin(candidate, part))) {
        compared += 1;
        expect(isAmong(box, raw), JSON.stringify(box)).toBe(true);
        expect(isAmong(box, decoded), JSON.stringify(box)).toBe(true);
      }
      for (const { x, y, width: w, height: h } of raw.detections)
        expect(x >= 149 && y >= 59 && x + w <= 571 && y + h <= 501).toBe(true);
    }
    expect(compared).toBeGreaterThan(12);
  }, 60_000);

  test('learns its part from a clip, the same each time, and tells it once', async () => {
    const film = await pictures(60);
    const look = async (): Promise<readonly unknown[]> => {
      const told: unknown[] = [];
      const looker = new RegionDetector(detector, [LINE], (region) => told.push(region));
      for (const picture of film) {
        const frame = await looker.detect(picture);
        expect(frame).toMatchObject({ widthPx: 768, heightPx: 576 });
        expect(frame?.region ?? null).toEqual(told.at(-1) ?? null);
      }
      return told;
    };
    const told = await look();
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThan(6);
    expect(await look()).toEqual(told);
  }, 60_000);

  test('takes pictures of one pixel, upright ones, and bytes that are none', async () => {
    const looker = new RegionDetector(detector, [LINE], () => undefined);
    const base = { frame: 1, atMs: 0, format: 'jpeg' } as const;
    for (const [width, height] of [
      [1, 1],
      [90, 700],
      [700, 40],
    ] as const) {
      const bytes = await sharp({ create: { width, height, channels: 3, background: '#888' } })
        .jpeg()
        .toBuffer();
      const frame = await looker.detect({ ...base, width, height, bytes });
      expect(frame).toMatchObject({ widthPx: width });
      expect(frame?.region).toBe(undefined);
      const part = { x: 0, y: 0, width, height };
      expect(await detector.detect({ ...base, width, height, bytes }, part)).not.toBe(null);
      expect(await detector.detect({ ...base, width, height, bytes: bytes.subarray(0, 40) }, part)).toBe(null);
    }
  });
});
