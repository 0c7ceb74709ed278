// First of all: the runtime decides when it is loaded whether to report to its maker.
import '../../agent/host/camera/no-telemetry.ts';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildNanodet } from '../build/build-nanodet.ts';
import { nanodet } from './manifest.ts';
import { fillPlanes, inputPlanes, letterbox } from './preprocess.ts';

const CLIP = process.env['BARROW_CLIP'] ?? '/usr/share/doc/opencv-doc/examples/data/vtest.avi';
const SIDE = 416;

interface Recording {
  readonly name: 'pattern' | 'clip';
  readonly sha256: string;
  readonly cells: readonly {
    readonly stride: number;
    readonly cell: number;
    readonly score: number;
    readonly sides: readonly number[];
  }[];
}

const { recordings } = JSON.parse(readFileSync(new URL('./vectors.json', import.meta.url), 'utf8')) as {
  readonly recordings: readonly Recording[];
};

let session: InferenceSession;

beforeAll(async () => {
  const { path } = await buildNanodet({}, new AbortController().signal);
  session = await InferenceSession.create(path, { intraOpNumThreads: 1 });
}, 300_000);

describe('the converted network', () => {
  for (const recording of recordings)
    test(`says of the ${recording.name} what the published one said`, async () => {
      const pixels = recording.name === 'pattern' ? pattern() : clipFrame();
      expect(createHash('sha256').update(pixels).digest('hex')).toBe(recording.sha256);
      const planes = inputPlanes({ width: SIDE, height: SIDE });
      fillPlanes(planes, pixels, letterbox({ width: SIDE, height: SIDE }, { width: SIDE, height: SIDE }));
      const outputs = await session.run({
        [nanodet.inputName]: new Tensor('float32', planes, [1, 3, SIDE, SIDE]),
      });
      let score = 0;
      let side = 0;
      for (const cell of recording.cells) {
        const name = nanodet.outputs.find(({ stride }) => stride === cell.stride)!.name;
        const data = outputs[name]!.data as Float32Array;
        const count = (SIDE / cell.stride) ** 2;
        score = Math.max(score, Math.abs(1 / (1 + Math.exp(-data[cell.cell]!)) - cell.score));
        cell.sides.forEach((expected, at) => {
          side = Math.max(side, Math.abs(data[(1 + at) * count + cell.cell]! - expected));
        });
      }
      // Two runtimes sum in different orders; measured 1e-6 and 2e-5 (five decimals were recorded).
      expect(score).toBeLessThan(1e-5);
      expect(side).toBeLessThan(1e-4);
    });

  test('takes every input size of the manifest', async () => {
    for (const { width, height } of nanodet.inputs) {
      const outputs = await session.run({
        [nanodet.inputName]: new Tensor('float32', inputPlanes({ width, height }), [1, 3, height, width]),
      });
      expect(nanodet.outputs.map(({ name }) => outputs[name]!.dims)).toEqual(
        nanodet.outputs.map(({ stride }) => [1, nanodet.channels, height / stride, width / stride]),
      );
    }
  });
});

function pattern(): Uint8Array {
  const pixels = new Uint8Array(SIDE * SIDE * 3);
  for (let y = 0; y < SIDE; y += 1)
    for (let x = 0; x < SIDE; x += 1)
      for (let c = 0; c < 3; c += 1)
        pixels[(y * SIDE + x) * 3 + c] = (((x * (3 + c)) ^ (y * (5 - c))) + ((x * y) >> (4 + c))) & 255;
  return pixels;
}

function clipFrame(): Uint8Array {
  const select = ['-vf', 'select=eq(n\\,300)', '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-'];
  const luma = execFileSync('ffmpeg', ['-v', 'error', '-flags', 'bitexact', '-idct', 'simple', '-i', CLIP, ...select], {
    maxBuffer: 16 * 1024 * 1024,
  });
  const pixels = new Uint8Array(SIDE * SIDE * 3);
  for (let y = 0; y < SIDE; y += 1)
    for (let x = 0; x < SIDE; x += 1)
      pixels.fill(luma[(y + 80) * 768 + x + 200]!, (y * SIDE + x) * 3, (y * SIDE + x) * 3 + 3);
  return pixels;
}
