import {
  FLOAT,
  FLOAT16,
  INT32,
  INT8,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  UINT8,
} from './onnx-writer.ts';

/** Least and largest value of each tensor that an operation reads or writes, by its name. */
export type Ranges = Readonly<Record<string, readonly [number, number]>>;

/**
 * Weights take 7 of 8 bits: on x86 without VNNI the runtime adds two products in 16 bits, which 8 would overflow.
 * Measured with AVX2: AP50 .896 with 7 bits, .884 with 8.
 * @see https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html when to reduce the range
 */
const WEIGHT_LIMIT = 63;

/** They compute nothing outside their input's range: the same scale on both sides saves a step. */
const SAME_SCALE: ReadonlySet<string> = new Set(['MaxPool', 'AveragePool', 'Resize']);

const ALONG_OUTPUTS: readonly OnnxAttribute[] = [{ name: 'axis', kind: 'int', value: 0 }];

interface Scale {
  readonly scale: number;
  readonly zero: number;
}

/**
 * A model whose convolutions, activations and sums run in 8 bits: between any two operations a QuantizeLinear and a
 * DequantizeLinear, which the runtime fuses away. Weights int8 by output channel, activations uint8 by tensor.
 * @throws TypeError when a range or a weight is missing
 */
export function quantize(model: OnnxModel, ranges: Ranges): OnnxModel {
  return new Quantization(model, ranges).run();
}

/** The tensors whose ranges {@link quantize} asks for. */
export function calibrated(model: OnnxModel): readonly string[] {
  const computed = model.nodes.filter((node) => node.op !== 'Cast').flatMap((node) => node.outputs);
  return [...model.inputs.map((input) => input.name), ...computed];
}

class Quantization {
  private readonly model: OnnxModel;
  private readonly ranges: Ranges;
  private readonly weights: ReadonlyMap<string, OnnxTensor>;
  private readonly scales = new Map<string, Scale>();
  private readonly nodes: OnnxNode[] = [];
  private readonly initializers: OnnxTensor[];
  private readonly done = new Set<string>();

  constructor(model: OnnxModel, ranges: Ranges) {
    this.model = model;
    this.ranges = ranges;
    const casts = model.nodes.filter((node) => node.op === 'Cast');
    const halves = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
    this.weights = new Map(
      casts.flatMap((cast) => {
        const half = halves.get(cast.inputs[0] ?? '');
        return half?.type === FLOAT16 ? [[cast.outputs[0] ?? '', half] as const] : [];
      }),
    );
    const widened = new Set([...this.weights.values()].map((tensor) => tensor.name));
    this.initializers = model.initializers.filter((tensor) => !widened.has(tensor.name));
  }

  run(): OnnxModel {
    for (const { name } of this.model.inputs) this.scales.set(name, this.scaleOf(name));
    for (const node of this.model.nodes) {
      if (node.op === 'Cast') continue;
      const [input = ''] = node.inputs;
      const output = node.outputs[0] ?? '';
      this.scales.set(output, SAME_SCALE.has(node.op) ? this.scale(input) : this.scaleOf(output));
      if (node.op === 'Conv') this.convolution(node);
      // What is no activation (a Resize's factors, an input left out) stays as it is.
      else
        this.operation({
          ...node,
          inputs: node.inputs.map((name) => (this.scales.has(name) ? this.pass(name) : name)),
        });
    }
    return { ...this.model, nodes: this.nodes, initializers: this.initializers };
  }

  private convolution(node: OnnxNode): void {
    const [input = '', weightName = '', biasName = ''] = node.inputs;
    const [weight, bias] = [this.weight(weightName), this.weight(biasName)];
    const outputs = bias.values.length;
    const size = weight.values.length / outputs;
    const whole = new Int8Array(weight.values.length);
    const offsets = new Int32Array(outputs);
    const scales = new Float32Array(outputs);
    const inputScale = this.scale(input).scale;
    for (let output = 0; output < outputs; output += 1) {
      const row = weight.values.subarray(output * size, (output + 1) * size);
      const scale = row.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6) / WEIGHT_LIMIT;
      scales[output] = scale;
      row.forEach((value, at) => (whole[output * size + at] = Math.round(value / scale)));
      offsets[output] = Math.round((bias.values[output] ?? 0) / (inputScale * scale));
    }
    const kernel = this.constant(weightName, { type: INT8, dims: weight.dims, values: whole }, scales);
    const offset = this.constant(
      biasName,
      { type: INT32, dims: [outputs], values: offsets },
      scales.map((scale) => scale * inputScale),
    );
    this.operation({ ...node, inputs: [this.pass(input), kernel, offset] });
  }

  /** A graph's output keeps its name behind the last DequantizeLinear. */
  private operation(node: OnnxNode): void {
    const [output = ''] = node.outputs;
    if (!this.model.outputs.some(({ name }) => name === output)) {
      this.nodes.push(node);
      return;
    }
    const inner = `${output}_float`;
    this.scales.set(inner, this.scale(output));
    this.nodes.push({ ...node, outputs: [inner] });
    this.pass(inner, output);
  }

  /** Takes an activation through 8 bits, once however many read it; the name behind. */
  private pass(name: string, behind: string = `${name}_passed`): string {
    if (this.done.has(name)) return behind;
    this.done.add(name);
    const { scale, zero } = this.scale(name);
    const factors = [
      this.tensor(`${name}_scale`, FLOAT, [], Float32Array.of(scale)),
      this.tensor(`${name}_zero`, UINT8, [], Uint8Array.of(zero)),
    ];
    this.nodes.push(
      { op: 'QuantizeLinear', inputs: [name, ...factors], outputs: [`${name}_whole`] },
      { op: 'DequantizeLinear', inputs: [`${name}_whole`, ...factors], outputs: [behind] },
    );
    return behind;
  }

  private constant(
    name: string,
    whole: { readonly type: number; readonly dims: readonly number[]; readonly values: Int8Array | Int32Array },
    scales: Float32Array,
  ): string {
    const zeros = whole.values instanceof Int8Array ? new Int8Array(scales.length) : new Int32Array(scales.length);
    const inputs = [
      this.tensor(`${name}_whole`, whole.type, whole.dims, whole.values),
      this.tensor(`${name}_scale`, FLOAT, [scales.length], scales),
      this.tensor(`${name}_zero`, whole.type, [scales.length], zeros),
    ];
    this.nodes.push({ op: 'DequantizeLinear', inputs, outputs: [`${name}_passed`], attributes: ALONG_OUTPUTS });
    return `${name}_passed`;
  }

  private tensor(name: string, type: number, dims: readonly number[], values: ArrayBufferView): string {
    const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.initializers.push({ name, type, dims, raw });
    return name;
  }

  private scaleOf(name: string): Scale {
    const range = this.ranges[name];
    if (range === undefined) throw new TypeError(`no range for ${name}`);
    // Zero must be a level of its own: paddings are zero.
    const [least, most] = [Math.min(0, range[0]), Math.max(0, range[1])];
    const scale = Math.max(most - least, 1e-6) / 255;
    return { scale, zero: Math.round(-least / scale) };
  }

  private scale(name: string): Scale {
    const found = this.scales.get(name);
    if (found === undefined) throw new TypeError(`${name} comes from nowhere`);
    return found;
  }

  private weight(name: string): { readonly dims: readonly number[]; readonly values: Float32Array } {
    const found = this.weights.get(name);
    if (found === undefined) throw new TypeError(`weight ${name} is not there`);
    const view = new DataView(found.raw.buffer, found.raw.byteOffset, found.raw.byteLength);
    const values = Float32Array.from({ length: found.raw.byteLength / 2 }, (_, at) =>
      half(view.getUint16(2 * at, true)),
    );
    return { dims: found.dims, values };
  }
}

/** IEEE 754 binary16. */
function half(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) throw new RangeError('a weight is not finite');
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
