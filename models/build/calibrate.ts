import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { nanodet } from '../nanodet-g/manifest.ts';
import { fillPlanes, inputPlanes, letterbox } from '../nanodet-g/preprocess.ts';
import { FLOAT, type OnnxModel, writeOnnx } from './onnx-writer.ts';
import { calibrated, type Ranges } from './quantize.ts';

/** A clip of which every so-many-th frame is looked at. */
export interface CalibrationClip {
  readonly path: string;
  readonly every: number;
}

/** Runs the model over real frames and notes the least and largest value of every tensor, four decimals. */
export async function calibrate(model: OnnxModel, clips: readonly CalibrationClip[]): Promise<Ranges> {
  const names = calibrated(model);
  const inner = names.filter((name) => ![...model.inputs, ...model.outputs].some((known) => known.name === name));
  const open = inner.map((name) => ({ name, type: FLOAT, dims: [1, `${name}_c`, `${name}_h`, `${name}_w`] }));
  const folder = await mkdtemp(join(tmpdir(), 'barrow-calibrate-'));
  const ranges = new Map<string, [number, number]>();
  try {
    const path = join(folder, 'open.onnx');
    await writeFile(path, writeOnnx({ ...model, outputs: [...model.outputs, ...open] }));
    const session = await InferenceSession.create(path, { intraOpNumThreads: 1, graphOptimizationLevel: 'disabled' });
    for (const clip of clips)
      for await (const planes of framesOf(clip)) {
        const { width, height } = size;
        const values = await session.run({ [nanodet.inputName]: new Tensor('float32', planes, [1, 3, height, width]) });
        for (const name of names)
          widen(ranges, name, name === nanodet.inputName ? planes : (values[name]?.data as Float32Array));
      }
    await session.release();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return Object.fromEntries(ranges);
}

const size = nanodet.inputs[0] ?? { width: 416, height: 320 };

function widen(ranges: Map<string, [number, number]>, name: string, values: Float32Array): void {
  const range = ranges.get(name) ?? [0, 0];
  for (const value of values) {
    if (value < range[0]) range[0] = Math.floor(value * 1e4) / 1e4;
    if (value > range[1]) range[1] = Math.ceil(value * 1e4) / 1e4;
  }
  ranges.set(name, range);
}

/** The network's input for the wanted frames; the planes are refilled each time. */
async function* framesOf({ path, every }: CalibrationClip): AsyncGenerator<Float32Array, void, undefined> {
  const { width, height } = size;
  const filters = `select=not(mod(n\\,${every})),scale=${width}:${height}:flags=bicubic`;
  const output = ['-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
  const child = spawn('ffmpeg', ['-v', 'error', '-nostdin', '-i', path, '-an', '-vf', filters, ...output], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const planes = inputPlanes(size);
  const pixels = new Uint8Array(3 * width * height);
  let filled = 0;
  for await (const chunk of child.stdout as AsyncIterable<Uint8Array>)
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + pixels.length - filled);
      pixels.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < pixels.length) continue;
      fillPlanes(planes, pixels, letterbox(size, size));
      yield planes;
      filled = 0;
    }
}
