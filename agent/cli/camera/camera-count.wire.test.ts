import { spawn, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startMjpegServer, type MjpegServer } from '../../../firmware-sim/wire/mjpeg-server.ts';
import { buildNanodet } from '../../../models/build/build-nanodet.ts';

const CLIP = process.env['BARROW_CLIP'] ?? '/usr/share/doc/opencv-doc/examples/data/vtest.avi';
const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const LOADER = createRequire(import.meta.url).resolve('tsx');

/**
 * True crossings of the first 400 frames, from the public ground truth of the sequence (MOT15, PETS09-S2L1; foot point,
 * 5 px hysteresis): frame and direction.
 */
const TRUTH = {
  mid350: '15o 66i 100o 164i 185i 225i 261i 286i 298i 309o 328o 341o 346o 370i',
  left150: '193i 215i 272i 290o',
} as const;

const LINES = ['--line', 'mid350:350,180,350,420', '--line', 'left150:150,190,150,300'];

let modelPath: string;
let running: ChildProcess | undefined;
let server: MjpegServer | undefined;

beforeAll(async () => {
  modelPath = (await buildNanodet({}, new AbortController().signal)).path;
}, 300_000);

afterEach(async () => {
  running?.kill('SIGKILL');
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

interface Outcome {
  readonly status: number | null;
  readonly lines: readonly Record<string, unknown>[];
  readonly stderr: string;
}

function count(...args: readonly string[]): { readonly child: ChildProcess; readonly outcome: Promise<Outcome> } {
  const child = spawn(process.execPath, ['--import', LOADER, MAIN, 'camera', 'count', ...args], {
    env: { ...process.env, BARROW_MODEL: modelPath },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running = child;
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const outcome = new Promise<Outcome>((resolve) =>
    child.once('close', (status) =>
      resolve({
        status,
        stderr,
        lines: stdout
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Record<string, unknown>),
      }),
    ),
  );
  return { child, outcome };
}

/** Share of events that match: same line and direction, within 15 frames, each once; of truth and false together. */
function matched(lines: readonly Record<string, unknown>[]): number {
  const counted = lines.filter((line) => 'lineId' in line);
  const free = new Set(counted);
  let hits = 0;
  let misses = 0;
  for (const [lineId, events] of Object.entries(TRUTH))
    for (const event of events.split(' ')) {
      const frame = Number.parseInt(event, 10);
      const direction = event.endsWith('i') ? 'in' : 'out';
      const near = [...free]
        .filter((line) => line['lineId'] === lineId && line['direction'] === direction)
        .map((line) => ({ line, off: Math.abs((line['frame'] as number) - frame) }))
        .toSorted((one, other) => one.off - other.off)[0];
      if (near === undefined || near.off > 15) misses += 1;
      else {
        hits += 1;
        free.delete(near.line);
      }
    }
  return hits / (hits + misses + free.size);
}

describe('counting a real clip', () => {
  for (const [rate, fps] of [
    ['every frame', []],
    ['every second frame', ['--fps', '5']],
  ] as const)
    test(`finds the true crossings with ${rate}`, async () => {
      const { status, lines } = await count(CLIP, ...LINES, '--seconds', '39', ...fps).outcome;
      expect(status).toBe(0);
      expect(matched(lines)).toBeGreaterThanOrEqual(0.97);
      const first = lines[0]!;
      expect(Object.keys(first)).toEqual(['frame', 'atMs', 'lineId', 'direction']);
      // The clip plays ten frames a second; the crossing lies between two of them.
      expect(Math.abs((first['atMs'] as number) - ((first['frame'] as number) - 1) * 100)).toBeLessThanOrEqual(60);
      const { summary } = lines.at(-1) as { summary: Record<string, unknown> };
      expect(summary).toMatchObject({ frames: fps.length === 0 ? 390 : 195, skipped: 0 });
      const told = summary['lines'] as Record<string, { readonly in: number; readonly out: number }>;
      const counted = lines.filter((line) => line['lineId'] === 'mid350');
      expect(told['mid350']!.in + told['mid350']!.out).toBe(counted.length);
      expect(Object.keys(summary['ms'] as object)).toEqual(['decode', 'inference', 'post', 'count']);
      const region = summary['region'] as { readonly y: number; readonly height: number };
      expect(region.y).toBeLessThan(180);
      expect(region.y + region.height).toBeGreaterThan(420);
    }, 120_000);
});

describe('what it answers', () => {
  test('nothing decodable is 1; a line of no length, no line, no file and no number are 2', async () => {
    const line = ['--line', 'a:1,2,3,4'];
    const asked = [
      [[import.meta.filename, ...line], 1],
      [[CLIP, '--line', 'a:1,2,1,2'], 2],
      [[CLIP], 2],
      [['/nonexistent.avi', ...line], 2],
      [[CLIP, ...line, '--fps', 'many'], 2],
      [[CLIP, ...line, ...line], 2],
    ] as const;
    for (const [args, status] of asked) {
      const outcome = await count(...args, '--json').outcome;
      expect({ args, status: outcome.status }).toEqual({ args, status });
      expect(outcome.lines[0]).toMatchObject({ error: { hint: expect.any(String) as string } });
    }
  }, 60_000);

  test('a live source ends with its summary on SIGINT', async () => {
    server = await startMjpegServer({ clip: CLIP, fps: 10 });
    const { child, outcome } = count(server.url, ...LINES);
    await expect.poll(() => server?.played ?? 0, { timeout: 30_000 }).toBeGreaterThan(30);
    child.kill('SIGINT');
    const { status, lines } = await outcome;
    expect(status).toBe(0);
    expect(lines.at(-1)).toMatchObject({ summary: { skipped: expect.any(Number) as number } });
  }, 60_000);

  test('a live source that never shows a picture ends with 1 and says why', async () => {
    server = await startMjpegServer({ clip: CLIP, fps: 10 });
    server.fault = 'refuse';
    const { status, stderr } = await count(server.url, ...LINES, '--seconds', '3').outcome;
    expect(status).toBe(1);
    expect(stderr).toContain('error[camera-refused]');
  }, 60_000);
});
