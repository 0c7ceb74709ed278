import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteReader } from './byte-reader.ts';

describe('byte reader', () => {
  it('reads both byte orders and signs', () => {
    const bytes = Uint8Array.of(0xff, 0xfe, 0x80, 0x01, 0x02, 0x03, 0x04);
    expect(byteReader(bytes).u8()).toBe(0xff);
    expect(byteReader(bytes).s8()).toBe(-1);
    expect(byteReader(bytes).u16le()).toBe(0xfeff);
    expect(byteReader(bytes).u16be()).toBe(0xfffe);
    expect(byteReader(bytes).s16le()).toBe(-257);
    expect(byteReader(bytes).s16be()).toBe(-2);
    expect(byteReader(bytes).u24le()).toBe(0x80feff);
    expect(byteReader(bytes).u24be()).toBe(0xfffe80);
    expect(byteReader(bytes).s24le()).toBe(0x80feff - 2 ** 24);
    expect(byteReader(bytes).u32le()).toBe(0x0180feff);
    expect(byteReader(bytes).u32be()).toBe(0xfffe8001);
    expect(byteReader(bytes, 3).s32le()).toBe(0x04030201);
    expect(byteReader(Uint8Array.of(0xff, 0xff, 0xff, 0xff)).s32le()).toBe(-1);
  });

  it('returns undefined past the end and does not move', () => {
    const reader = byteReader(Uint8Array.of(1, 2, 3));
    expect(reader.u32le()).toBeUndefined();
    expect(reader.bytes(4)).toBeUndefined();
    expect(reader.bytes(-1)).toBeUndefined();
    expect(reader.offset).toBe(0);
    expect(reader.u16le()).toBe(0x0201);
    expect(reader.u16be()).toBeUndefined();
    expect(reader.remaining).toBe(1);
  });

  it('never throws and never passes the end, whatever is asked', () => {
    const methods = [
      'u8',
      's8',
      'u16le',
      'u16be',
      's16le',
      's16be',
      'u24le',
      'u24be',
      's24le',
      'u32le',
      'u32be',
      's32le',
    ] as const;
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 16 }),
        fc.array(fc.constantFrom(...methods), { maxLength: 20 }),
        (bytes, calls) => {
          const reader = byteReader(bytes);
          for (const call of calls) {
            const before = reader.offset;
            const value = reader[call]();
            if (value === undefined) expect(reader.offset).toBe(before);
            expect(reader.offset + reader.remaining).toBe(bytes.length);
          }
        },
      ),
    );
  });

  it('hands out the bytes asked for as a view', () => {
    const input = Uint8Array.of(1, 2, 3, 4);
    const reader = byteReader(input, 1);
    expect(reader.bytes(2)).toEqual(Uint8Array.of(2, 3));
    expect(reader.bytes(0)).toEqual(new Uint8Array());
    expect(reader.offset).toBe(3);
  });
});
