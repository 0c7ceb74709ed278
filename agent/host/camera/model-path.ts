import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nanodet } from '../../../models/nanodet-g/manifest.ts';
import { cameraFailure } from '../../../drivers/lib/camera-errors.ts';

/**
 * Where the detector lies: `BARROW_MODEL`, or `.cache/models` of the checkout, where `npm run models` puts it. The one in
 * 8 bits lies beside it.
 * @throws AgentError `model-missing`
 */
export function findModel(precision: 'fp32' | 'int8' = 'fp32'): string {
  const file = precision === 'int8' ? nanodet.int8.file : nanodet.onnx.file;
  const named = process.env['BARROW_MODEL'];
  if (named !== undefined && named !== '') {
    const path = precision === 'int8' ? join(dirname(named), file) : named;
    if (existsSync(path)) return path;
    throw cameraFailure('model-missing', { detail: path });
  }
  for (let dir = dirname(fileURLToPath(import.meta.url)); dirname(dir) !== dir; dir = dirname(dir)) {
    const path = join(dir, '.cache', 'models', file);
    if (existsSync(path)) return path;
  }
  throw cameraFailure('model-missing');
}
