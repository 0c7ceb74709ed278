/** NFC Forum Type 2 Tag 1.1: 4 bytes a page, 16 bytes a READ; pages 0 to 2 are the chip's, 3 is the capability container. */
export const READ_TYPE_2 = 0x30;
export const CAPABILITY_PAGE = 3;
export const PAGE_BYTES = 4;
export const READ_BYTES = 16;

/** Most of a tag's memory that is looked at: an id is short, and each 16 bytes cost an exchange. */
export const MEMORY_MAX = 256;

const CAPABILITY_MAGIC = 0xe1;
const TLV_NULL = 0x00;
const TLV_NDEF = 0x03;
const TLV_TERMINATOR = 0xfe;
const LONG_LENGTH = 0xff;

const FLAG_SHORT = 0x10;
const FLAG_HAS_ID = 0x08;
const FLAG_CHUNKED = 0x20;
const TNF_MASK = 0x07;
const TNF_WELL_KNOWN = 0x01;
const TYPE_TEXT = 0x54;
const TYPE_URI = 0x55;
const TEXT_UTF16 = 0x80;
const LANGUAGE_MASK = 0x3f;

/** NFC Forum URI record 1.0, table 3, as far as anybody uses it. */
const URI_PREFIX: readonly string[] = ['', 'http://www.', 'https://www.', 'http://', 'https://'];

export type NdefResult =
  | { readonly ok: true; readonly id: Uint8Array }
  /** `more`: the message goes on behind these bytes. */
  | { readonly ok: false; readonly code: 'more' | 'no-ndef' | 'no-id' };

/**
 * The content of the first text or URI record in a Type 2 tag's memory from the capability container on, as bytes.
 * Pure, never throws, never reads past the end. Chunked records, UTF-16 text and rarer URI prefixes are no ids.
 */
export function decodeNdefId(memory: Uint8Array): NdefResult {
  const more: NdefResult = { ok: false, code: 'more' };
  const none: NdefResult = { ok: false, code: 'no-ndef' };
  if (memory.length < PAGE_BYTES) return more;
  if (memory[0] !== CAPABILITY_MAGIC) return none;
  let at = PAGE_BYTES;
  for (;;) {
    const tag = memory[at];
    if (tag === undefined) return more;
    if (tag === TLV_TERMINATOR) return none;
    if (tag === TLV_NULL) {
      at += 1;
      continue;
    }
    const first = memory[at + 1];
    if (first === undefined) return more;
    const long = first === LONG_LENGTH;
    if (long && memory.length < at + 4) return more;
    const length = long ? (memory[at + 2] ?? 0) * 256 + (memory[at + 3] ?? 0) : first;
    const start = at + (long ? 4 : 2);
    if (memory.length < start + length) return more;
    if (tag === TLV_NDEF) return firstId(memory.subarray(start, start + length));
    at = start + length;
  }
}

function firstId(message: Uint8Array): NdefResult {
  let at = 0;
  while (at < message.length) {
    const flags = message[at] ?? 0;
    const typeLength = message[at + 1] ?? 0;
    const short = (flags & FLAG_SHORT) !== 0;
    const hasId = (flags & FLAG_HAS_ID) !== 0;
    const header = 2 + (short ? 1 : 4) + (hasId ? 1 : 0);
    if (at + header > message.length) break;
    const payloadLength = short ? (message[at + 2] ?? 0) : u32(message, at + 2);
    const idLength = hasId ? (message[at + header - 1] ?? 0) : 0;
    const type = at + header;
    const payload = type + typeLength + idLength;
    const end = payload + payloadLength;
    if (end > message.length) break;
    const wellKnown = (flags & TNF_MASK) === TNF_WELL_KNOWN && typeLength === 1 && (flags & FLAG_CHUNKED) === 0;
    const id = wellKnown ? contentOf(message[type] ?? 0, message.subarray(payload, end)) : null;
    if (id !== null && id.length > 0) return { ok: true, id };
    at = end;
  }
  return { ok: false, code: 'no-id' };
}

function contentOf(type: number, payload: Uint8Array): Uint8Array | null {
  const first = payload[0];
  if (first === undefined) return null;
  if (type === TYPE_TEXT) return (first & TEXT_UTF16) === 0 ? payload.slice(1 + (first & LANGUAGE_MASK)) : null;
  const prefix = type === TYPE_URI ? URI_PREFIX[first] : undefined;
  return prefix === undefined ? null : Uint8Array.of(...new TextEncoder().encode(prefix), ...payload.subarray(1));
}

function u32(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let offset = 0; offset < 4; offset += 1) value = value * 256 + (bytes[at + offset] ?? 0);
  return value;
}
