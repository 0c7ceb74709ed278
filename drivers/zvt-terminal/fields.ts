import { code as currencyByCode, number as currencyByNumber } from 'currency-codes';
import type { Measurement } from '../api/format.ts';
import { bcdDigits, bcdNumber, hex } from './bcd.ts';
import { readBitmaps, type Bitmap, type Bitmaps } from './bmp.ts';
import { maskedPan } from './card.ts';
import { readPadded, readText } from './text.ts';
import { readTlv, walkTlv } from './tlv.ts';

/** What of a message may be known outside the decoder. Whatever is not listed here never leaves it. */
export interface ZvtFields {
  resultCode?: number;
  amountMinor?: number;
  /** ISO 4217: three digits, and the letters where the number is assigned. */
  currencyNumeric?: string;
  currency?: string;
  trace?: number;
  receiptNo?: number;
  terminalId?: string;
  maskedPan?: string;
  /** HHMMSS and MMDD as the terminal's own clock has them. */
  time?: string;
  date?: string;
  statusByte?: number;
  softwareVersion?: string;
  terminalStatus?: number;
  text?: string;
}

/** ISO 4217 numeric of an alphabetic code; `undefined` when there is none. */
export function currencyNumber(alphabetic: string): number | undefined {
  const entry = currencyByCode(alphabetic);
  return entry === undefined || !/^\d{3}$/.test(entry.number) ? undefined : Number(entry.number);
}

/** ISO 4217 letters of two BCD bytes `0n nn`; `undefined` when no currency has that number. */
export function currencyCode(bytes: Uint8Array): string | undefined {
  const digits = bcdDigits(bytes);
  return digits === undefined || digits.length !== 4 ? undefined : currencyByNumber(digits.slice(1))?.code;
}

/** Collects the readable fields of one message. */
export class FieldCollector {
  readonly fields: ZvtFields = {};
  readonly measurements: Measurement[] = [];
  readonly #lines: string[] = [];
  /** The text of BMP 3C, which the same message often repeats in its TLV container. */
  #additionalText: string | null = null;

  add(name: string, value: number | boolean | string, unit?: string): void {
    this.measurements.push(unit === undefined ? { name, value } : { name, value, unit });
  }

  /** A line of free text, already scrubbed. */
  line(text: string, name = 'text'): void {
    this.#lines.push(text);
    this.fields.text = this.#additionalText ?? this.#lines.join('\n');
    this.add(name, text);
  }

  resultCode(code: number): void {
    this.fields.resultCode = code;
    this.add('resultCode', code);
  }

  currency(bytes: Uint8Array): void {
    const digits = bcdDigits(bytes);
    if (digits === undefined) return;
    const numeric = digits.slice(1);
    const alphabetic = currencyCode(bytes);
    this.fields.currencyNumeric = numeric;
    if (alphabetic !== undefined) this.fields.currency = alphabetic;
    this.add('currency', alphabetic ?? numeric);
  }

  /** Reads bitmaps into fields; what the reading could not pass is returned. */
  block(data: Uint8Array): Bitmaps['stop'] {
    const { bitmaps, stop } = readBitmaps(data);
    for (const bitmap of bitmaps) this.#bitmap(bitmap);
    return stop;
  }

  #number(name: 'trace' | 'receiptNo' | 'amountMinor', data: Uint8Array, unit?: string): void {
    const value = bcdNumber(data);
    if (value === undefined) return;
    this.fields[name] = value;
    this.add(name, value, unit);
  }

  #digits(name: 'time' | 'date', data: Uint8Array): void {
    const value = bcdDigits(data);
    if (value === undefined) return;
    this.fields[name] = value;
    this.add(name, value);
  }

  /** Bitmaps without a case here are read past and not told: 23, 24, 2D tracks, 3A code, D1 PIN data, 2E, A7, AF chip. */
  #bitmap({ id, data }: Bitmap): void {
    switch (id) {
      case 0x04:
        return this.#number('amountMinor', data, 'minor');
      case 0x06:
        return this.tlv(data);
      case 0x0b:
        return this.#number('trace', data);
      case 0x0c:
        return this.#digits('time', data);
      case 0x0d:
        return this.#digits('date', data);
      case 0x17:
        return this.add('cardSequence', hex(data));
      case 0x19:
        this.fields.statusByte = data[0] ?? 0;
        return this.add('statusByte', data[0] ?? 0);
      case 0x22:
        this.fields.maskedPan = maskedPan(data);
        return this.add('maskedPan', this.fields.maskedPan);
      case 0x27:
        return this.resultCode(data[0] ?? 0);
      case 0x29:
        this.fields.terminalId = hex(data);
        return this.add('terminalId', this.fields.terminalId);
      case 0x3c:
        this.#additionalText ??= readText(data);
        return this.line(readText(data));
      case 0x49:
        return this.currency(data);
      case 0x87:
        return this.#number('receiptNo', data);
      default:
        return this.#rest(id, data);
    }
  }

  #rest(id: number, data: Uint8Array): void {
    const text: Readonly<Record<number, string>> = { 0x2a: 'vuNumber', 0x3b: 'authorisation', 0x8b: 'cardName' };
    const bytes: Readonly<Record<number, string>> = {
      0x01: 'timeout',
      0x02: 'maxStatusInformations',
      0x03: 'serviceByte',
      0x05: 'pump',
      0x8a: 'cardType',
      0x8c: 'cardTypeId',
      0xa0: 'resultCodeAs',
      0xfc: 'dialogControl',
    };
    const digits: Readonly<Record<number, string>> = { 0x37: 'originalTrace', 0x88: 'turnoverNo', 0xaa: 'date' };
    const textName = text[id];
    const byteName = bytes[id];
    const digitName = digits[id];
    if (textName !== undefined) this.add(textName, readPadded(data));
    else if (byteName !== undefined) this.add(byteName, data[0] ?? 0);
    else if (digitName !== undefined) this.add(digitName, hex(data));
    else if ((id >= 0xe1 && id <= 0xe8) || (id >= 0xf1 && id <= 0xf8)) this.line(readPadded(data));
  }

  /** TLV objects of which the driver or a technician needs to know (A 9.4.2); track and card objects are not among them. */
  tlv(container: Uint8Array): void {
    for (const { tag, data } of walkTlv(readTlv(container) ?? [])) {
      const first = data[0] ?? 0;
      if (tag === 0x07) this.line(readText(data));
      else if (tag === 0x43) this.add('applicationId', hex(data));
      else if (tag === 0x44) this.add('applicationName', readPadded(data));
      else if (tag === 0x1f07) this.add('receiptType', first);
      else if (tag === 0x1f10) this.add('cardholderAuthentication', first);
      else if (tag === 0x1f12) this.add('cardTechnology', first);
      else if (tag === 0x1f16) this.add('extendedErrorCode', hex(data.subarray(0, 8)));
      else if (tag === 0x1f17) this.line(readPadded(data), 'extendedErrorText');
      else if (tag === 0x1f40) this.add('deviceName', readPadded(data));
      else if (tag === 0x1f41) this.add('softwareVersion', readPadded(data));
      else if (tag === 0x1f43) this.add('deviceState', first);
    }
  }
}
