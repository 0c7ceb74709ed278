import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc16Kermit } from './crc.ts';

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');

test('CRC-16/KERMIT has the catalogue’s check value', () => {
  expect(crc16Kermit(ascii('123456789'))).toBe(0x2189);
  expect(crc16Kermit(new Uint8Array())).toBe(0);
});

test('CRC-16/KERMIT leaves no remainder over bytes followed by their own CRC, low byte first', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const crc = crc16Kermit(bytes);
      return crc16Kermit(Uint8Array.of(...bytes, crc & 0xff, crc >> 8)) === 0;
    }),
  );
});

test('CRC-16/KERMIT can be continued', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      return crc16Kermit(b, crc16Kermit(a)) === crc16Kermit(Uint8Array.of(...a, ...b));
    }),
  );
});
