import { z } from 'zod';

/** A weight of a tfjs graph model, bytes as stored. */
export interface TfjsWeight {
  readonly shape: readonly number[];
  readonly dtype: 'float16' | 'float32' | 'int32';
  readonly bytes: Uint8Array;
}

export interface TfjsNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  /** Integer lists by attribute name, e.g. `strides`. */
  readonly ints: Readonly<Record<string, readonly number[]>>;
  readonly floats: Readonly<Record<string, number>>;
  /** Decoded text by attribute name, e.g. `padding`. */
  readonly strings: Readonly<Record<string, string>>;
  readonly flags: Readonly<Record<string, boolean>>;
}

/** A tfjs graph model in the order of its file; nodes come after what they need. */
export interface TfjsGraph {
  readonly nodes: readonly TfjsNode[];
  readonly weights: ReadonlyMap<string, TfjsWeight>;
}

const attribute = z.object({
  list: z.object({ i: z.array(z.string()).optional() }).optional(),
  f: z.number().optional(),
  s: z.string().optional(),
  b: z.boolean().optional(),
});

const modelJson = z.object({
  format: z.literal('graph-model'),
  modelTopology: z.object({
    node: z.array(
      z.object({
        name: z.string(),
        op: z.string(),
        input: z.array(z.string()).optional(),
        attr: z.record(z.string(), attribute).optional(),
      }),
    ),
  }),
  weightsManifest: z
    .array(
      z.object({
        weights: z.array(
          z.object({
            name: z.string(),
            shape: z.array(z.number().int()),
            dtype: z.enum(['float32', 'int32']),
            quantization: z.object({ dtype: z.literal('float16') }).optional(),
          }),
        ),
      }),
    )
    .length(1),
});

/**
 * Reads a tfjs graph model (`model.json` and its one weights file).
 * @throws when the JSON has another shape or the weights do not use up the binary exactly
 * @see https://github.com/tensorflow/tfjs/blob/master/tfjs-core/src/io/types.ts
 */
export function readTfjsGraph(json: string, binary: Uint8Array): TfjsGraph {
  const model = modelJson.parse(JSON.parse(json));
  const weights = new Map<string, TfjsWeight>();
  let at = 0;
  for (const entry of model.weightsManifest[0]?.weights ?? []) {
    const dtype = entry.quantization?.dtype ?? entry.dtype;
    const count = entry.shape.reduce((product, dim) => product * dim, 1);
    const length = count * (dtype === 'float16' ? 2 : 4);
    weights.set(entry.name, { shape: entry.shape, dtype, bytes: binary.subarray(at, at + length) });
    at += length;
  }
  if (at !== binary.length) throw new RangeError(`the weights end at ${at}, the file at ${binary.length}`);
  return { nodes: model.modelTopology.node.map(readNode), weights };
}

function readNode(raw: z.infer<typeof modelJson>['modelTopology']['node'][number]): TfjsNode {
  const ints: Record<string, readonly number[]> = {};
  const floats: Record<string, number> = {};
  const strings: Record<string, string> = {};
  const flags: Record<string, boolean> = {};
  for (const [name, value] of Object.entries(raw.attr ?? {})) {
    if (value.list?.i !== undefined) ints[name] = value.list.i.map(Number);
    if (value.f !== undefined) floats[name] = value.f;
    if (value.s !== undefined) strings[name] = Buffer.from(value.s, 'base64').toString('latin1');
    if (value.b !== undefined) flags[name] = value.b;
  }
  return { name: raw.name, op: raw.op, inputs: raw.input ?? [], ints, floats, strings, flags };
}
