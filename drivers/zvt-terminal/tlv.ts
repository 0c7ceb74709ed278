import { byteReader } from '../lib/byte-reader.ts';
import { berLength } from './bmp.ts';

export interface TlvObject {
  readonly tag: number;
  readonly data: Uint8Array;
  /** Of a constructed object (A 9.4.1: bit 5 of the tag's first byte). */
  readonly children: readonly TlvObject[];
}

/** Containers within containers stop here: receipts and application lists need three. */
const MAX_DEPTH = 6;
const MAX_TAG_BYTES = 3;

/** Reads a container; `undefined` when a tag or a length is cut or unheard of. */
export function readTlv(container: Uint8Array, depth = 0): readonly TlvObject[] | undefined {
  const reader = byteReader(container);
  const objects: TlvObject[] = [];
  while (reader.remaining > 0) {
    const first = reader.u8();
    if (first === undefined) return undefined;
    let tag = first;
    if ((first & 0x1f) === 0x1f) {
      for (let bytes = 1, more = true; more; bytes += 1) {
        const next = reader.u8();
        if (next === undefined || bytes >= MAX_TAG_BYTES) return undefined;
        tag = tag * 256 + next;
        more = (next & 0x80) !== 0;
      }
    }
    const length = berLength(reader);
    const data = length === undefined ? undefined : reader.bytes(length);
    if (data === undefined) return undefined;
    const children = (first & 0x20) !== 0 && depth < MAX_DEPTH ? readTlv(data, depth + 1) : [];
    objects.push({ tag, data, children: children ?? [] });
  }
  return objects;
}

/** Every object of the tree in the order of the bytes. */
export function* walkTlv(objects: readonly TlvObject[]): Generator<TlvObject> {
  for (const object of objects) {
    yield object;
    yield* walkTlv(object.children);
  }
}
