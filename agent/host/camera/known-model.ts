import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { cameraFailure } from '../../../drivers/lib/camera-errors.ts';
import { nanodet } from '../../../models/nanodet-g/manifest.ts';

const known: ReadonlySet<string> = new Set([nanodet.onnx.sha256, nanodet.int8.sha256]);

/**
 * Refuses a detector that is not, to the bit, the one that was measured: a card's flipped bit in the weights loads without
 * complaint and counts wrongly.
 * @throws AgentError `model-unusable`
 */
export async function requireKnownModel(path: string): Promise<void> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  } catch (cause) {
    throw cameraFailure('model-unusable', { detail: path, cause });
  }
  if (!known.has(hash.digest('hex')))
    throw cameraFailure('model-unusable', { detail: `${path} is damaged or another` });
}
