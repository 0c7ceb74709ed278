import type { Measurement } from '../api/format.ts';
import { readApdu, type Apdu } from './apdu.ts';
import { bcdNumber } from './bcd.ts';
import { leadingText } from './bmp.ts';
import { currencyCode, FieldCollector, type ZvtFields } from './fields.ts';
import { COMMAND, NEGATIVE_CLASS, RESULT } from './protocol.ts';
import { readPadded, readText } from './text.ts';

/** What one APDU says, card data already gone. */
export interface Message {
  readonly control: number;
  readonly fields: ZvtFields;
  readonly measurements: readonly Measurement[];
  /** Of an intermediate status (A 3.7): its code and the time that the terminal now wants. */
  readonly intermediate?: { readonly status: number; readonly minutes: number | null };
  /** Why the data block could not be read to its end. `unknown`: what came before is good. */
  readonly stop: null | { readonly why: 'unknown' | 'cut'; readonly id: number; readonly bytesLeft: number };
}

/** Commands whose data block begins with the merchant's password, which is never told. */
const PASSWORD_FIRST: ReadonlySet<number> = new Set([
  COMMAND.statusEnquiry,
  COMMAND.repeatReceipt,
  COMMAND.reversal,
  COMMAND.refund,
  COMMAND.endOfDay,
  COMMAND.initialisation,
  0x061b,
]);

const PASSWORD_BYTES = 3;
const PRINT_TLV = 0x06;
/** A completion's data block begins with a text of this form only after a status enquiry (A 2.55). */
const LEADING_TEXT_NIBBLE = 0x0f;

/** Reads one whole APDU. `undefined`: cut, or a length byte that disagrees. Pure, never throws. */
export function decodeApdu(bytes: Uint8Array): Message | undefined {
  const apdu = readApdu(bytes);
  return apdu === undefined ? undefined : decodeData(apdu);
}

function decodeData({ control, data }: Apdu): Message {
  const collector = new FieldCollector();
  const told = { control, fields: collector.fields, measurements: collector.measurements };
  if (control >> 8 === NEGATIVE_CLASS) {
    collector.resultCode(control & 0xff);
    return { ...told, stop: collector.block(data) };
  }
  switch (control) {
    case COMMAND.intermediateStatus:
      return { ...told, ...intermediate(collector, data) };
    case COMMAND.abortByTerminal:
      return { ...told, stop: abort(collector, data) };
    case COMMAND.completion:
      return { ...told, stop: completion(collector, data) };
    case COMMAND.printLine:
      return { ...told, stop: printLine(collector, data) };
    case COMMAND.registration:
      return { ...told, stop: registration(collector, data) };
    case COMMAND.readCard:
      if (data.length > 0) collector.add('timeout', data[0] ?? 0);
      return { ...told, stop: collector.block(data.subarray(1)) };
    default:
      return { ...told, stop: collector.block(PASSWORD_FIRST.has(control) ? data.subarray(PASSWORD_BYTES) : data) };
  }
}

function intermediate(collector: FieldCollector, data: Uint8Array): Pick<Message, 'intermediate' | 'stop'> {
  const status = data[0];
  if (status === undefined) return { stop: null };
  collector.add('intermediateStatus', status);
  const minutes = data.length > 1 ? (bcdNumber(data.subarray(1, 2)) ?? null) : null;
  if (minutes !== null) collector.add('timeout', minutes, 'min');
  return { intermediate: { status, minutes }, stop: collector.block(data.subarray(2)) };
}

/** A 3.3: the result code, for 6F the terminal's currency without its id, then bitmaps. */
function abort(collector: FieldCollector, data: Uint8Array): Message['stop'] {
  const resultCode = data[0];
  if (resultCode === undefined) return null;
  collector.resultCode(resultCode);
  const bare = resultCode === RESULT.wrongCurrency && data.length >= 3 && data[1] !== PRINT_TLV ? 2 : 0;
  if (bare > 0) collector.currency(data.subarray(1, 3));
  return collector.block(data.subarray(1 + bare));
}

function completion(collector: FieldCollector, data: Uint8Array): Message['stop'] {
  const leading = (data[0] ?? 0) >> 4 === LEADING_TEXT_NIBBLE ? leadingText(data) : undefined;
  if (leading === undefined) return collector.block(data);
  collector.fields.softwareVersion = readPadded(leading.text);
  collector.add('softwareVersion', collector.fields.softwareVersion);
  const status = leading.rest[0];
  if (status === undefined) return null;
  collector.fields.terminalStatus = status;
  collector.add('terminalStatus', status);
  return collector.block(leading.rest.subarray(1));
}

/** A 3.5: attribute, text, and with some terminals a TLV container behind it; 06 is no printable character. */
function printLine(collector: FieldCollector, data: Uint8Array): Message['stop'] {
  if (data.length === 0) return null;
  collector.add('attribute', data[0] ?? 0);
  const tlv = data.indexOf(PRINT_TLV, 1);
  collector.line(readText(data.subarray(1, tlv < 0 ? undefined : tlv)));
  return tlv < 0 ? null : collector.block(data.subarray(tlv));
}

/** A 2.1: password, configuration byte, then optionally the currency without its id. */
function registration(collector: FieldCollector, data: Uint8Array): Message['stop'] {
  const config = data[PASSWORD_BYTES];
  if (config === undefined) return null;
  collector.add('configByte', config);
  const rest = data.subarray(PASSWORD_BYTES + 1);
  // The currency has no id and may be missing; a service byte (03) or a container (06) then stands in its place.
  const bare = currencyCode(rest.subarray(0, 2)) === undefined ? 0 : 2;
  if (bare > 0) collector.currency(rest.subarray(0, bare));
  return collector.block(rest.subarray(bare));
}
