// Constants of ZVT: PA00P016 rev 04 (transport, "T") and PA00P015 rev 13.08 (application, "A").

/** Bytes of the serial framing (T 3.1): `DLE STX | APDU, each DLE doubled | DLE ETX | CRC low | CRC high`. */
export const STX = 0x02;
export const ETX = 0x03;
export const ACK = 0x06;
export const DLE = 0x10;
export const NAK = 0x15;

/** A length byte of FF is followed by the length as two bytes, low first (A 1.3). */
export const LONG_LENGTH = 0xff;
/** The longest APDU: control field, FF, two length bytes, 65,535 bytes of data. */
export const MAX_APDU_BYTES: number = 5 + 0xffff;

/** Timers in ms (T 3.4, 5.2; A 2.2): between two bytes · block to ACK · command to 80 00 · 80 00 to completion. */
export const T1_MS = 200;
export const T2_MS = 5_000;
export const T3_MS = 5_000;
export const T4_MS = 180_000;
/** A block is sent at most three times (T 3.4). */
export const MAX_SENDS = 3;
/**
 * How long a cut payment stays open before its outcome is told as unknown: a replugged cable is back within seconds; a
 * terminal that boots for minutes is asked when it is back, and the till need not wait for it.
 */
export const RECOVERY_MS = 60_000;
/** 84 9C asks to come again after two seconds (A 10). */
export const BUSY_WAIT_MS = 2_000;

/** Class and instruction as one number. */
export const COMMAND = {
  setDateAndTime: 0x0401,
  statusInformation: 0x040f,
  intermediateStatus: 0x04ff,
  statusEnquiry: 0x0501,
  registration: 0x0600,
  authorisation: 0x0601,
  logOff: 0x0602,
  completion: 0x060f,
  abortByTerminal: 0x061e,
  repeatReceipt: 0x0620,
  reversal: 0x0630,
  refund: 0x0631,
  endOfDay: 0x0650,
  diagnosis: 0x0670,
  initialisation: 0x0693,
  abortByTill: 0x06b0,
  readCard: 0x06c0,
  printLine: 0x06d1,
  printTextBlock: 0x06d3,
  displayText: 0x06e0,
  positive: 0x8000,
} as const;

/** Class of a negative acknowledgement; the instruction byte is the result code. */
export const NEGATIVE_CLASS = 0x84;

/** Result codes (A 10) that the driver acts upon. */
export const RESULT = {
  ok: 0x00,
  notRegistered: 0x6b,
  abort: 0x6c,
  wrongCurrency: 0x6f,
  notPossible: 0x83,
  protocolError: 0x9a,
  busy: 0x9c,
  receiverNotReady: 0xa0,
  alreadyReversed: 0xb4,
} as const;

/** Bitmaps (A 9) that the driver writes or acts upon. */
export const BMP = {
  serviceByte: 0x03,
  amount: 0x04,
  tlv: 0x06,
  trace: 0x0b,
  time: 0x0c,
  date: 0x0d,
  statusByte: 0x19,
  pan: 0x22,
  resultCode: 0x27,
  terminalId: 0x29,
  currency: 0x49,
  receipt: 0x87,
} as const;

/** Service byte of repeat receipt (A 2.20, table 5): bit 0 sends the status information, bit 1 prints nothing. */
export const REPEAT_WITH_STATUS = 0x03;

/** The configuration byte of the published registrations: the till drives payments, status messages and receipts. */
export const DEFAULT_CONFIG_BYTE = 0xba;

/** The port that terminals listen on (A 1.2). */
export const TCP_PORT = 20_007;
