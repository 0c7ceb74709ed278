import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startMjpegServer, type MjpegServer } from '../../../firmware-sim/wire/mjpeg-server.ts';
import { buildNanodet } from '../../../models/build/build-nanodet.ts';
import type { FromCamera } from './messages.ts';

const WIDTH = 416;
const HEIGHT = 320;

let modelPath: string;
let folder: string;
let server: MjpegServer;
let child: ChildProcess;
/** Rows of the marked picture as the camera process holds them, and a piece of the JPEG as it came. */
let marks: readonly Buffer[];

beforeAll(async () => {
  modelPath = (await buildNanodet({}, new AbortController().signal)).path;
}, 300_000);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barrow-privacy-'));
  await mkdir(join(folder, 'home'));
  // A texture that occurs nowhere else: every 16-pixel block has a colour of its own.
  const pixels = Buffer.alloc(WIDTH * HEIGHT * 3);
  for (let y = 0; y < HEIGHT; y += 1)
    for (let x = 0; x < WIDTH; x += 1)
      for (let c = 0; c < 3; c += 1)
        pixels[(y * WIDTH + x) * 3 + c] = ((x >> 4) * 53 + (y >> 4) * 101 + c * 67 + (x >> 4) * (y >> 4) * 17) & 255;
  const clip = join(folder, 'marked.avi');
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${WIDTH}x${HEIGHT}`, '-i', 'pipe:0'];
  execFileSync('ffmpeg', ['-v', 'error', ...raw, '-vf', 'loop=20:1', '-c:v', 'mjpeg', '-q:v', '3', clip], {
    input: pixels,
  });
  server = await startMjpegServer({ clip, fps: 10 });
  const jpeg = readFileSync(clip);
  const start = jpeg.indexOf(Buffer.of(0xff, 0xda)) + 200;
  const decoded = await sharp(jpeg.subarray(jpeg.indexOf(Buffer.of(0xff, 0xd8))))
    .raw()
    .toBuffer();
  marks = [jpeg.subarray(start, start + 24), decoded.subarray(60_000, 60_048), pixels.subarray(60_000, 60_048)];
});

afterEach(async () => {
  child?.kill('SIGKILL');
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Names the trace of a picture in bytes or text, plain, in base64 (any alignment) or in hexadecimal. */
function trace(bytes: Buffer): string | null {
  const text = bytes.toString('latin1');
  const magic: readonly (readonly [string, string])[] = [
    ['JPEG', '\u00ff\u00d8\u00ff'],
    ['PNG', '\u0089PNG'],
    ['RIFF picture', 'WEBP'],
    ['JPEG in base64', '/9j/'],
    ['PNG in base64', 'iVBORw0'],
    ['JPEG in hexadecimal', 'ffd8ff'],
  ];
  for (const [name, head] of magic) if (text.includes(head)) return name;
  for (const mark of marks) {
    if (bytes.includes(mark)) return 'marked pixels';
    if (text.includes(mark.toString('hex'))) return 'marked pixels in hexadecimal';
    if (text.includes([...mark].join(','))) return 'marked pixels as numbers';
    for (let shift = 0; shift < 3; shift += 1)
      if (text.includes(mark.subarray(shift, shift + 18).toString('base64'))) return 'marked pixels in base64';
  }
  return null;
}

/** Files under the folders that the process may write to, save what this test put there. */
function written(): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'marked.avi')
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Regular files that a process has open for writing. */
function openForWriting(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      const flags = Number.parseInt(
        /flags:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0',
        8,
      );
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      return (flags & 3) !== 0 && target.startsWith('/') && !target.startsWith('/dev/') ? [target] : [];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // closed meanwhile
      throw error;
    }
  });
}

async function lookAtMarkedPictures(): Promise<{ readonly messages: readonly FromCamera[]; readonly spoken: Buffer }> {
  const messages: FromCamera[] = [];
  const spoken: Buffer[] = [];
  const loader = createRequire(import.meta.url).resolve('tsx');
  child = fork(fileURLToPath(new URL('./camera-process.ts', import.meta.url)), [], {
    cwd: folder,
    env: { PATH: process.env['PATH'], TMPDIR: folder, HOME: join(folder, 'home'), TSX_DISABLE_CACHE: '1' },
    execArgv: ['--import', loader],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  child.stdout?.on('data', (chunk: Buffer) => spoken.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => spoken.push(chunk));
  child.on('message', (message: FromCamera) => messages.push(message));
  child.send({
    kind: 'open',
    modelPath,
    options: {
      source: { kind: 'mjpeg', url: server.url },
      fps: 10,
      input: { width: WIDTH, height: HEIGHT },
      threads: 1,
      niceness: 0,
      // So low that every cell of the picture would speak if it could.
      minScore: 0.01,
    },
  });
  await expect
    .poll(() => messages.filter(({ kind }) => kind === 'frame').length, { timeout: 30_000 })
    .toBeGreaterThan(8);
  return { messages, spoken: Buffer.concat(spoken) };
}

describe('privacy', () => {
  test('no picture leaves the camera process, neither by message nor by output nor to disk', async () => {
    const { messages, spoken } = await lookAtMarkedPictures();
    expect(trace(Buffer.from(JSON.stringify(messages)))).toBeNull();
    expect(trace(spoken)).toBeNull();
    expect(openForWriting(child.pid!)).toEqual([]);
    expect(written().filter((path) => trace(readFileSync(path)) !== null)).toEqual([]);
    // Nothing at all: the detector's runtime would keep a database to report from.
    expect(written()).toEqual([]);
  }, 60_000);

  test('a message is a handful of numbers: no field could hold a picture', async () => {
    const { messages } = await lookAtMarkedPictures();
    const frame = messages.find((message) => message.kind === 'frame');
    expect(Object.keys(frame!.kind === 'frame' ? frame!.frame : {})).toEqual([
      'frame',
      'atMs',
      'widthPx',
      'heightPx',
      'detections',
      'stagesMs',
    ]);
    expect(messages.every((message) => JSON.stringify(message).length < 32_768)).toBe(true);
  }, 60_000);

  test('the search finds planted leaks', async () => {
    const [jpegPiece, decodedRow] = marks as [Buffer, Buffer];
    const picture = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer();
    expect(trace(picture)).toBe('JPEG');
    expect(trace(await sharp(picture).png().toBuffer())).toBe('PNG');
    expect(trace(Buffer.from(JSON.stringify({ x: picture.toString('base64') })))).toBe('JPEG in base64');
    expect(trace(Buffer.concat([Buffer.from('log '), decodedRow]))).toBe('marked pixels');
    expect(trace(Buffer.from(JSON.stringify({ row: [...decodedRow] })))).toBe('marked pixels as numbers');
    expect(trace(Buffer.from(`x${Buffer.concat([Buffer.of(1), jpegPiece]).toString('base64')}`))).toBe(
      'marked pixels in base64',
    );
    await writeFile(join(folder, 'home', 'leak'), picture);
    expect(written().filter((path) => trace(readFileSync(path)) !== null)).toEqual([join(folder, 'home', 'leak')]);
    expect(trace(Buffer.from('{"frame":12,"detections":[{"x":12.5}]}'))).toBeNull();
  });
});
