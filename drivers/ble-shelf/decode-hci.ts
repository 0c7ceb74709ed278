import type { DecodeOptions } from '../api/format.ts';
import { byteReader, type ByteReader } from '../lib/byte-reader.ts';
import { decodeAdvertisingData, type AdvertisingData } from './decode-advertising-data.ts';
import {
  bad,
  fault,
  printAddress,
  toHex,
  type DecodeFault,
  type DeviceEvent,
  type SensorDecoding,
} from './decoding.ts';
import { decodePayload, payloadsOf, type DecodedPayload } from './payloads.ts';

const H4_EVENT = 0x04;
const EVENT_LE_META = 0x3e;
const LE_ADVERTISING_REPORT = 0x02;
const LE_EXTENDED_ADVERTISING_REPORT = 0x0d;
/** Advertising_Report Event_Type: the connectable ones are ADV_IND and ADV_DIRECT_IND. */
const LEGACY_CONNECTABLE = new Set([0x00, 0x01]);
const EXTENDED_CONNECTABLE = 0x01;
const EXTENDED_STATUS_SHIFT = 5;

/** One report of an HCI event, not yet interpreted. `data` is a view. */
interface Report {
  readonly address: string;
  readonly addressType: 'public' | 'random' | 'unknown';
  readonly rssi: number;
  readonly connectable: boolean;
  readonly incomplete: boolean;
  readonly data: Uint8Array;
}

/**
 * Reads one whole H4 packet that carries LE advertising reports, legacy or extended, and with them every sensor payload
 * that a format of this family knows. `measurements` joins those of all reports; `adverts` keeps them apart.
 *
 * @see Bluetooth Core Specification 5.4, Vol 4, Part E, §7.7.65.2 and §7.7.65.13; Part A for H4
 */
export function decodeHci(bytes: Uint8Array, options: DecodeOptions): SensorDecoding {
  const reader = byteReader(bytes);
  if (bytes.length === 0) return bad('empty');
  if (reader.u8() !== H4_EVENT) return bad('not-h4');
  const event = reader.u8();
  const length = reader.u8();
  if (length === undefined || reader.remaining < length) return bad('truncated');
  if (reader.remaining > length) return bad('trailing-bytes');
  const subevent = event === EVENT_LE_META ? reader.u8() : undefined;
  if (subevent !== LE_ADVERTISING_REPORT && subevent !== LE_EXTENDED_ADVERTISING_REPORT) return bad('not-advertising');
  const count = reader.u8();
  const read = subevent === LE_ADVERTISING_REPORT ? legacyReport : extendedReport;
  const adverts: Advert[] = [];
  let damage: DecodeFault | undefined;
  for (let index = 0; index < (count ?? 0) && damage === undefined; index += 1) {
    const report = read(reader);
    if (report === undefined) damage = fault('truncated');
    else adverts.push(describe(report, options));
  }
  if (damage === undefined && reader.remaining > 0) damage = fault('trailing-bytes');
  damage ??= adverts.find((advert) => advert.fault !== undefined)?.fault;
  if (damage === undefined && adverts.length === 0) damage = fault('truncated');
  const first = adverts[0];
  const common = {
    measurements: adverts.flatMap((advert) => advert.payloads.flatMap((payload) => payload.measurements)),
    ...(first === undefined ? {} : { address: first.address, rssi: first.rssi }),
    ...eventsOf(adverts),
    adverts,
  };
  return damage === undefined ? { ...common, ok: true } : { ...common, ok: false, error: damage };
}

interface Advert {
  readonly address: string;
  readonly addressType: string;
  readonly rssi: number;
  readonly connectable: boolean;
  readonly localName?: string;
  readonly serviceData: readonly { readonly uuid: string; readonly data: string }[];
  readonly manufacturerData: readonly string[];
  readonly payloads: readonly DecodedPayload[];
  readonly fault?: DecodeFault;
}

function eventsOf(adverts: readonly Advert[]): { events?: readonly DeviceEvent[] } {
  const events = adverts.flatMap((advert) => advert.payloads.flatMap((payload) => payload.events ?? []));
  return events.length === 0 ? {} : { events };
}

function describe(report: Report, options: DecodeOptions): Advert {
  const data: AdvertisingData = decodeAdvertisingData(report.data);
  const payloads = payloadsOf(data).map((payload) => decodePayload(payload, { ...options, address: report.address }));
  const wrong = report.incomplete
    ? fault('advert-incomplete')
    : (data.fault ?? payloads.find((payload) => payload.error !== undefined)?.error);
  return {
    address: report.address,
    addressType: report.addressType,
    rssi: report.rssi,
    connectable: report.connectable,
    ...(data.localName === undefined ? {} : { localName: data.localName }),
    serviceData: data.serviceData.map((entry) => ({ uuid: entry.uuid, data: toHex(entry.data) })),
    manufacturerData: data.manufacturerData.map(toHex),
    payloads,
    ...(wrong === undefined ? {} : { fault: wrong }),
  };
}

/** Public and random identity addresses count as what they resolve to; 0xFF in an extended report means anonymous. */
const addressTypes: readonly Report['addressType'][] = ['public', 'random', 'public', 'random'];

function addressOf(reader: ByteReader): Pick<Report, 'address' | 'addressType'> | undefined {
  const type = reader.u8();
  const bytes = reader.bytes(6);
  if (type === undefined || bytes === undefined) return undefined;
  return { address: printAddress(Uint8Array.from(bytes).reverse()), addressType: addressTypes[type] ?? 'unknown' };
}

function legacyReport(reader: ByteReader): Report | undefined {
  const type = reader.u8();
  const address = addressOf(reader);
  const length = reader.u8();
  const data = length === undefined ? undefined : reader.bytes(length);
  const rssi = reader.s8();
  if (type === undefined || address === undefined || data === undefined || rssi === undefined) return undefined;
  return { ...address, rssi, connectable: LEGACY_CONNECTABLE.has(type), incomplete: false, data };
}

function extendedReport(reader: ByteReader): Report | undefined {
  const type = reader.u16le();
  const address = addressOf(reader);
  // Primary PHY, secondary PHY, advertising SID, TX power.
  reader.bytes(4);
  const rssi = reader.s8();
  // Periodic advertising interval, direct address type and direct address.
  reader.bytes(9);
  const length = reader.u8();
  const data = length === undefined ? undefined : reader.bytes(length);
  if (type === undefined || address === undefined || rssi === undefined || data === undefined) return undefined;
  const incomplete = ((type >> EXTENDED_STATUS_SHIFT) & 3) !== 0;
  return { ...address, rssi, connectable: (type & EXTENDED_CONNECTABLE) !== 0, incomplete, data };
}
