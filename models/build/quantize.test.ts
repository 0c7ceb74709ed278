import { describe, expect, test } from 'vitest';
import { FLOAT, FLOAT16, INT32, INT8, type OnnxModel, type OnnxTensor } from './onnx-writer.ts';
import { calibrated, quantize } from './quantize.ts';

/** Half-precision 1, −2, 0.5 and the smallest subnormal. */
const [one, minusTwo, half, tiny] = [0x3c00, 0xc000, 0x3800, 0x0001] as const;

const halves = (name: string, dims: readonly number[], values: readonly number[]): OnnxTensor => ({
  name,
  type: FLOAT16,
  dims,
  raw: new Uint8Array(Uint16Array.from(values).buffer),
});

const cast = (from: string, to: string): OnnxModel['nodes'][number] => ({ op: 'Cast', inputs: [from], outputs: [to] });

/** Two outputs of two inputs by a 1×1 convolution, doubled in size, and read as the graph's output. */
const model: OnnxModel = {
  opset: 17,
  graphName: 'g',
  producer: 'p',
  metadata: {},
  nodes: [
    cast('w16', 'w'),
    cast('b16', 'b'),
    { op: 'Conv', inputs: ['image', 'w', 'b'], outputs: ['seen'] },
    { op: 'Resize', inputs: ['seen', '', 'factors'], outputs: ['large'] },
    { op: 'Add', inputs: ['large', 'large'], outputs: ['cells'] },
  ],
  initializers: [
    halves('w16', [2, 2, 1, 1], [one, minusTwo, half, tiny]),
    halves('b16', [2], [one, minusTwo]),
    { name: 'factors', type: FLOAT, dims: [4], raw: new Uint8Array(16) },
  ],
  inputs: [{ name: 'image', type: FLOAT, dims: [1, 2, 'h', 'w'] }],
  outputs: [{ name: 'cells', type: FLOAT, dims: [1, 2, 'h2', 'w2'] }],
};

const ranges = { image: [-1, 1.55], seen: [0.5, 5.1], large: [-9, 9], cells: [0, 10.2] } as const;

const small = quantize(model, ranges);

function values(name: string): readonly number[] {
  const found = small.initializers.find((tensor) => tensor.name === name)!;
  const copy = Uint8Array.from(found.raw).buffer;
  if (found.type === FLOAT) return [...new Float32Array(copy)];
  if (found.type === INT32) return [...new Int32Array(copy)];
  return found.type === INT8 ? [...new Int8Array(copy)] : [...new Uint8Array(copy)];
}

describe('an eight-bit network', () => {
  test('holds each output channel’s weights in seven bits of its own scale', () => {
    expect(values('w_whole')).toEqual([32, -63, 63, 0]);
    expect(values('w_scale').map((scale) => scale * 63)).toEqual([expect.closeTo(2, 5), expect.closeTo(0.5, 5)]);
  });

  test('adds biases in the units of input times weight', () => {
    const [first = 0, second = 0] = values('b_whole');
    const [firstScale = 0, secondScale = 0] = values('b_scale');
    expect(first * firstScale).toBeCloseTo(1, 3);
    expect(second * secondScale).toBeCloseTo(-2, 3);
    expect(firstScale).toBeCloseTo((values('image_scale')[0] ?? 0) * (values('w_scale')[0] ?? 0), 9);
  });

  test('has a level for zero, also where no value was seen', () => {
    expect(values('image_zero')).toEqual([100]);
    expect(values('seen_zero')).toEqual([0]);
    expect(values('seen_scale')[0]).toBeCloseTo(5.1 / 255, 6);
  });

  test('keeps one scale around what computes nothing new, and leaves its factors alone', () => {
    expect(values('large_scale')).toEqual(values('seen_scale'));
    expect(small.nodes.find(({ op }) => op === 'Resize')?.inputs).toEqual(['seen_passed', '', 'factors']);
  });

  test('passes each value through eight bits once and gives the output under its name', () => {
    expect(small.nodes.map(({ op }) => op).filter((op) => op === 'QuantizeLinear')).toHaveLength(4);
    expect(small.nodes.at(-1)).toMatchObject({ op: 'DequantizeLinear', outputs: ['cells'] });
    expect(small.nodes.some(({ op }) => op === 'Cast')).toBe(false);
    expect(small.initializers.some(({ type }) => type === FLOAT16)).toBe(false);
  });

  test('is refused when a range is missing', () => {
    expect(calibrated(model)).toEqual(['image', 'seen', 'large', 'cells']);
    const { seen: _, ...rest } = ranges;
    expect(() => quantize(model, rest)).toThrow('no range for seen');
  });
});
