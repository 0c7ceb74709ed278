import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireKnownModel } from './known-model.ts';
import { findModel } from './model-path.ts';

test('the detector is taken as it was built, and refused with one bit changed, cut short or gone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'barrow-model-'));
  try {
    await requireKnownModel(findModel());
    const whole = await readFile(findModel());
    const path = join(folder, 'model.onnx');
    const refused = expect.objectContaining({ code: 'model-unusable' });
    for (const spoil of [
      (bytes: Buffer) => {
        bytes.writeUInt8(bytes.readUInt8(4_000_000) ^ 1, 4_000_000);
        return bytes;
      },
      (bytes: Buffer) => bytes.subarray(0, -1),
      () => Buffer.alloc(0),
    ]) {
      await writeFile(path, spoil(Buffer.from(whole)));
      await expect(requireKnownModel(path)).rejects.toEqual(refused);
    }
    await rm(path);
    await expect(requireKnownModel(path)).rejects.toEqual(refused);
  } finally {
    await rm(folder, { recursive: true });
  }
});
