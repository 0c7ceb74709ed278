export interface Measurement {
  /** As in the format's own specification, e.g. `temperature`. */
  readonly name: string;
  readonly value: number | boolean | string;
  readonly unit?: string;
}

/** Options of `barrow decode`; a format uses those it knows. */
export interface DecodeOptions {
  /** Upper case with colons. */
  readonly address?: string;
  /** 16 bytes. */
  readonly key?: Uint8Array;
  readonly uuid?: string;
}

/** What the bytes say. Further fields (`control`, `gtin14`, `events` …) stand beside `measurements`. */
export type Decoded =
  | { readonly ok: true; readonly [field: string]: unknown }
  | {
      readonly ok: false;
      readonly error: { readonly code: string; readonly message: string };
      readonly [field: string]: unknown;
    };

/** Pure; never throws, whatever the bytes. */
export type FormatDecoder = (bytes: Uint8Array, options: DecodeOptions) => Decoded;
