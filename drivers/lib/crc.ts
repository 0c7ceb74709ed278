/** CRC-16/KERMIT in the reveng catalogue: width 16, poly 0x1021 reflected, init 0, refin, refout, xorout 0. */
const KERMIT_REFLECTED = 0x8408;

const kermitTable: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit += 1)
    remainder = (remainder & 1) === 1 ? (remainder >>> 1) ^ KERMIT_REFLECTED : remainder >>> 1;
  return remainder;
});

/**
 * CRC-16/KERMIT, check value 0x2189. Going on from an earlier remainder gives the CRC of both parts together.
 * ZVT's "CRC-16" is this one, whatever its text calls it; it is sent low byte first.
 * @see https://reveng.sourceforge.io/crc-catalogue/16.htm#crc.cat.crc-16-kermit
 */
export function crc16Kermit(bytes: Uint8Array, remainder = 0): number {
  let crc = remainder;
  for (const byte of bytes) crc = (crc >>> 8) ^ (kermitTable[(crc ^ byte) & 0xff] ?? 0);
  return crc;
}
