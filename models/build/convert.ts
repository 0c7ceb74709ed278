import { FLOAT, FLOAT16, type OnnxAttribute, type OnnxModel, type OnnxNode, type OnnxTensor } from './onnx-writer.ts';
import type { TfjsGraph, TfjsNode, TfjsWeight } from './tfjs-graph.ts';

/** Which output channels of a detection head stay. */
export interface HeadCut {
  /** Output channels of a head's last convolution in the source. */
  readonly sourceChannels: number;
  /** Those that are kept, in the order wanted. */
  readonly keep: readonly number[];
  /** Names of the outputs, in the order in which the source's heads come. */
  readonly outputs: readonly string[];
}

export interface ConvertOptions {
  readonly inputName: string;
  readonly head: HeadCut;
  readonly producer: string;
  readonly metadata: Readonly<Record<string, string>>;
}

type Layout = 'nchw' | 'nhwc';

/**
 * A tensor of the source: physically always NCHW in the target, so that a Transpose between the two layouts is only a
 * change of the reading. `pads` is a Pad not yet emitted, [top, left, bottom, right].
 */
interface Value {
  readonly name: string;
  readonly layout: Layout;
  readonly pads?: readonly number[];
  /** A convolution that waits for its bias. */
  readonly conv?: { readonly node: OnnxNode; readonly outChannels: number };
}

/**
 * Turns a tfjs convolutional detector into ONNX (opset 17): Transposes vanish, Pads go into convolutions and pools,
 * biases into convolutions, weights stay fp16 (the runtime folds the Cast when it loads). Height and width are
 * symbolic, so one file serves every input size that the strides divide.
 * @throws TypeError on an operation or attribute that it does not know: a partly understood graph is no model
 */
export function convertDetector(graph: TfjsGraph, options: ConvertOptions): OnnxModel {
  return new Conversion(graph, options).run();
}

class Conversion {
  private readonly graph: TfjsGraph;
  private readonly options: ConvertOptions;
  private readonly values = new Map<string, Value>();
  private readonly nodes: OnnxNode[] = [];
  private readonly initializers: OnnxTensor[] = [];
  private readonly outputs: { readonly from: string; readonly to: string }[] = [];
  private count = 0;

  constructor(graph: TfjsGraph, options: ConvertOptions) {
    this.graph = graph;
    this.options = options;
  }

  run(): OnnxModel {
    for (const node of this.graph.nodes) this.convert(node);
    if (this.outputs.length !== this.options.head.outputs.length)
      throw new TypeError(`${this.outputs.length} heads found, ${this.options.head.outputs.length} wanted`);
    const rename = new Map(this.outputs.map(({ from, to }) => [from, to]));
    const renamed = (name: string): string => rename.get(name) ?? name;
    return {
      opset: 17,
      graphName: 'detector',
      producer: this.options.producer,
      metadata: this.options.metadata,
      nodes: this.nodes.map((node) => ({ ...node, outputs: node.outputs.map(renamed) })),
      initializers: this.initializers,
      inputs: [{ name: this.options.inputName, type: FLOAT, dims: [1, 3, 'height', 'width'] }],
      outputs: this.outputs.map(({ to }) => ({
        name: to,
        type: FLOAT,
        dims: [1, this.options.head.keep.length, `${to}_height`, `${to}_width`],
      })),
    };
  }

  private convert(node: TfjsNode): void {
    switch (node.op) {
      case 'Const':
        return;
      case 'Placeholder':
        this.values.set(node.name, { name: this.options.inputName, layout: 'nchw' });
        return;
      case 'Transpose':
        return this.transpose(node);
      case 'Pad':
      case 'PadV2':
        return this.pad(node);
      case 'Conv2D':
        return this.convolution(node);
      case 'Add':
        return this.add(node);
      case 'LeakyRelu':
        return this.emit(node, 'LeakyRelu', [attributeFloat('alpha', node.floats['alpha'])]);
      case 'MaxPool':
        return this.maxPool(node);
      case 'ConcatV2':
        return this.concat(node);
      case 'ResizeBilinear':
        return this.resize(node);
      case 'SplitV':
        return this.head(node);
      case 'Sigmoid':
      case 'Reshape':
      case 'Identity':
      case 'SparseToDense':
      case 'AddV2':
        // All that follows a head's split only reshapes and squashes it: done by the decoder, for the cells that matter.
        return;
      default:
        throw new TypeError(`operation ${node.op} of ${node.name} is unknown`);
    }
  }

  private transpose(node: TfjsNode): void {
    const source = this.values.get(node.inputs[0] ?? '');
    if (source === undefined) return; // behind a head
    const perm = this.ints(node.inputs[1]).join();
    const wanted: Layout | undefined = perm === '0,2,3,1' ? 'nhwc' : perm === '0,3,1,2' ? 'nchw' : undefined;
    if (wanted === undefined || wanted === source.layout) throw new TypeError(`${node.name} permutes by ${perm}`);
    this.values.set(node.name, { ...source, layout: wanted });
  }

  private pad(node: TfjsNode): void {
    const source = this.value(node, 0);
    const pads = this.ints(node.inputs[1]);
    const [h, w] = source.layout === 'nchw' ? [4, 6] : [2, 4];
    const sides = [pads[h], pads[w], pads[h + 1], pads[w + 1]].map((side) => side ?? 0);
    if (sides.reduce((sum, side) => sum + side, 0) !== pads.reduce((sum, side) => sum + side, 0))
      throw new TypeError(`${node.name} pads batch or channels`);
    this.values.set(node.name, { ...source, pads: sides });
  }

  private convolution(node: TfjsNode): void {
    const source = this.value(node, 0);
    const weight = this.weight(node.inputs[1]);
    const [kh = 1, kw = 1, , outChannels = 0] = weight.shape;
    if (node.strings['padding'] !== 'VALID' || source.layout !== 'nhwc') throw new TypeError(`${node.name} is padded`);
    const cut = outChannels === this.options.head.sourceChannels ? this.options.head.keep : undefined;
    const kernel = this.fp16(toOihw(weight, cut));
    this.values.set(node.name, {
      name: '',
      layout: 'nhwc',
      conv: {
        outChannels,
        node: {
          op: 'Conv',
          inputs: [source.name, kernel],
          outputs: [this.fresh()],
          attributes: [
            { name: 'kernel_shape', kind: 'ints', value: [kh, kw] },
            { name: 'strides', kind: 'ints', value: strides(node) },
            { name: 'pads', kind: 'ints', value: source.pads ?? [0, 0, 0, 0] },
            { name: 'dilations', kind: 'ints', value: (node.ints['dilations'] ?? [1, 1, 1, 1]).slice(1, 3) },
          ],
        },
      },
    });
  }

  private add(node: TfjsNode): void {
    const left = this.value(node, 0);
    if (left.conv === undefined) {
      const right = this.value(node, 1);
      if (left.layout !== right.layout) throw new TypeError(`${node.name} adds two layouts`);
      const sum = this.fresh();
      this.nodes.push({ op: 'Add', inputs: [left.name, right.name], outputs: [sum] });
      this.values.set(node.name, { name: sum, layout: left.layout });
      return;
    }
    const bias = this.weight(node.inputs[1]);
    const cut = left.conv.outChannels === this.options.head.sourceChannels ? this.options.head.keep : undefined;
    const kept = cut === undefined ? bias : { ...bias, shape: [cut.length], bytes: pick16(bias.bytes, cut) };
    this.nodes.push({ ...left.conv.node, inputs: [...left.conv.node.inputs, this.fp16(kept)] });
    this.values.set(node.name, { name: left.conv.node.outputs[0] ?? '', layout: left.layout });
  }

  private maxPool(node: TfjsNode): void {
    // The source pads with −∞ and pools unpadded, which is what a padded MaxPool means in ONNX.
    const source = this.value(node, 0);
    this.emit(node, 'MaxPool', [
      { name: 'kernel_shape', kind: 'ints', value: (node.ints['ksize'] ?? []).slice(1, 3) },
      { name: 'strides', kind: 'ints', value: strides(node) },
      { name: 'pads', kind: 'ints', value: source.pads ?? [0, 0, 0, 0] },
    ]);
  }

  private concat(node: TfjsNode): void {
    const parts = node.inputs.slice(0, -1).map((_, at) => this.value(node, at));
    const axis = this.ints(node.inputs.at(-1))[0];
    if (parts.some((part) => part.layout !== 'nchw') || axis !== 1) throw new TypeError(`${node.name}: axis ${axis}`);
    const name = this.fresh();
    this.nodes.push({
      op: 'Concat',
      inputs: parts.map((part) => part.name),
      outputs: [name],
      attributes: [{ name: 'axis', kind: 'int', value: 1 }],
    });
    this.values.set(node.name, { name, layout: 'nchw' });
  }

  /**
   * The source names target sizes for its own input; as factors they hold for every size. Halving with half-pixel
   * centres samples exactly between four pixels: it is the mean of 2×2, which runs in the runtime's blocked layout.
   */
  private resize(node: TfjsNode): void {
    if (node.flags['half_pixel_centers'] !== true) throw new TypeError(`${node.name} has corner centres`);
    const target = this.ints(node.inputs[1])[0] ?? 0;
    const factor = target / this.sourceSize(node);
    if (factor === 0.5)
      return this.emit(node, 'AveragePool', [
        { name: 'kernel_shape', kind: 'ints', value: [2, 2] },
        { name: 'strides', kind: 'ints', value: [2, 2] },
      ]);
    if (factor !== 2) throw new TypeError(`${node.name} scales by ${factor}`);
    const source = this.value(node, 0);
    const scales = this.constant(FLOAT, [4], new Uint8Array(Float32Array.of(1, 1, 2, 2).buffer));
    const name = this.fresh();
    this.nodes.push({
      op: 'Resize',
      inputs: [source.name, '', scales],
      outputs: [name],
      attributes: [
        { name: 'mode', kind: 'string', value: 'linear' },
        { name: 'coordinate_transformation_mode', kind: 'string', value: 'half_pixel' },
      ],
    });
    this.values.set(node.name, { name, layout: source.layout });
    this.sizes.set(name, target);
  }

  /** Side of the feature map that a resize reads, in the source's own input size. */
  private sourceSize(node: TfjsNode): number {
    const source = this.value(node, 0).name;
    return this.sizes.get(source) ?? this.sizeOf(source);
  }

  private readonly sizes = new Map<string, number>();

  private sizeOf(name: string): number {
    const known = this.sizes.get(name);
    if (known !== undefined) return known;
    if (name === this.options.inputName) return SOURCE_SIDE;
    const node = this.nodes.find((candidate) => candidate.outputs.includes(name));
    if (node === undefined) throw new TypeError(`${name} comes from nowhere`);
    const stride = node.attributes?.find((entry) => entry.name === 'strides');
    const step = stride?.kind === 'ints' ? (stride.value[0] ?? 1) : 1;
    const size = Math.ceil(this.sizeOf(node.inputs[0] ?? '') / step);
    this.sizes.set(name, size);
    return size;
  }

  private head(node: TfjsNode): void {
    const to = this.options.head.outputs[this.outputs.length];
    if (to === undefined) throw new TypeError('more heads than names');
    this.outputs.push({ from: this.value(node, 0).name, to });
  }

  private emit(node: TfjsNode, op: string, attributes: readonly OnnxAttribute[]): void {
    const source = this.value(node, 0);
    const name = this.fresh();
    this.nodes.push({ op, inputs: [source.name], outputs: [name], attributes });
    this.values.set(node.name, { name, layout: source.layout });
  }

  private fp16(weight: TfjsWeight): string {
    if (weight.dtype !== 'float16') throw new TypeError(`a weight is ${weight.dtype}`);
    const half = this.constant(FLOAT16, weight.shape, weight.bytes);
    const name = this.fresh();
    this.nodes.push({
      op: 'Cast',
      inputs: [half],
      outputs: [name],
      attributes: [{ name: 'to', kind: 'int', value: FLOAT }],
    });
    return name;
  }

  private constant(type: number, dims: readonly number[], raw: Uint8Array): string {
    const name = this.fresh();
    this.initializers.push({ name, type, dims, raw });
    return name;
  }

  private fresh(): string {
    this.count += 1;
    return `t${this.count}`;
  }

  private value(node: TfjsNode, at: number): Value {
    const found = this.values.get(node.inputs[at] ?? '');
    if (found === undefined) throw new TypeError(`${node.name} reads ${node.inputs[at]}, which is not there`);
    return found;
  }

  private weight(name: string | undefined): TfjsWeight {
    const found = this.graph.weights.get(name ?? '');
    if (found === undefined) throw new TypeError(`weight ${name} is not there`);
    return found;
  }

  private ints(name: string | undefined): readonly number[] {
    const { bytes, dtype } = this.weight(name);
    if (dtype !== 'int32') throw new TypeError(`${name} is ${dtype}`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: bytes.byteLength / 4 }, (_, at) => view.getInt32(at * 4, true));
  }
}

/** Side of the square input that the source's constants were frozen for. */
const SOURCE_SIDE = 416;

function strides(node: TfjsNode): readonly number[] {
  return (node.ints['strides'] ?? [1, 1, 1, 1]).slice(1, 3);
}

function attributeFloat(name: string, value: number | undefined): OnnxAttribute {
  if (value === undefined) throw new TypeError(`attribute ${name} is missing`);
  return { name, kind: 'float', value };
}

/** Height, width, in, out → out, in, height, width; only the kept output channels. */
function toOihw(weight: TfjsWeight, keep?: readonly number[]): TfjsWeight {
  const [height = 1, width = 1, inputs = 1, outputs = 1] = weight.shape;
  const kept = keep ?? Array.from({ length: outputs }, (_, at) => at);
  const from = new DataView(weight.bytes.buffer, weight.bytes.byteOffset, weight.bytes.byteLength);
  const bytes = new Uint8Array(2 * kept.length * inputs * height * width);
  const to = new DataView(bytes.buffer);
  let at = 0;
  for (const out of kept)
    for (let input = 0; input < inputs; input += 1)
      for (let y = 0; y < height; y += 1)
        for (let x = 0; x < width; x += 1, at += 2)
          to.setUint16(at, from.getUint16(2 * (((y * width + x) * inputs + input) * outputs + out), true), true);
  return { dtype: weight.dtype, shape: [kept.length, inputs, height, width], bytes };
}

function pick16(bytes: Uint8Array, keep: readonly number[]): Uint8Array {
  const out = new Uint8Array(2 * keep.length);
  keep.forEach((index, at) => out.set(bytes.subarray(2 * index, 2 * index + 2), 2 * at));
  return out;
}
