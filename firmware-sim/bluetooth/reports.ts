import {
  ADV_IND,
  ADV_NONCONN_IND,
  ADV_SCAN_IND,
  EXTENDED_REPORT_DATA_BYTES,
  EXT_CONNECTABLE,
  EXT_LEGACY,
  EXT_MORE_TO_COME,
  EXT_SCANNABLE,
  EXT_SCAN_RESPONSE,
  H4_EVENT,
  LEGACY_DATA_BYTES,
  LE_ADVERTISING_REPORT,
  LE_EXTENDED_ADVERTISING_REPORT,
  LE_META,
  SCAN_RSP,
} from './hci-protocol.ts';
import { addressBytes, type AdvertisingKind } from './peripheral.ts';

/** Who is on the air, and how loud. */
export interface Heard {
  readonly address: string;
  readonly addressType: 'public' | 'random';
  readonly rssiDbm: number;
}

const signedByte = (value: number): number => Math.max(-127, Math.min(20, Math.round(value))) & 0xff;
const typeByte = (heard: Heard): number => (heard.addressType === 'random' ? 1 : 0);

export type LegacyKind = 'connectable' | 'scannable' | 'non-connectable';

const legacyType: Readonly<Record<LegacyKind, number>> = {
  connectable: ADV_IND,
  scannable: ADV_SCAN_IND,
  'non-connectable': ADV_NONCONN_IND,
};

export const isLegacy = (kind: AdvertisingKind): kind is LegacyKind => kind in legacyType;

/** LE Advertising Report, one report (Vol 4, Part E, §7.7.65.2). */
export function legacyReport(heard: Heard, pdu: LegacyKind | 'scan-response', data: Uint8Array): Uint8Array {
  const body = data.subarray(0, LEGACY_DATA_BYTES);
  const type = pdu === 'scan-response' ? SCAN_RSP : legacyType[pdu];
  return event([
    LE_ADVERTISING_REPORT,
    1,
    type,
    typeByte(heard),
    ...addressBytes(heard.address),
    body.length,
    ...body,
    signedByte(heard.rssiDbm),
  ]);
}

const extendedType = {
  connectable: EXT_CONNECTABLE | EXT_SCANNABLE | EXT_LEGACY,
  scannable: EXT_SCANNABLE | EXT_LEGACY,
  'non-connectable': EXT_LEGACY,
  extended: 0,
  'extended-connectable': EXT_CONNECTABLE,
} as const;

export interface ExtendedReportOptions {
  readonly kind: AdvertisingKind;
  readonly scanResponse?: boolean;
  readonly advertisingSid: number;
  /** Data bytes per report: more is sent in several, all but the last marked "more to come". */
  readonly fragmentBytes: number;
}

/** LE Extended Advertising Reports, one per fragment (Vol 4, Part E, §7.7.65.13). */
export function extendedReports(heard: Heard, data: Uint8Array, options: ExtendedReportOptions): Uint8Array[] {
  const size = Math.max(1, Math.min(options.fragmentBytes, EXTENDED_REPORT_DATA_BYTES));
  const type = extendedType[options.kind] | (options.scanResponse === true ? EXT_SCAN_RESPONSE : 0);
  const count = Math.max(1, Math.ceil(data.length / size));
  return Array.from({ length: count }, (_, index) => {
    const part = data.subarray(index * size, (index + 1) * size);
    const status = index < count - 1 ? EXT_MORE_TO_COME : 0;
    const secondaryPhy = isLegacy(options.kind) ? 0 : 1;
    return event([
      LE_EXTENDED_ADVERTISING_REPORT,
      1,
      (type | status) & 0xff,
      0,
      typeByte(heard),
      ...addressBytes(heard.address),
      1,
      secondaryPhy,
      isLegacy(options.kind) ? 0xff : options.advertisingSid,
      0x7f,
      signedByte(heard.rssiDbm),
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      part.length,
      ...part,
    ]);
  });
}

const event = (parameters: readonly number[]): Uint8Array =>
  Uint8Array.from([H4_EVENT, LE_META, parameters.length, ...parameters]);
