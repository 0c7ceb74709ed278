/**
 * Reads numbers off the front of untrusted bytes. Every method advances by what it returned; past the end it returns
 * `undefined` and stays where it is, so a decoder can tell a cut-off frame from a whole one without exceptions.
 * The bytes are viewed, not copied: `bytes(n)` shares memory with the input.
 */
export interface ByteReader {
  readonly offset: number;
  readonly remaining: number;
  u8(): number | undefined;
  s8(): number | undefined;
  u16le(): number | undefined;
  u16be(): number | undefined;
  s16le(): number | undefined;
  s16be(): number | undefined;
  u24le(): number | undefined;
  u24be(): number | undefined;
  s24le(): number | undefined;
  u32le(): number | undefined;
  u32be(): number | undefined;
  s32le(): number | undefined;
  /** The next `length` bytes; `undefined` if fewer are left or `length` is not a whole number ≥ 0. */
  bytes(length: number): Uint8Array | undefined;
}

const signed = (value: number | undefined, bits: number): number | undefined =>
  value === undefined ? undefined : value >= 2 ** (bits - 1) ? value - 2 ** bits : value;

/** A reader standing at `start` (default 0) of `input`. */
export const byteReader = (input: Uint8Array, start = 0): ByteReader => {
  let offset = Math.min(Math.max(0, start), input.length);

  const take = (length: number, littleEndian: boolean): number | undefined => {
    if (input.length - offset < length) return undefined;
    let value = 0;
    for (let index = 0; index < length; index += 1) {
      const byte = input[littleEndian ? offset + length - 1 - index : offset + index] ?? 0;
      value = value * 256 + byte;
    }
    offset += length;
    return value;
  };

  return {
    get offset() {
      return offset;
    },
    get remaining() {
      return input.length - offset;
    },
    u8: () => take(1, true),
    s8: () => signed(take(1, true), 8),
    u16le: () => take(2, true),
    u16be: () => take(2, false),
    s16le: () => signed(take(2, true), 16),
    s16be: () => signed(take(2, false), 16),
    u24le: () => take(3, true),
    u24be: () => take(3, false),
    s24le: () => signed(take(3, true), 24),
    u32le: () => take(4, true),
    u32be: () => take(4, false),
    s32le: () => signed(take(4, true), 32),
    bytes: (length) => {
      if (!Number.isInteger(length) || length < 0 || input.length - offset < length) return undefined;
      offset += length;
      return input.subarray(offset - length, offset);
    },
  };
};
