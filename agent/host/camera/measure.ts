import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import type { CountLine } from '../../../drivers/camera-counter/line-counter.ts';
import { PeopleCounter } from '../../../drivers/camera-counter/people-counter.ts';
import { TRACKER } from '../../../drivers/camera-counter/tracker.ts';
import { Detector } from './detector.ts';
import { JpegSplitter } from './jpeg-splitter.ts';
import { RegionDetector } from './region-detector.ts';

export interface MeasureOptions {
  readonly clip: string;
  readonly modelPath: string;
  /** Size of the JPEG pictures that the clip is turned into; its own when absent. */
  readonly scale?: { readonly width: number; readonly height: number };
  /** `null` = by the shape of the picture, or of the part that is looked at. */
  readonly input: { readonly width: number; readonly height: number } | null;
  /** True when a part of the picture may be all that is looked at, as in the camera's process. */
  readonly parts: boolean;
  readonly threads: number;
  /** Pictures that are looked at; the clip is repeated. */
  readonly frames: number;
}

export interface CameraFigures {
  readonly frames: number;
  /** JPEG bytes in memory to counted crossings, one frame, ms. */
  readonly endToEndMs: Spread;
  /** The runtime's inference alone on the same picture, run in turns with the above, ms. */
  readonly inferenceMs: Spread;
  /** Median of end to end over inference, pair by pair. */
  readonly ratio: number;
  readonly stagesMs: { readonly decode: number; readonly inference: number; readonly post: number };
  /** Of this whole process, MiB: after a tenth of the frames and at the end. */
  readonly rssMiB: { readonly early: number; readonly late: number };
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly p95: number;
}

/** Pictures of the clip that are held in memory for the measurement. */
const MAX_PICTURES = 64;

/**
 * Measures the way of a frame from JPEG bytes to a count against the runtime's inference alone, in turns so that both
 * meet the same load. Runs in the calling process: give it one of its own.
 */
export async function measureCamera(options: MeasureOptions): Promise<CameraFigures> {
  const pictures = await clipPictures(options);
  const detector = await Detector.load({ ...options, minScore: TRACKER.lowScore });
  const lines: readonly CountLine[] = [{ id: 'middle', from: { x: 350, y: 180 }, to: { x: 350, y: 420 } }];
  const looker = new RegionDetector(
    detector,
    options.parts ? lines.map(({ from, to }) => [from, to]) : [],
    () => undefined,
  );
  const counter = new PeopleCounter({ lines, masks: [], late: false });
  const whole: number[] = [];
  const bare: number[] = [];
  const stages = { decode: 0, inference: 0, post: 0 };
  let early = 0;
  for (let at = 0; at < options.frames; at += 1) {
    const picture = pictures[at % pictures.length];
    if (picture === undefined) throw new Error('the clip has no pictures');
    const started = performance.now();
    const found = await looker.detect({ ...picture, frame: at + 1, atMs: at * 143, format: 'jpeg' });
    if (found === null) throw new Error('a picture of the clip was refused');
    counter.update(found);
    whole.push(performance.now() - started);
    stages.decode += found.stagesMs.decode / options.frames;
    stages.inference += found.stagesMs.inference / options.frames;
    stages.post += found.stagesMs.post / options.frames;
    bare.push(await detector.inferMs());
    if (at === Math.floor(options.frames / 10)) early = process.memoryUsage.rss();
  }
  await detector.release();
  const mebi = (bytes: number): number => Math.round(bytes / 104_857.6) / 10;
  return {
    frames: options.frames,
    endToEndMs: spread(whole),
    inferenceMs: spread(bare),
    ratio: spread(whole.map((ms, at) => ms / (bare[at] ?? Number.NaN))).median,
    stagesMs: stages,
    rssMiB: { early: mebi(early), late: mebi(process.memoryUsage.rss()) },
  };
}

interface Picture {
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
}

async function clipPictures({ clip, scale }: MeasureOptions): Promise<readonly Picture[]> {
  const size = scale === undefined ? [] : ['-vf', `scale=${scale.width}:${scale.height}`];
  const output = ['-frames:v', String(MAX_PICTURES), '-c:v', 'mjpeg', '-q:v', '3', '-f', 'image2pipe', 'pipe:1'];
  const child = spawn('ffmpeg', ['-v', 'error', '-nostdin', '-i', `file:${clip}`, '-an', ...size, ...output], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const splitter = new JpegSplitter();
  const pictures: Picture[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Uint8Array>)
    for (const picture of splitter.push(chunk)) pictures.push({ ...picture, bytes: Uint8Array.from(picture.bytes) });
  return pictures;
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (part: number): number =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0) * 1000) / 1000;
  return { min: at(0), median: at(0.5), p95: at(0.95) };
}
