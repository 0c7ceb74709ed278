import { byteReader } from '../lib/byte-reader.ts';
import { bcdNumber, toBcd } from './bcd.ts';
import { BMP, COMMAND, LONG_LENGTH, MAX_APDU_BYTES, NEGATIVE_CLASS, REPEAT_WITH_STATUS, RESULT } from './protocol.ts';

export interface Apdu {
  /** Class and instruction, e.g. 0x040F. */
  readonly control: number;
  readonly data: Uint8Array;
}

/** Reads one whole APDU; `undefined` when it is cut or its length byte disagrees with the bytes. */
export function readApdu(bytes: Uint8Array): Apdu | undefined {
  const head = apduLength(bytes);
  if (head === undefined || head.total !== bytes.length) return undefined;
  return { control: head.control, data: bytes.subarray(head.headBytes) };
}

function apduLength(
  bytes: Uint8Array,
): { readonly control: number; readonly headBytes: number; readonly total: number } | undefined {
  const reader = byteReader(bytes);
  const control = reader.u16be();
  const short = reader.u8();
  const length = short === LONG_LENGTH ? reader.u16le() : short;
  if (control === undefined || length === undefined) return undefined;
  return { control, headBytes: reader.offset, total: reader.offset + length };
}

/** Puts together an APDU. Throws RangeError beyond 65,535 bytes of data. */
export function writeApdu(control: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > 0xffff) throw new RangeError(`${length} bytes do not fit into an APDU`);
  const head =
    length < LONG_LENGTH
      ? [control >> 8, control & 0xff, length]
      : [control >> 8, control & 0xff, LONG_LENGTH, length & 0xff, length >> 8];
  const apdu = new Uint8Array(head.length + length);
  apdu.set(head);
  let offset = head.length;
  for (const part of parts) {
    apdu.set(part, offset);
    offset += part.length;
  }
  return apdu;
}

/** APDUs from a TCP stream, which carries them one behind the other without framing (A 1.2). */
export interface ApduStream {
  push(bytes: Uint8Array): readonly Uint8Array[];
  /** An APDU has begun and not ended. */
  readonly midApdu: boolean;
}

/** Cuts a TCP stream into APDUs; holds at most one APDU. */
export function createApduStream(): ApduStream {
  let held: Uint8Array = new Uint8Array();
  return {
    push(bytes) {
      const joined = new Uint8Array(held.length + bytes.length);
      joined.set(held);
      joined.set(bytes, held.length);
      held = joined;
      const apdus: Uint8Array[] = [];
      for (;;) {
        const head = apduLength(held);
        if (head === undefined || held.length < head.total) break;
        apdus.push(held.slice(0, head.total));
        held = held.slice(Math.min(head.total, MAX_APDU_BYTES));
      }
      return apdus;
    },
    get midApdu() {
      return held.length > 0;
    },
  };
}

const field = (id: number, data: Uint8Array): Uint8Array => Uint8Array.of(id, ...data);
/** ISO 4217 numeric as BMP 49 has it: four BCD digits. */
const currencyField = (currencyNumeric: number): Uint8Array => field(BMP.currency, toBcd(currencyNumeric, 2));
const amountField = (amountMinor: number): Uint8Array => field(BMP.amount, toBcd(amountMinor, 6));

/** The answers of the till (A 3.1, 3.2). */
export const POSITIVE: Uint8Array = writeApdu(COMMAND.positive);
export const refuse = (resultCode: number): Uint8Array => writeApdu((NEGATIVE_CLASS << 8) + resultCode);
export const PROTOCOL_ERROR: Uint8Array = refuse(RESULT.protocolError);
export const NOT_POSSIBLE: Uint8Array = refuse(RESULT.notPossible);

/** The merchant's password as three bytes of BCD; `undefined` when it is not six digits. */
export function passwordBytes(text: string): Uint8Array | undefined {
  return /^\d{6}$/.test(text) ? toBcd(Number(text), 3) : undefined;
}

/** 06 00 (A 2.1): password, configuration byte, currency. */
export function registration(password: Uint8Array, configByte: number, currencyNumeric: number): Uint8Array {
  return writeApdu(COMMAND.registration, password, Uint8Array.of(configByte), toBcd(currencyNumeric, 2));
}

/** 06 01 (A 2.2). Throws RangeError beyond 999,999,999,999 minor units. */
export function authorisation(amountMinor: number, currencyNumeric: number): Uint8Array {
  return writeApdu(COMMAND.authorisation, amountField(amountMinor), currencyField(currencyNumeric));
}

/** 06 30 (A 2.14). */
export function reversal(password: Uint8Array, receiptNo: number): Uint8Array {
  return writeApdu(COMMAND.reversal, password, field(BMP.receipt, toBcd(receiptNo, 2)));
}

/** 06 31 (A 2.15). */
export function refund(password: Uint8Array, amountMinor: number, currencyNumeric: number): Uint8Array {
  return writeApdu(COMMAND.refund, password, amountField(amountMinor), currencyField(currencyNumeric));
}

/** 06 20 with the service byte that makes the terminal send the last status information and print nothing (A 2.20). */
export function repeatReceipt(password: Uint8Array): Uint8Array {
  return writeApdu(COMMAND.repeatReceipt, password, Uint8Array.of(BMP.serviceByte, REPEAT_WITH_STATUS));
}

/** 05 01 (A 2.55). */
export function statusEnquiry(password: Uint8Array): Uint8Array {
  return writeApdu(COMMAND.statusEnquiry, password);
}

/** 06 50 (A 2.16). */
export function endOfDay(password: Uint8Array): Uint8Array {
  return writeApdu(COMMAND.endOfDay, password);
}

/** 06 70 (A 2.17) and 06 B0 (A 2.37). */
export const DIAGNOSIS: Uint8Array = writeApdu(COMMAND.diagnosis);
export const ABORT: Uint8Array = writeApdu(COMMAND.abortByTill);

/** How long the terminal now wants until its completion (A 3.7: BCD minutes); `undefined` where it says nothing. */
export function intermediateTimeoutMs(data: Uint8Array): number | undefined {
  const minutes = bcdNumber(data.subarray(1, 2));
  return data.length < 2 || minutes === undefined || minutes === 0 ? undefined : minutes * 60_000;
}
