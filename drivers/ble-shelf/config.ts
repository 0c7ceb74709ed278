import { z } from 'zod';
import { secretRef, type SecretRef } from '../api/secret.ts';
import type { RadioOptions } from '../api/transports.ts';
import { ADVERT_FORMATS, type AdvertFormat } from './payloads.ts';
import { MIXED_ARTICLES, type MixedArticle } from './shelf-mixed.ts';

/** Formats of a configured sensor: those that advertise, and two that are connected to. */
export type SensorFormat = AdvertFormat | 'weight-scale' | 'environmental';

export interface SensorConfig {
  readonly id: string;
  /** Upper case with colons. */
  readonly address: string;
  readonly format: SensorFormat;
  readonly key?: SecretRef | undefined;
  readonly sku?: string | undefined;
  readonly unitGrams?: number | undefined;
  /** Several articles on one scale, instead of `sku` and `unitGrams`. */
  readonly articles?: readonly MixedArticle[] | undefined;
  readonly emptyGrams?: number | undefined;
  /** Steps in which the sensor reports weight; its format's resolution when absent. */
  readonly quantumGrams?: number | undefined;
  readonly noiseGrams?: number | undefined;
  readonly gramsPerDegree?: number | undefined;
  /** Silence after which the sensor counts as silent; from its own cadence when absent. */
  readonly silentAfterMs?: number | undefined;
}

export interface BleShelfConfig {
  readonly radio: RadioOptions;
  readonly sensors: readonly SensorConfig[];
}

/** Sensors of one radio; 500 at one advert a second are what is measured. */
export const SENSORS_MAX = 1_000;

const library = z.enum(['abandonware', 'stoprocent']).optional();
const radio: z.ZodType<RadioOptions> = z.union([
  z.strictObject({ kind: z.literal('hci'), adapter: z.int().min(0).max(15), library }),
  z.strictObject({ kind: z.literal('hci-socket'), path: z.string().min(1), library }),
  z.strictObject({
    kind: z.literal('hci-socket'),
    host: z.string().min(1),
    port: z.int().min(1).max(65_535),
    library,
  }),
]) as z.ZodType<RadioOptions>;

const id = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, dot, dash and underscore, at most 64');
const grams = z.number().min(0).max(1_000_000);
const unitGrams = z.number().min(0.1).max(1_000_000);

const sensor: z.ZodType<SensorConfig> = z
  .strictObject({
    id,
    address: z
      .string()
      .regex(/^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$/, 'six hexadecimal bytes with colons')
      .transform((text) => text.toUpperCase()),
    format: z.enum([...ADVERT_FORMATS, 'weight-scale', 'environmental']),
    key: secretRef.optional(),
    sku: id.optional(),
    unitGrams: unitGrams.optional(),
    articles: z
      .array(z.strictObject({ sku: id, unitGrams }))
      .min(2)
      .max(MIXED_ARTICLES)
      .optional(),
    emptyGrams: grams.optional(),
    quantumGrams: z.number().min(0.01).max(10_000).optional(),
    noiseGrams: z.number().min(0).max(10_000).optional(),
    gramsPerDegree: z.number().min(-1_000).max(1_000).optional(),
    silentAfterMs: z.int().min(1_000).max(86_400_000).optional(),
  })
  .superRefine((value, context) => {
    if (value.key !== undefined && value.format !== 'bthome')
      context.addIssue({ code: 'custom', path: ['key'], message: 'only bthome sensors have a key' });
    if (value.articles !== undefined && (value.sku !== undefined || value.unitGrams !== undefined))
      context.addIssue({ code: 'custom', path: ['articles'], message: 'give either articles or sku and unitGrams' });
    if (value.unitGrams !== undefined && value.sku === undefined)
      context.addIssue({ code: 'custom', path: ['unitGrams'], message: 'unitGrams needs a sku' });
  });

export const config: z.ZodType<BleShelfConfig> = z
  .strictObject({ radio, sensors: z.array(sensor).max(SENSORS_MAX) })
  .superRefine((value, context) => {
    const ids = new Set<string>();
    const addresses = new Set<string>();
    for (const [index, entry] of value.sensors.entries()) {
      if (ids.has(entry.id))
        context.addIssue({ code: 'custom', path: ['sensors', index, 'id'], message: 'two sensors have this id' });
      if (addresses.has(entry.address))
        context.addIssue({
          code: 'custom',
          path: ['sensors', index, 'address'],
          message: 'two sensors have this address',
        });
      ids.add(entry.id);
      addresses.add(entry.address);
    }
  });
