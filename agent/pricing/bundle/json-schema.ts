import { z } from 'zod';
import type { JsonObject } from '../../../drivers/api/reading.ts';
import { publishedBundleSchema } from './schema.ts';

/** The rule format as JSON Schema, for editors and other programs. */
export function bundleJsonSchema(): JsonObject {
  return z.toJSONSchema(publishedBundleSchema, { io: 'input', unrepresentable: 'any' }) as JsonObject;
}
