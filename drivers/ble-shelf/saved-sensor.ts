import { z } from 'zod';
import type { Json } from '../api/reading.ts';
import type { SensorConfig } from './config.ts';
import type { MixedState } from './shelf-mixed.ts';
import type { ShelfState } from './shelf-count.ts';

/** What a sensor keeps across restarts. It is stored with the event that caused it. */
export interface SavedSensor {
  /** The articles that the counts belong to: others in kit.yaml begin anew. */
  readonly articles: string;
  readonly counter: number | null;
  readonly shelf?: Pick<ShelfState, 'count' | 'zeroGrams' | 'referenceC' | 'unknown'> | undefined;
  readonly mixed?: Pick<MixedState, 'counts' | 'baseGrams' | 'unknown'> | undefined;
}

const schema: z.ZodType<SavedSensor> = z.object({
  articles: z.string(),
  counter: z.number().nullable(),
  shelf: z
    .object({
      count: z.int().nullable(),
      zeroGrams: z.number(),
      referenceC: z.number().nullable(),
      unknown: z.boolean(),
    })
    .optional(),
  mixed: z.object({ counts: z.array(z.int()).nullable(), baseGrams: z.number(), unknown: z.boolean() }).optional(),
});

export const savedKey = (sensorId: string): string => `sensor/${sensorId}`;

/** Names what is counted, so that a changed kit.yaml does not inherit another article's count. */
export const articlesOf = (config: SensorConfig): string =>
  config.articles === undefined
    ? `${config.sku ?? ''}@${config.unitGrams ?? 'device'}`
    : config.articles.map(({ sku, unitGrams }) => `${sku}@${unitGrams}`).join(' ');

/** What was saved, or `undefined` where nothing or something else was. */
export function readSaved(value: Json | undefined): SavedSensor | undefined {
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
