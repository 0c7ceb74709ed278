import { z } from 'zod';
import type { CameraSource } from '../api/transports.ts';

type Pair = readonly [number, number];

/** The driver's part of kit.yaml. */
export interface CameraCounterConfig {
  readonly source: CameraSource;
  /** Frames looked at per second. Five is right for walkers at a door; three is the floor. */
  readonly fps: number;
  /** Lines that are counted, in pixels of the source; `in` is from the left to the right hand of one who looks from `from` to `to`. */
  readonly lines: readonly { readonly id: string; readonly from: Pair; readonly to: Pair }[];
  /** Areas whose occupancy and dwell times are told. */
  readonly zones: readonly { readonly id: string; readonly corners: readonly Pair[] }[];
  /** Polygons where nobody is counted. */
  readonly masks: readonly (readonly Pair[])[];
  /** `each`: every crossing at once; `net`: one per person, when he has gone. */
  readonly count: 'each' | 'net';
  /** What the picture, or the part around lines and zones, is scaled to, multiples of 32; by its shape when absent. */
  readonly input?: { readonly width: number; readonly height: number } | undefined;
  readonly threads: number;
  /** Arithmetic of the detector: `int8` takes about three fifths of the time on x86, and finds a little less. */
  readonly precision: 'fp32' | 'int8';
  /** Of the camera's process, 0 … 19: the till comes first. */
  readonly niceness: number;
}

const address = (...protocols: readonly string[]): z.ZodType<string> =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    message: `must be an address that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });

const source: z.ZodType<CameraSource> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('mjpeg'), url: address('http:', 'https:') }),
  z.strictObject({ kind: z.literal('snapshot'), url: address('http:', 'https:') }),
  z.strictObject({ kind: z.literal('rtsp'), url: address('rtsp:', 'rtsps:') }),
  z.strictObject({ kind: z.literal('v4l2'), device: z.string().startsWith('/') }),
  z.strictObject({ kind: z.literal('file'), path: z.string().min(1) }),
  z.strictObject({ kind: z.literal('command'), command: z.array(z.string()).min(1).max(64) }),
]);

const coordinate = z.number().min(0).max(16_384);
const pair = z.tuple([coordinate, coordinate]);

const id = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
const corners = z.array(pair).min(3).max(64);

const distinct = (things: readonly { readonly id: string }[]): boolean =>
  new Set(things.map((thing) => thing.id)).size === things.length;

const line = z
  .strictObject({ id, from: pair, to: pair })
  .refine(({ from, to }) => from[0] !== to[0] || from[1] !== to[1], { message: 'the line has no length' });

const side = z.int().min(64).max(1280).multipleOf(32);

export const cameraCounterConfig: z.ZodType<CameraCounterConfig> = z.strictObject({
  source,
  fps: z.number().min(0.2).max(60).default(5),
  lines: z.array(line).min(1).max(32).refine(distinct, { message: 'two lines share an id' }),
  zones: z
    .array(z.strictObject({ id, corners }))
    .max(32)
    .refine(distinct, { message: 'two zones share an id' })
    .default([]),
  masks: z.array(corners).max(32).default([]),
  count: z.enum(['each', 'net']).default('each'),
  input: z.strictObject({ width: side, height: side }).optional(),
  threads: z.int().min(1).max(8).default(1),
  precision: z.enum(['fp32', 'int8']).default('fp32'),
  niceness: z.int().min(0).max(19).default(10),
});
