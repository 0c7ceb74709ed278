import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nanodet } from '../nanodet-g/manifest.ts';
import { buildNanodet, convertNanodet, defaultCacheDir } from './build-nanodet.ts';

const signal = new AbortController().signal;
let cacheDir: string;
const published = { topology: new Uint8Array(), weights: new Uint8Array() };

beforeAll(async () => {
  await buildNanodet({}, signal);
  const source = join(defaultCacheDir(), 'source');
  published.topology = await readFile(join(source, 'nanodet.json'));
  published.weights = await readFile(join(source, 'nanodet.bin'));
}, 300_000);

beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'barrow-models-'));
  await mkdir(join(cacheDir, 'source'));
  await writeFile(join(cacheDir, 'source', 'nanodet.json'), published.topology);
  await writeFile(join(cacheDir, 'source', 'nanodet.bin'), published.weights);
});

afterEach(() => rm(cacheDir, { recursive: true, force: true }));

describe('building the model', () => {
  test('makes the pinned file with its notice from the cache alone, and keeps it the second time', async () => {
    const first = await buildNanodet({ cacheDir }, signal);
    expect(first).toMatchObject({ built: true, sha256: nanodet.onnx.sha256 });
    expect((await readdir(cacheDir)).toSorted()).toEqual([
      'nanodet-g-person.NOTICE',
      'nanodet-g-person.int8.onnx',
      'nanodet-g-person.onnx',
      'source',
    ]);
    expect(await buildNanodet({ cacheDir }, signal)).toMatchObject({ built: false });
  });

  test('makes a damaged model anew', async () => {
    const { path } = await buildNanodet({ cacheDir }, signal);
    await writeFile(path, 'half');
    expect(await buildNanodet({ cacheDir }, signal)).toMatchObject({ built: true });
  });

  test('refuses weights that differ by one bit and leaves nothing under the model’s name', async () => {
    const changed = Uint8Array.from(published.weights);
    changed[1_000_000]! ^= 1;
    await writeFile(join(cacheDir, 'source', 'nanodet.bin'), changed);
    await expect(buildNanodet({ cacheDir }, signal)).rejects.toThrow(/SHA-256/);
    expect(await readdir(cacheDir)).toEqual(['source']);
  });

  test('refuses a graph with an operation that it does not know', () => {
    const text = new TextDecoder().decode(published.topology).replace('"LeakyRelu"', '"Elu"');
    expect(() => convertNanodet({ ...published, topology: new TextEncoder().encode(text) })).toThrow(/Elu/);
  });

  test('refuses weights that are cut short', () => {
    expect(() => convertNanodet({ ...published, weights: published.weights.subarray(0, 4_000) })).toThrow(RangeError);
  });
});
