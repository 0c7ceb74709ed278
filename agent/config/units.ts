import { z } from 'zod';

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
};
const DURATION_UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3 };

/** A size such as `256MiB`, in bytes once parsed. A bare number is bytes. */
export const sizeBytes: z.ZodType<number, number | string> = z
  .union([
    z.number().int().nonnegative(),
    z.string().regex(/^\d+(\.\d+)?\s*(B|KiB|MiB|GiB|kB|MB|GB)?$/, 'a size such as 256MiB'),
  ])
  .transform((value) => {
    if (typeof value === 'number') return value;
    const [, digits = '0', , unit = ''] = /^(\d+(\.\d+)?)\s*([A-Za-z]*)$/.exec(value) ?? [];
    return Math.floor(Number(digits) * (SIZE_UNITS[unit] ?? 1));
  });

/** A duration such as `72h`, in milliseconds once parsed. */
export const durationMs: z.ZodType<number, string> = z
  .string()
  .regex(/^\d+(\.\d+)?\s*(ms|s|m|h|d)$/, 'a duration such as 72h, 30m or 15s')
  .transform((value) => {
    const [, digits = '0', , unit = 'ms'] = /^(\d+(\.\d+)?)\s*([a-z]+)$/.exec(value) ?? [];
    return Math.floor(Number(digits) * (DURATION_UNITS_MS[unit] ?? 1));
  });
