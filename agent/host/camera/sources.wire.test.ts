import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CameraSource } from '../../../drivers/api/transports.ts';
import { findClip } from '../../../firmware-sim/cli/read-scenario.ts';
import { type RtspServer, startRtspServer } from '../../../firmware-sim/wire/rtsp-server.ts';
import { inputFor } from '../../../models/nanodet-g/input-size.ts';
import { letterbox } from '../../../models/nanodet-g/preprocess.ts';
import { keepLive } from './live.ts';
import { PictureSlot } from './picture-slot.ts';
import type { SourcePicture } from './picture.ts';
import { readerOf } from './reader.ts';

const CLIP = findClip('vtest.avi');
/** Long enough for ffmpeg to start and meet a key frame on a busy machine. */
const STALL_MS = 6_000;

let stop: AbortController;
let pictures: Pick<SourcePicture, 'frame' | 'atMs' | 'width' | 'height'>[];
let states: string[];
let skipped: number;
let flow: Promise<void>;

beforeEach(() => {
  stop = new AbortController();
  pictures = [];
  states = [];
  skipped = 0;
  flow = Promise.resolve();
});

/** The command lines of all processes, words apart by a blank. */
async function commandLines(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(lines)).map((line) => line.replaceAll('\0', ' '));
}

afterEach(async () => {
  stop.abort(new Error('the test is over'));
  await flow;
});

/** Keeps a source flowing as the camera process does, without the network behind it. */
function watch(source: CameraSource, stallMs: number = STALL_MS): void {
  const slot = new PictureSlot();
  const gather = async (): Promise<void> => {
    for (;;) {
      const { frame, atMs, width, height } = await slot.take(stop.signal);
      pictures.push({ frame, atMs, width, height });
    }
  };
  const options = {
    fps: 10,
    input: { width: 64, height: 64 },
    skip: (count: number): void => void (skipped += count),
    slot,
    stallMs,
    state: ({ state, code }: { readonly state: string; readonly code: string | null }): void =>
      void states.push(code ?? state),
  };
  flow = keepLive(readerOf(source), options, stop.signal);
  void gather().catch(() => undefined);
}

/** How many programs run with that word in their command line, whoever started them. */
function running(word: string): number {
  const rows = execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' }).split('\n');
  return rows.filter((row) => row.includes(word)).length;
}

describe('an RTSP camera', () => {
  let camera: RtspServer;

  beforeEach(async () => {
    camera = await startRtspServer({ clip: CLIP, login: { name: 'barrow', password: 'open-sesame' } });
  });

  afterEach(() => camera[Symbol.asyncDispose]());

  const address = (path = '/live', password = 'open-sesame'): string =>
    `rtsp://barrow:${password}@127.0.0.1:${camera.port}${path}`;

  test('gives pictures in the order of time at their true size', async () => {
    watch({ kind: 'rtsp', url: address() });
    await expect.poll(() => pictures.length, { timeout: 15_000 }).toBeGreaterThan(8);
    expect(pictures[0]).toMatchObject({ width: 768, height: 576 });
    const times = pictures.map(({ atMs }) => atMs);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(states).toEqual(['running']);
  }, 30_000);

  test('keeps its password off every command line, which anybody on the machine can read', async () => {
    watch({ kind: 'rtsp', url: address() });
    await expect.poll(() => pictures.length, { timeout: 15_000 }).toBeGreaterThan(0);
    const lines = await commandLines();
    expect(lines.filter((line) => line.startsWith('ffmpeg') && line.includes('concat'))).not.toEqual([]);
    expect(lines.filter((line) => line.includes('open-sesame'))).toEqual([]);
  }, 30_000);

  test('is found again after its plug was pulled, with numbers and times that go on', async () => {
    watch({ kind: 'rtsp', url: address() });
    await expect.poll(() => pictures.length, { timeout: 15_000 }).toBeGreaterThan(2);
    await camera.leave();
    await expect.poll(() => states, { timeout: 15_000 }).toContain('camera-unreachable');
    const last = pictures.at(-1)!;
    await camera.comeBack();
    await expect.poll(() => states.at(-1), { timeout: 30_000 }).toBe('running');
    await expect.poll(() => pictures.at(-1)!.frame, { timeout: 15_000 }).toBeGreaterThan(last.frame);
    expect(pictures.at(-1)!.atMs).toBeGreaterThan(last.atMs);
  }, 60_000);

  test('is given up and asked again when it keeps the line open and sends nothing', async () => {
    watch({ kind: 'rtsp', url: address() });
    await expect.poll(() => pictures.length, { timeout: 15_000 }).toBeGreaterThan(2);
    camera.fault = 'stall';
    await expect.poll(() => states, { timeout: 15_000 }).toContain('camera-stalled');
    camera.fault = null;
    await expect.poll(() => states.at(-1), { timeout: 30_000 }).toBe('running');
  }, 60_000);

  test('refuses a wrong password and a wrong path, and no word of it holds the password', async () => {
    for (const url of [address('/live', 'guessed'), address('/other')]) {
      const options = { fps: 5, input: { width: 64, height: 64 }, skip: (): void => undefined };
      const read = async (): Promise<void> => {
        for await (const _ of readerOf({ kind: 'rtsp', url })(options, stop.signal)) throw new Error('a picture came');
      };
      const error = await read().catch((caught: unknown) => caught as Error & { readonly code?: string });
      expect(error).toMatchObject({ code: 'camera-refused' });
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/guessed|open-sesame/);
    }
  }, 30_000);
});

test('ffmpeg scales a file to the size that suits its shape', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'barrow-shape-'));
  try {
    for (const [width, height] of [
      [1280, 720],
      [640, 480],
      [600, 416],
      [602, 416],
      [720, 1280],
      [2560, 1440],
    ] as const) {
      const path = join(folder, `${width}x${height}.avi`);
      const picture = `testsrc=size=${width}x${height}:rate=2:duration=1`;
      execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', picture, '-c:v', 'mjpeg', path]);
      const wanted = letterbox({ width, height }, inputFor({ width, height }));
      for await (const { format } of readerOf({ kind: 'file', path })(
        { fps: null, input: null, skip: () => undefined },
        stop.signal,
      ))
        expect(format, path).toEqual({ scaled: { width: wanted.width, height: wanted.height } });
      // To look at parts of it, it is handed over as it is, or 1280 long.
      const longest = Math.min(1, 1280 / Math.max(width, height));
      const options = { fps: null, input: null, parts: true, skip: (): void => undefined };
      for await (const { format } of readerOf({ kind: 'file', path })(options, stop.signal))
        expect(format, path).toEqual({ scaled: { width: width * longest, height: height * longest } });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 30_000);

describe('a command that writes pictures', () => {
  /** As rpicam-vid does with `--codec mjpeg -o -`. */
  const film = ['ffmpeg', '-v', 'error', '-re', '-i', CLIP, '-c:v', 'mjpeg', '-f', 'mjpeg', '-'] as const;

  test('that dies is started again', async () => {
    watch({ kind: 'command', command: [...film.slice(0, -1), '-frames:v', '5', '-'] });
    await expect.poll(() => states.filter((state) => state === 'running').length, { timeout: 20_000 }).toBe(2);
    expect(states[1]).toBe('camera-stalled');
  }, 30_000);

  test('that is not there or has nothing to say is told apart', async () => {
    watch({ kind: 'command', command: ['/nonexistent/rpicam-vid'] });
    await expect.poll(() => states, { timeout: 10_000 }).toEqual(['camera-missing']);
    stop.abort(new Error('next'));
    await flow;
    stop = new AbortController();
    states = [];
    watch({ kind: 'command', command: ['sh', '-c', 'exit 3'] });
    await expect.poll(() => states, { timeout: 10_000 }).toEqual(['camera-no-picture']);
  }, 30_000);

  test('that floods with garbage takes no memory, counts as stalled and is ended', async () => {
    const before = process.memoryUsage.rss();
    // A picture's first bytes again and again: each might begin one.
    // The shell stays and its child writes: both must go.
    const word = `rubbish-${process.pid}`;
    watch({ kind: 'command', command: ['sh', '-c', `yes "$(printf '\\377\\330\\377\\340')${word}"; true`] }, 1_500);
    await expect.poll(() => running(word), { timeout: 10_000, interval: 20 }).toBeGreaterThan(1);
    await expect.poll(() => states, { timeout: 20_000 }).toContain('camera-stalled');
    expect(skipped).toBeGreaterThan(0);
    expect(pictures).toEqual([]);
    stop.abort(new Error('enough'));
    await flow;
    expect((process.memoryUsage.rss() - before) / 1_048_576).toBeLessThan(120);
    expect(running(word)).toBe(0);
  }, 40_000);
});

test('a V4L2 device that is not there, or is no camera, is named so', async () => {
  watch({ kind: 'v4l2', device: '/dev/video-none' });
  await expect.poll(() => states, { timeout: 10_000 }).toEqual(['camera-missing']);
  stop.abort(new Error('next'));
  await flow;
  stop = new AbortController();
  states = [];
  watch({ kind: 'v4l2', device: '/dev/null' });
  await expect.poll(() => states, { timeout: 10_000 }).toEqual(['camera-no-picture']);
}, 30_000);
