import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nanodet } from '../../../models/nanodet-g/manifest.ts';
import { cameraFailure } from '../../../drivers/lib/camera-errors.ts';

/**
 * Where the detector lies: `BARROW_MODEL`, or `.cache/models` of the checkout, where `npm run models` puts it.
 * @throws AgentError `model-missing`
 */
export function findModel(): string {
  const named = process.env['BARROW_MODEL'];
  if (named !== undefined && named !== '') {
    if (existsSync(named)) return named;
    throw cameraFailure('model-missing', { detail: named });
  }
  for (let dir = dirname(fileURLToPath(import.meta.url)); dirname(dir) !== dir; dir = dirname(dir)) {
    const path = join(dir, '.cache', 'models', nanodet.onnx.file);
    if (existsSync(path)) return path;
  }
  throw cameraFailure('model-missing');
}
