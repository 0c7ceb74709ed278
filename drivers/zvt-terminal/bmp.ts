import { byteReader, type ByteReader } from '../lib/byte-reader.ts';

/** How a bitmap's length is told: fixed bytes, LLVAR `Fx Fy`, LLLVAR `Fx Fy Fz`, or BER as in TLV. */
type Length = number | 'll' | 'lll' | 'ber';

/** Bitmaps and their lengths (A 9; E1–E8 and F1–F8 are lines of text). A bitmap that is missing here ends the reading. */
const LENGTHS: ReadonlyMap<number, Length> = new Map<number, Length>([
  [0x01, 1],
  [0x02, 1],
  [0x03, 1],
  [0x04, 6],
  [0x05, 1],
  [0x06, 'ber'],
  [0x0b, 3],
  [0x0c, 3],
  [0x0d, 2],
  [0x0e, 2],
  [0x17, 2],
  [0x19, 1],
  [0x22, 'll'],
  [0x23, 'll'],
  [0x24, 'lll'],
  [0x27, 1],
  [0x29, 4],
  [0x2a, 15],
  [0x2d, 'll'],
  [0x2e, 'lll'],
  [0x37, 3],
  [0x3a, 2],
  [0x3b, 8],
  [0x3c, 'lll'],
  [0x3d, 3],
  [0x49, 2],
  [0x60, 'lll'],
  [0x70, 4],
  [0x71, 4],
  [0x72, 1],
  [0x73, 1],
  [0x74, 1],
  [0x75, 1],
  [0x87, 2],
  [0x88, 3],
  [0x8a, 1],
  [0x8b, 'll'],
  [0x8c, 1],
  [0x92, 'lll'],
  [0x9a, 'lll'],
  [0xa0, 1],
  [0xa7, 'll'],
  [0xaa, 3],
  [0xaf, 'lll'],
  [0xba, 5],
  [0xd0, 1],
  [0xd1, 'll'],
  [0xd2, 1],
  [0xd3, 1],
  [0xe0, 1],
  ...Array.from({ length: 8 }, (_, line): [number, Length] => [0xe1 + line, 'll']),
  [0xe9, 1],
  [0xea, 1],
  [0xeb, 8],
  [0xf0, 1],
  ...Array.from({ length: 8 }, (_, line): [number, Length] => [0xf1 + line, 'll']),
  [0xf9, 1],
  [0xfa, 1],
  [0xfb, 1],
  [0xfc, 1],
  [0xfd, 1],
]);

export interface Bitmap {
  readonly id: number;
  readonly data: Uint8Array;
}

/** What a data block held, in order; `stop` says why the reading ended early. */
export interface Bitmaps {
  readonly bitmaps: readonly Bitmap[];
  readonly stop: null | { readonly why: 'unknown' | 'cut'; readonly id: number; readonly bytesLeft: number };
}

/** Reads bitmaps until the end. A length is never believed beyond the bytes that are there. */
export function readBitmaps(block: Uint8Array): Bitmaps {
  const reader = byteReader(block);
  const bitmaps: Bitmap[] = [];
  for (;;) {
    const bytesLeft = reader.remaining;
    const id = reader.u8();
    if (id === undefined) return { bitmaps, stop: null };
    const length = LENGTHS.get(id);
    if (length === undefined) return { bitmaps, stop: { why: 'unknown', id, bytesLeft } };
    const count = typeof length === 'number' ? length : length === 'ber' ? berLength(reader) : variable(reader, length);
    const data = count === undefined ? undefined : reader.bytes(count);
    if (data === undefined) return { bitmaps, stop: { why: 'cut', id, bytesLeft } };
    bitmaps.push({ id, data });
  }
}

/** LLVAR and LLLVAR (A 1.3): the low nibbles are the decimal digits, the high nibbles F. */
function variable(reader: ByteReader, kind: 'll' | 'lll'): number | undefined {
  let count = 0;
  for (let digit = kind.length; digit > 0; digit -= 1) {
    const byte = reader.u8();
    if (byte === undefined || byte >> 4 !== 0x0f || (byte & 0x0f) > 9) return undefined;
    count = count * 10 + (byte & 0x0f);
  }
  return count;
}

/** Length of a TLV object (A 9.4.1): one byte, or 81 and one, or 82 and two, high byte first. */
export function berLength(reader: ByteReader): number | undefined {
  const first = reader.u8();
  if (first === undefined || first < 0x80) return first;
  if (first === 0x81) return reader.u8();
  return first === 0x82 ? reader.u16be() : undefined;
}

/** The text of a leading LLLVAR field without an id, as the completion of a status enquiry has it (A 2.55). */
export function leadingText(block: Uint8Array): { readonly text: Uint8Array; readonly rest: Uint8Array } | undefined {
  const reader = byteReader(block);
  const count = variable(reader, 'lll');
  const text = count === undefined ? undefined : reader.bytes(count);
  return text === undefined ? undefined : { text, rest: block.subarray(reader.offset) };
}
