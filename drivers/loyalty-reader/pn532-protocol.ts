/** NXP UM0701-02 (PN532 user manual). */

/** Host to PN532 and back (6.2.1.1). */
export const TFI_HOST = 0xd4;
export const TFI_CHIP = 0xd5;
/** The chip's answer to a command that it does not know (6.2.1.6). */
export const TFI_ERROR = 0x7f;

/** Commands (chapter 7); each answer has the next higher code. */
export const COMMAND = {
  getFirmwareVersion: 0x02,
  samConfiguration: 0x14,
  rfConfiguration: 0x32,
  inDataExchange: 0x40,
  inListPassiveTarget: 0x4a,
  inRelease: 0x52,
} as const;

/** 6.2.1.3: acknowledges a command; sent by the host it cancels the running one. */
export const ACK_FRAME: Uint8Array = Uint8Array.of(0x00, 0x00, 0xff, 0x00, 0xff, 0x00);

/** 7.2.11: a chip in power-down wakes by the 55s and needs time before the first frame; zeros pass it. */
export const WAKE_UP: Uint8Array = Uint8Array.of(0x55, 0x55, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

/** Data bytes of a normal frame, TFI included, and of an extended one (6.2.1.1, 6.2.1.2). */
const NORMAL_MAX = 255;
export const EXTENDED_MAX = 265;

/** Largest frame on the wire: extended header 8, data, checksum, postamble. */
export const FRAME_MAX: number = 8 + EXTENDED_MAX + 2;

/** SEL_RES of a Type 2 tag (NXP AN10833). */
export const SAK_TYPE_2 = 0x00;

/** SEL_RES bit of a card that speaks ISO/IEC 14443-4. */
export const SAK_ISO_DEP = 0x20;

/** A four-byte UID that begins so is random, new at every approach (NXP AN10927, 2.2). */
export const RANDOM_UID = 0x08;

/** SELECT of the directory that every contactless payment card has: `2PAY.SYS.DDF01` (EMV Contactless Book B, 3.3). */
export const SELECT_PPSE: Uint8Array = Uint8Array.of(
  0x00,
  0xa4,
  0x04,
  0x00,
  0x0e,
  0x32,
  0x50,
  0x41,
  0x59,
  0x2e,
  0x53,
  0x59,
  0x53,
  0x2e,
  0x44,
  0x44,
  0x46,
  0x30,
  0x31,
  0x00,
);

/** A frame of the host or the chip around its data (TFI first). */
export function pn532Frame(data: Uint8Array): Uint8Array {
  const checksum = -data.reduce((sum, byte) => sum + byte, 0) & 0xff;
  if (data.length <= NORMAL_MAX)
    return Uint8Array.of(0x00, 0x00, 0xff, data.length, -data.length & 0xff, ...data, checksum, 0x00);
  const high = data.length >> 8;
  const low = data.length & 0xff;
  return Uint8Array.of(0x00, 0x00, 0xff, 0xff, 0xff, high, low, -(high + low) & 0xff, ...data, checksum, 0x00);
}
