import { BMP, COMMAND } from '../../../drivers/zvt-terminal/protocol.ts';
import type { BookEntry } from './book.ts';
import type { VirtualCard } from './customer.ts';

/** Hex digits (E masks one, D separates, F pads) as bytes. */
function packed(digits: string): Uint8Array {
  const even = digits.length % 2 === 0 ? digits : `${digits}f`;
  return Uint8Array.from({ length: even.length / 2 }, (_, at) => Number.parseInt(even.slice(at * 2, at * 2 + 2), 16));
}

const decimal = (value: number, digits: number): string => String(value).padStart(digits, '0');
const ascii = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** `Fx Fy (Fz)`: the length of a variable bitmap. */
function variable(id: number, digits: 2 | 3, data: Uint8Array): Uint8Array {
  const length = Array.from(decimal(data.length, digits), (digit) => 0xf0 + Number(digit));
  return Uint8Array.of(id, ...length, ...data);
}

/** A whole APDU (A 1.3). */
export function apdu(control: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const data = parts.flatMap((part) => [...part]);
  const length = data.length < 0xff ? [data.length] : [0xff, data.length & 0xff, data.length >> 8];
  return Uint8Array.of(control >> 8, control & 0xff, ...length, ...data);
}

export const positive = (): Uint8Array => apdu(COMMAND.positive);
export const negative = (resultCode: number): Uint8Array => apdu(0x8400 + resultCode);
export const abortion = (resultCode: number): Uint8Array => apdu(COMMAND.abortByTerminal, Uint8Array.of(resultCode));
export const intermediate = (status: number): Uint8Array => apdu(COMMAND.intermediateStatus, Uint8Array.of(status));
export const completion = (...parts: readonly Uint8Array[]): Uint8Array => apdu(COMMAND.completion, ...parts);

/** A line of the receipt (A 3.5), as it would be printed. */
export function printLine(text: string): Uint8Array {
  return apdu(COMMAND.printLine, Uint8Array.of(0x00), ascii(text));
}

export interface Identity {
  /** Eight digits. */
  readonly terminalId: string;
  /** ISO 4217, three digits. */
  readonly currencyNumeric: string;
}

const field = (id: number, digits: string): Uint8Array => Uint8Array.of(id, ...packed(digits));

/** What the terminal says of itself when registered (A 2.1). */
export function registered(identity: Identity): Uint8Array {
  return completion(
    field(BMP.statusByte, '00'),
    field(BMP.terminalId, identity.terminalId),
    field(BMP.currency, `0${identity.currencyNumeric}`),
  );
}

/** Status information of a booking (A 2.2.6). `unmasked` adds what badly set up terminals are known to send. */
export function bookingStatus(
  identity: Identity,
  entry: BookEntry,
  card: VirtualCard,
  options: { readonly unmasked: boolean },
): Uint8Array {
  const { pan, expiry } = card;
  const masked = `${pan.slice(0, 6)}${'e'.repeat(pan.length - 10)}${pan.slice(-4)}`;
  const track2 = `${pan}d${expiry}2010000000000`;
  const leak = [
    variable(0x22, 2, packed(`${pan}d${expiry}201`)),
    variable(0x23, 2, packed(track2)),
    variable(0x24, 3, packed(`01${track2}`)),
    variable(0x2d, 2, ascii(`B${pan}^CARD/TEST^${expiry}2010000000000`)),
    field(0x3a, '123f'),
    variable(0x3c, 3, ascii(`Karte ${pan} OK`)),
  ];
  return apdu(
    COMMAND.statusInformation,
    field(BMP.resultCode, '00'),
    field(BMP.amount, decimal(entry.amountMinor, 12)),
    field(BMP.trace, decimal(entry.trace, 6)),
    field(BMP.time, entry.time),
    field(BMP.date, entry.date),
    ...(options.unmasked ? leak : [variable(0x22, 2, packed(masked))]),
    field(BMP.terminalId, identity.terminalId),
    field(BMP.currency, `0${identity.currencyNumeric}`),
    field(BMP.receipt, decimal(entry.receiptNo, 4)),
    Uint8Array.of(0x8a, card.type),
    variable(0x8b, 2, ascii(`${card.name}\0`)),
  );
}

/** Status information of a transaction that failed. */
export function failureStatus(identity: Identity, resultCode: number, text: string): Uint8Array {
  return apdu(
    COMMAND.statusInformation,
    Uint8Array.of(BMP.resultCode, resultCode),
    field(BMP.terminalId, identity.terminalId),
    variable(0x3c, 3, ascii(text)),
  );
}

/** What the till asked for: the fields that this terminal needs, read in the simplest way that works for its commands. */
export interface Asked {
  readonly control: number;
  readonly amountMinor: number | null;
  readonly receiptNo: number | null;
  readonly serviceByte: number | null;
}

const BCD = /^\d+$/;

/** Reads an APDU of the till: `null` when its length is wrong. */
export function asked(bytes: Uint8Array): Asked | null {
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const length = bytes[2] === 0xff ? (bytes[3] ?? 0) + (bytes[4] ?? 0) * 256 : (bytes[2] ?? -1);
  const data = text.slice(bytes[2] === 0xff ? 10 : 6);
  if (data.length !== length * 2) return null;
  const control = Number.parseInt(text.slice(0, 4), 16);
  const withPassword = control !== COMMAND.authorisation;
  const fields = withPassword ? data.slice(6) : data;
  const number = (pattern: RegExp): number | null => {
    const digits = pattern.exec(fields)?.[1];
    return digits === undefined || !BCD.test(digits) ? null : Number(digits);
  };
  return {
    control,
    amountMinor: number(/^04(.{12})/),
    receiptNo: number(/^87(.{4})/),
    serviceByte: fields.startsWith('03') ? Number.parseInt(fields.slice(2, 4), 16) : null,
  };
}
