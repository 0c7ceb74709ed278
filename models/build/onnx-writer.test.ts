import { describe, expect, test } from 'vitest';
import { FLOAT, type OnnxModel, writeOnnx } from './onnx-writer.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const model: OnnxModel = {
  opset: 17,
  graphName: 'g',
  producer: 'p',
  metadata: {},
  nodes: [
    {
      op: 'Op',
      inputs: ['a'],
      outputs: ['b'],
      attributes: [
        { name: 'i', kind: 'int', value: -1 },
        { name: 'f', kind: 'float', value: 0.1 },
        { name: 'n', kind: 'ints', value: [1, 300] },
        { name: 's', kind: 'string', value: 'x' },
      ],
    },
  ],
  initializers: [],
  inputs: [{ name: 'a', type: FLOAT, dims: [1, 'h'] }],
  outputs: [],
};

describe('writing protobuf', () => {
  const text = hex(writeOnnx(model));

  test('names version, producer and opset under their field numbers', () => {
    expect(text.startsWith('0808120170')).toBe(true); // ir_version 8, producer_name "p"
    expect(text).toContain('42040a001011'); // opset_import { domain "" version 17 }
  });

  test('writes a negative integer as ten bytes of two’s complement', () => {
    expect(text).toContain('0a016918ffffffffffffffffff01a00102');
  });

  test('writes floats little-endian and repeated integers one by one', () => {
    expect(text).toContain('0a016615cdcccc3da00101');
    expect(text).toContain('0a016e400140ac02a00107');
  });

  test('writes symbolic dimensions by name', () => {
    expect(text).toContain('0a020801'); // dim_value 1
    expect(text).toContain('0a03120168'); // dim_param "h"
  });

  test('gives equal bytes for equal models', () => {
    expect(hex(writeOnnx(structuredClone(model)))).toBe(text);
  });
});
