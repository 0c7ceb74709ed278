/** Just enough of ITU-T X.690 (DER) to write a certificate signing request. */

/** One element: tag, definite length, content. Content of up to 64 KiB. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length > 0xffff) throw new RangeError(`${length} bytes are more than an element here may hold`);
  const header =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from(header), content]);
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => element(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]): Uint8Array => element(0x31, ...parts);
export const integer = (value: number): Uint8Array => element(0x02, Uint8Array.of(value));
export const utf8 = (text: string): Uint8Array => element(0x0c, new TextEncoder().encode(text));
/** BIT STRING of whole bytes. */
export const bits = (bytes: Uint8Array): Uint8Array => element(0x03, Uint8Array.of(0), bytes);

/** OBJECT IDENTIFIER from its dotted form; arcs in base 128, §8.19. */
export function identifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(arc: number): readonly number[] {
  const digits = [arc & 0x7f];
  for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}
