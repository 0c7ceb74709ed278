import type { DecodeOptions, Measurement } from '../api/format.ts';
import { decodeBthome } from './decode-bthome.ts';
import { decodeEddystoneTlm } from './decode-eddystone-tlm.ts';
import { decodeIbeacon } from './decode-ibeacon.ts';
import { decodeMinew } from './decode-minew.ts';
import { decodeRuuvi } from './decode-ruuvi.ts';
import { decodeXiaomiScale } from './decode-xiaomi-scale.ts';
import type { DecodeFault, DeviceEvent, SensorDecoding } from './decoding.ts';
import {
  COMPANY_APPLE,
  COMPANY_RUUVI,
  UUID_BODY_COMPOSITION,
  UUID_BTHOME_V2,
  UUID_EDDYSTONE,
  UUID_MINEW,
  UUID_WEIGHT_SCALE,
} from './protocol.ts';

/** Formats that travel in advertisements. */
export const ADVERT_FORMATS = ['bthome', 'ruuvi', 'xiaomi-scale', 'eddystone-tlm', 'minew', 'ibeacon'] as const;
export type AdvertFormat = (typeof ADVERT_FORMATS)[number];

/** One part of an advertisement that a decoder claims by its UUID or company. */
export interface Payload {
  readonly format: AdvertFormat;
  /** The UUID for service data. */
  readonly uuid?: string;
  readonly data: Uint8Array;
}

export interface DecodedPayload {
  readonly format: AdvertFormat;
  readonly measurements: readonly Measurement[];
  readonly events?: readonly DeviceEvent[];
  readonly mac?: string;
  readonly error?: DecodeFault;
}

const byUuid: ReadonlyMap<string, AdvertFormat> = new Map<string, AdvertFormat>([
  [UUID_BTHOME_V2, 'bthome'],
  [UUID_WEIGHT_SCALE, 'xiaomi-scale'],
  [UUID_BODY_COMPOSITION, 'xiaomi-scale'],
  [UUID_EDDYSTONE, 'eddystone-tlm'],
  [UUID_MINEW, 'minew'],
]);
const byCompany: ReadonlyMap<number, AdvertFormat> = new Map<number, AdvertFormat>([
  [COMPANY_RUUVI, 'ruuvi'],
  [COMPANY_APPLE, 'ibeacon'],
]);

const EDDYSTONE_TLM_FRAME = 0x20;
const IBEACON_FRAME = 0x02;

/** The parts of an advertisement that some format of this family may read, in the order of the bytes. */
export function payloadsOf(advert: {
  readonly serviceData: readonly { readonly uuid: string; readonly data: Uint8Array }[];
  readonly manufacturerData: readonly Uint8Array[];
}): Payload[] {
  const found: Payload[] = [];
  for (const { uuid, data } of advert.serviceData) {
    const format = byUuid.get(uuid);
    // 0xFEAA also carries UID and URL frames, Apple's company id dozens of others: not damaged, just not ours.
    if (format === undefined || (format === 'eddystone-tlm' && data[0] !== EDDYSTONE_TLM_FRAME)) continue;
    found.push({ format, uuid, data });
  }
  for (const entry of advert.manufacturerData) {
    const format = byCompany.get((entry[0] ?? 0) | ((entry[1] ?? 0) << 8));
    const data = entry.subarray(2);
    if (format === undefined || (format === 'ibeacon' && data[0] !== IBEACON_FRAME)) continue;
    found.push({ format, data });
  }
  return found;
}

/** Reads one payload with the decoder of its format. */
export function readPayload(payload: Payload, options: DecodeOptions): SensorDecoding {
  switch (payload.format) {
    case 'bthome':
      return decodeBthome(payload.data, options);
    case 'ruuvi':
      return decodeRuuvi(payload.data);
    case 'xiaomi-scale':
      return decodeXiaomiScale(payload.data, payload.uuid === undefined ? options : { ...options, uuid: payload.uuid });
    case 'eddystone-tlm':
      return decodeEddystoneTlm(payload.data);
    case 'minew':
      return decodeMinew(payload.data);
    case 'ibeacon':
      return decodeIbeacon(payload.data);
  }
}

/** {@link readPayload} in the shape in which scans and `hci` show it. */
export function decodePayload(payload: Payload, options: DecodeOptions): DecodedPayload {
  const decoded = readPayload(payload, options);
  const mac = decoded['mac'];
  const events = decoded['events'];
  return {
    format: payload.format,
    measurements: decoded.measurements,
    ...(Array.isArray(events) ? { events: events as readonly DeviceEvent[] } : {}),
    ...(typeof mac === 'string' ? { mac } : {}),
    ...(decoded.ok ? {} : { error: decoded.error }),
  };
}
