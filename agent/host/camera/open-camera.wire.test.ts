import { execFileSync, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Log } from '../../../drivers/api/driver.ts';
import type { JsonObject } from '../../../drivers/api/reading.ts';
import type { CameraOptions, CameraSignal } from '../../../drivers/api/transports.ts';
import { startMjpegServer, type MjpegServer } from '../../../firmware-sim/wire/mjpeg-server.ts';
import { buildNanodet } from '../../../models/build/build-nanodet.ts';
import { systemClock } from '../clock.ts';
import { FRAME_WINDOW, type FromCamera } from './messages.ts';
import { openCamera } from './open-camera.ts';

const CLIP = process.env['BARROW_CLIP'] ?? '/usr/share/doc/opencv-doc/examples/data/vtest.avi';

const options = (source: CameraOptions['source'], fps: number | null = 10): CameraOptions => ({
  source,
  fps,
  input: { width: 320, height: 256 },
  threads: 1,
  niceness: 5,
  minScore: 0.3,
});

let modelPath: string;
let server: MjpegServer;
let stop: AbortController;
let logged: string[];
let signals: CameraSignal[];

beforeAll(async () => {
  modelPath = (await buildNanodet({}, new AbortController().signal)).path;
}, 300_000);

beforeEach(async () => {
  server = await startMjpegServer({ clip: CLIP, fps: 10 });
  stop = new AbortController();
  logged = [];
  signals = [];
});

afterEach(async () => {
  stop.abort(new Error('the test is over'));
  await server[Symbol.asyncDispose]();
});

/** Opens a camera and gathers what it says. */
async function watch(camera: CameraOptions, hungMs = 20_000): Promise<AsyncDisposable> {
  const note = (event: string, _fields?: JsonObject): void => void logged.push(event);
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const feed = await openCamera(camera, { clock: systemClock(), log, modelPath, hungMs }, stop.signal);
  const gather = async (): Promise<void> => {
    for await (const heard of feed.signals(stop.signal)) signals.push(heard);
  };
  void gather().catch(() => undefined);
  return feed;
}

const frames = (): number => signals.filter(({ kind }) => kind === 'frame').length;
const states = (): (string | null)[] =>
  signals.flatMap((heard) => (heard.kind === 'state' ? [heard.code ?? heard.state] : []));
const skipped = (): number => Math.max(0, ...signals.map((heard) => (heard.kind === 'state' ? heard.skipped : 0)));

/** Processes that this one started and that run the camera. */
function cameraProcesses(): readonly number[] {
  const rows = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  return rows
    .split('\n')
    .filter((row) => row.includes('camera-process'))
    .map((row) => Number(row.trim().split(' ')[0]));
}

describe('a camera', () => {
  test('tells where people are, in a process of its own that ends with the feed', async () => {
    const feed = await watch(options({ kind: 'mjpeg', url: server.url }));
    await expect.poll(frames, { timeout: 20_000 }).toBeGreaterThan(5);
    const seen = signals.flatMap((heard) => (heard.kind === 'frame' ? [heard.frame] : []));
    expect(seen[0]).toMatchObject({ widthPx: 768, heightPx: 576 });
    expect(seen.some(({ detections }) => detections.length > 1)).toBe(true);
    expect(seen.map(({ frame }) => frame)).toEqual(seen.map(({ frame }) => frame).toSorted((a, b) => a - b));
    expect(cameraProcesses()).toHaveLength(1);
    await feed[Symbol.asyncDispose]();
    expect(cameraProcesses()).toEqual([]);
  });

  test('counts broken, truncated, huge and foreign bytes and goes on', async () => {
    await watch(options({ kind: 'mjpeg', url: server.url }));
    await expect.poll(frames, { timeout: 20_000 }).toBeGreaterThan(2);
    for (const fault of ['corrupt', 'truncate', 'huge', 'giant', 'noise'] as const) {
      server.fault = fault;
      const played = server.played;
      await expect.poll(() => server.played, { timeout: 10_000 }).toBeGreaterThan(played + 4);
      server.fault = null;
      const before = frames();
      await expect.poll(frames, { timeout: 20_000, message: fault }).toBeGreaterThan(before + 2);
    }
    expect(skipped()).toBeGreaterThan(8);
    expect(states().filter((state) => state !== 'running')).toEqual([]);
  }, 60_000);

  test('connects again after the camera hung up or refused', async () => {
    await watch(options({ kind: 'mjpeg', url: server.url }));
    await expect.poll(frames, { timeout: 20_000 }).toBeGreaterThan(2);
    server.fault = 'drop';
    await expect.poll(states, { timeout: 10_000 }).toContain('camera-unreachable');
    server.fault = 'refuse';
    await expect.poll(states, { timeout: 10_000 }).toContain('camera-refused');
    server.fault = null;
    const before = frames();
    await expect.poll(frames, { timeout: 20_000 }).toBeGreaterThan(before + 2);
    expect(states().at(-1)).toBe('running');
  }, 60_000);

  test('notices a camera that keeps the line open and says nothing', async () => {
    await watch(options({ kind: 'mjpeg', url: server.url }));
    await expect.poll(frames, { timeout: 20_000 }).toBeGreaterThan(2);
    server.fault = 'stall';
    await expect.poll(states, { timeout: 20_000 }).toContain('camera-stalled');
    server.fault = null;
    const before = frames();
    await expect.poll(frames, { timeout: 20_000 }).toBeGreaterThan(before);
  }, 60_000);

  test('starts its process again when it is killed', async () => {
    await watch(options({ kind: 'mjpeg', url: server.url }));
    await expect.poll(frames, { timeout: 20_000 }).toBeGreaterThan(2);
    const [pid = 0] = cameraProcesses();
    process.kill(pid, 'SIGKILL');
    await expect.poll(states, { timeout: 10_000 }).toContain('camera-process-lost');
    const before = frames();
    await expect.poll(frames, { timeout: 30_000 }).toBeGreaterThan(before + 2);
    expect(cameraProcesses()).toHaveLength(1);
    expect(logged).toContain('camera-process-lost');
  }, 60_000);

  test('kills its process when it hangs, and starts another', async () => {
    await watch(options({ kind: 'mjpeg', url: server.url }), 5_000);
    await expect.poll(frames, { timeout: 20_000 }).toBeGreaterThan(2);
    const [pid = 0] = cameraProcesses();
    process.kill(pid, 'SIGSTOP');
    await expect.poll(states, { timeout: 20_000 }).toContain('camera-process-lost');
    const before = frames();
    await expect.poll(frames, { timeout: 30_000 }).toBeGreaterThan(before + 2);
    expect(logged).toContain('camera-process-hung');
    expect(cameraProcesses()).not.toContain(pid);
  }, 60_000);

  test('sends no more than its window while nobody reads, and loses no frame of a file', async () => {
    const loader = createRequire(import.meta.url).resolve('tsx');
    const entry = fileURLToPath(new URL('./camera-process.ts', import.meta.url));
    const child = fork(entry, [], { execArgv: ['--import', loader], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    try {
      const numbers: number[] = [];
      child.on('message', (message: FromCamera) => {
        if (message.kind === 'frame') numbers.push(message.frame.frame);
      });
      const small = { ...options({ kind: 'file', path: CLIP }, null), input: { width: 64, height: 64 } };
      child.send({ kind: 'open', options: small, modelPath });
      await expect.poll(() => numbers.length, { timeout: 30_000 }).toBe(FRAME_WINDOW);
      await delay(1_000);
      expect(numbers.length).toBe(FRAME_WINDOW);
      child.send({ kind: 'credit', frames: 10 });
      await expect.poll(() => numbers.length, { timeout: 10_000 }).toBe(FRAME_WINDOW + 10);
      expect(numbers).toEqual(Array.from({ length: FRAME_WINDOW + 10 }, (_, at) => at + 1));
    } finally {
      child.kill('SIGKILL');
    }
  }, 60_000);

  test('takes pictures from snapshots and from a command’s output', async () => {
    await watch(options({ kind: 'mjpeg', url: server.url }));
    await expect.poll(frames, { timeout: 20_000 }).toBeGreaterThan(0);
    const before = frames();
    const args = ['-v', 'error', '-re', '-i', CLIP, '-c:v', 'mjpeg', '-f', 'image2pipe', '-'];
    await watch(options({ kind: 'snapshot', url: server.snapshotUrl }, 5));
    await watch(options({ kind: 'command', command: ['ffmpeg', ...args] }, 5));
    await expect.poll(frames, { timeout: 20_000 }).toBeGreaterThan(before + 12);
    expect(states().filter((state) => state !== 'running')).toEqual([]);
  }, 60_000);

  test('says what is wrong with a source that is none', async () => {
    await watch(options({ kind: 'file', path: '/nonexistent.avi' }));
    await expect.poll(states, { timeout: 20_000 }).toEqual(['camera-missing']);
    signals = [];
    await watch(options({ kind: 'file', path: import.meta.filename }));
    await expect.poll(states, { timeout: 20_000 }).toEqual(['camera-no-picture']);
  });
});
