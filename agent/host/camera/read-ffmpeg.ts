import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { CameraSource } from '../../../drivers/api/transports.ts';
import { MAX_AUTO_PIXELS } from '../../../models/nanodet-g/input-size.ts';
import { cameraFailure } from '../../../drivers/lib/camera-errors.ts';
import {
  ffmpegArguments,
  ffmpegInput,
  MAX_SIDE,
  readConnection,
  readShowinfo,
  type ShownFrame,
} from './ffmpeg-arguments.ts';
import type { PictureOptions, SourcePicture } from './picture.ts';
import { PpmSplitter } from './ppm-splitter.ts';

/**
 * Reads a file, an RTSP stream or a V4L2 device through ffmpeg, which waits when nobody asks for the next picture.
 * @throws AgentError `camera-missing` when the file or device is not there, `camera-unreachable` and `camera-refused` of a
 * network camera, `ffmpeg-missing`
 */
export async function* readFfmpeg(
  source: Extract<CameraSource, { readonly kind: 'file' | 'rtsp' | 'v4l2' }>,
  options: PictureOptions,
  signal: AbortSignal,
): AsyncGenerator<SourcePicture, void, undefined> {
  const path = source.kind === 'file' ? source.path : source.kind === 'v4l2' ? source.device : undefined;
  if (path !== undefined && !existsSync(path)) throw cameraFailure('camera-missing', { detail: path });
  const child = spawn('ffmpeg', ffmpegArguments(source, options), { stdio: ['pipe', 'pipe', 'pipe'] });
  // A process that ended before it read the list says why by its own end.
  child.stdin.on('error', () => undefined).end(ffmpegInput(source));
  const ended = new Promise<Error | undefined>((resolve) => {
    child.once('error', resolve);
    child.once('close', () => resolve(undefined));
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    const captions = new Captions(options.skip);
    createInterface({ input: child.stderr })
      .on('line', (line) => captions.read(line))
      .once('close', () => captions.end());
    const splitter = new PpmSplitter(mostPixels(options));
    for await (const chunk of child.stdout as AsyncIterable<Uint8Array>)
      for (const { width, height, pixels } of splitter.push(chunk)) {
        const caption = await captions.next();
        if (caption === undefined) return;
        yield { ...caption, bytes: pixels, format: { scaled: { width, height } } };
      }
    const cause = await ended;
    if (cause !== undefined) throw cameraFailure('ffmpeg-missing', { cause });
    if (captions.refusedWith !== null)
      throw cameraFailure('camera-refused', { detail: `RTSP status ${captions.refusedWith}` });
    if (source.kind === 'rtsp' && !captions.open) throw cameraFailure('camera-unreachable');
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
    child.stdout.destroy();
    await ended;
  }
}

function mostPixels({ input, parts }: PictureOptions): number {
  if (parts === true) return MAX_SIDE ** 2;
  return input === null ? MAX_AUTO_PIXELS : input.width * input.height;
}

type Caption = Pick<SourcePicture, 'frame' | 'atMs' | 'width' | 'height'>;

/** Number, time and size of the pictures that come over the other pipe, in the same order. */
class Captions {
  /** True once ffmpeg has understood the source. */
  open = false;
  /** The status with which the camera refused. */
  refusedWith: number | null = null;
  private readonly skip: (count: number) => void;
  /** Bounded by what ffmpeg can have under way before its picture pipe blocks: a few. */
  private readonly waiting: Caption[] = [];
  private decoded = 0;
  private faulty = false;
  private over = false;
  private wake: (() => void) | undefined;

  constructor(skip: (count: number) => void) {
    this.skip = skip;
  }

  read(line: string): void {
    const shown = readShowinfo(line);
    if (shown === undefined) {
      const connection = readConnection(line);
      if (connection === 'open') this.open = true;
      else if (connection !== undefined) this.refusedWith = connection.refusedWith;
      // A decoder complains in several lines; one stretch between two frames counts once.
      if (this.decoded > 0 && !this.faulty && / \[(?:error|fatal)\] /.test(line)) {
        this.faulty = true;
        this.skip(1);
      }
      return;
    }
    if (shown.stage === 'all') {
      this.decoded = shown.index + 1;
      this.faulty = false;
      return;
    }
    this.waiting.push(this.caption(shown));
    this.wake?.();
  }

  end(): void {
    this.over = true;
    this.wake?.();
  }

  async next(): Promise<Caption | undefined> {
    while (this.waiting.length === 0 && !this.over)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    return this.waiting.shift();
  }

  /** The filters run one frame through before the next: the frame decoded last is the one chosen. */
  private caption(shown: ShownFrame): Caption {
    return { frame: this.decoded, atMs: shown.atMs, width: shown.width, height: shown.height };
  }
}
