/**
 * Writes ONNX models: just those protobuf messages of onnx.proto3 that a convolutional network needs.
 * @see https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto3 for the field numbers
 */

/** Values of TensorProto.DataType. */
export const FLOAT = 1;
export const UINT8 = 2;
export const INT8 = 3;
export const INT32 = 6;
export const FLOAT16 = 10;

export interface OnnxTensor {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly number[];
  /** Little-endian, row-major. */
  readonly raw: Uint8Array;
}

export type OnnxAttribute =
  | { readonly name: string; readonly kind: 'int'; readonly value: number }
  | { readonly name: string; readonly kind: 'float'; readonly value: number }
  | { readonly name: string; readonly kind: 'string'; readonly value: string }
  | { readonly name: string; readonly kind: 'ints'; readonly value: readonly number[] };

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: readonly OnnxAttribute[];
}

/** A graph's input or output; a dimension given as text is symbolic. */
export interface OnnxValue {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly (number | string)[];
}

export interface OnnxModel {
  readonly opset: number;
  readonly graphName: string;
  readonly producer: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** IR version 8 is the first that holds opset 17 and the newest that every onnxruntime since 1.11 reads. */
const IR_VERSION = 8;

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** Serialises a model; equal models give equal bytes. */
export function writeOnnx(model: OnnxModel): Uint8Array {
  return message([
    int(1, IR_VERSION),
    text(2, model.producer),
    bytes(7, graph(model)),
    bytes(8, message([text(1, ''), int(2, model.opset)])),
    ...Object.entries(model.metadata).map(([key, value]) => bytes(14, message([text(1, key), text(2, value)]))),
  ]);
}

function graph(model: OnnxModel): Uint8Array {
  return message([
    ...model.nodes.map((entry, at) => bytes(1, node(entry, `n${at}`))),
    text(2, model.graphName),
    ...model.initializers.map((entry) => bytes(5, tensor(entry))),
    ...model.inputs.map((entry) => bytes(11, value(entry))),
    ...model.outputs.map((entry) => bytes(12, value(entry))),
  ]);
}

function node(entry: OnnxNode, name: string): Uint8Array {
  return message([
    ...entry.inputs.map((input) => text(1, input)),
    ...entry.outputs.map((output) => text(2, output)),
    text(3, name),
    text(4, entry.op),
    ...(entry.attributes ?? []).map((attribute) => bytes(5, attributeMessage(attribute))),
  ]);
}

function attributeMessage(attribute: OnnxAttribute): Uint8Array {
  const name = text(1, attribute.name);
  switch (attribute.kind) {
    case 'float':
      return message([name, float(2, attribute.value), int(20, 1)]);
    case 'int':
      return message([name, int(3, attribute.value), int(20, 2)]);
    case 'string':
      return message([name, text(4, attribute.value), int(20, 3)]);
    case 'ints':
      return message([name, ...attribute.value.map((value) => int(8, value)), int(20, 7)]);
  }
}

function tensor(entry: OnnxTensor): Uint8Array {
  return message([
    ...entry.dims.map((dim) => int(1, dim)),
    int(2, entry.type),
    text(8, entry.name),
    bytes(9, entry.raw),
  ]);
}

function value(entry: OnnxValue): Uint8Array {
  const dims = entry.dims.map((dim) => bytes(1, typeof dim === 'number' ? int(1, dim) : text(2, dim)));
  const shape = message([int(1, entry.type), bytes(2, message(dims))]);
  return message([text(1, entry.name), bytes(2, bytes(1, shape))]);
}

function message(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function varint(value: number): Uint8Array {
  // Negative integers are written as 64-bit two's complement, as protobuf's int64 wants.
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    out.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(out);
}

function tag(field: number, wire: number): Uint8Array {
  return varint(field * 8 + wire);
}

function int(field: number, value: number): Uint8Array {
  return message([tag(field, VARINT), varint(value)]);
}

function float(field: number, value: number): Uint8Array {
  const four = new Uint8Array(4);
  new DataView(four.buffer).setFloat32(0, value, true);
  return message([tag(field, FIXED32), four]);
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return message([tag(field, LENGTH_DELIMITED), varint(value.length), value]);
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, new TextEncoder().encode(value));
}
