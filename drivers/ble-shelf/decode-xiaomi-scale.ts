import type { DecodeOptions, Measurement } from '../api/format.ts';
import { byteReader, type ByteReader } from '../lib/byte-reader.ts';
import { bad, type DecodeFaultCode, type SensorDecoding } from './decoding.ts';
import { UUID_BODY_COMPOSITION, UUID_WEIGHT_SCALE } from './protocol.ts';

const V1_BYTES = 10;
const V2_BYTES = 13;
const STABILIZED = 0x20;
const REMOVED = 0x80;
const V1_POUNDS = 0x01;
const V1_JIN = 0x10;
const V2_IMPEDANCE = 0x02;
const V2_JIN = 0x40;
const V2_KILOGRAMS = 0x02;
const V2_POUNDS = 0x03;

/**
 * Reads the service data of Xiaomi's Mi scales: version 1 under 0x181D (10 bytes), version 2 under 0x181B (13 bytes).
 * Without `uuid` the length tells them apart. `mass` keeps the unit that is set at the scale.
 *
 * @see https://github.com/Bluetooth-Devices/xiaomi-ble and custom-components/ble_monitor, which agree on the layout
 */
export function decodeXiaomiScale(bytes: Uint8Array, options: DecodeOptions): SensorDecoding {
  const uuid = options.uuid?.toLowerCase() ?? (bytes.length === V2_BYTES ? UUID_BODY_COMPOSITION : UUID_WEIGHT_SCALE);
  if (bytes.length === 0) return bad('empty');
  if (uuid === UUID_WEIGHT_SCALE) return sized(bytes, V1_BYTES) ?? versionOne(byteReader(bytes));
  if (uuid === UUID_BODY_COMPOSITION) return sized(bytes, V2_BYTES) ?? versionTwo(byteReader(bytes));
  return bad('unknown-uuid');
}

const sized = (bytes: Uint8Array, length: number): SensorDecoding | undefined =>
  bytes.length === length ? undefined : bad(bytes.length < length ? 'truncated' : 'trailing-bytes');

function versionOne(reader: ByteReader): SensorDecoding {
  const control = reader.u8() ?? 0;
  const raw = reader.u16le() ?? 0;
  const pounds = (control & V1_POUNDS) !== 0;
  const jin = (control & V1_JIN) !== 0;
  if (pounds && jin) return bad('conflicting-units');
  return {
    ok: true,
    measurements: [massOf(raw, pounds ? 'lb' : jin ? 'jin' : 'kg'), ...state(control)],
    ...timeOf(reader),
  };
}

function versionTwo(reader: ByteReader): SensorDecoding {
  const unitByte = reader.u8() ?? 0;
  const control = reader.u8() ?? 0;
  const unit = unitOf(unitByte, control);
  const time = timeOf(reader);
  const impedance = reader.u16le() ?? 0;
  const raw = reader.u16le() ?? 0;
  if (unit !== 'kg' && unit !== 'lb' && unit !== 'jin') return bad(unit);
  const measurements = [massOf(raw, unit), ...state(control)];
  if ((control & V2_IMPEDANCE) !== 0) measurements.push({ name: 'impedance', value: impedance, unit: 'Ω' });
  return { ok: true, measurements, ...time };
}

function unitOf(unitByte: number, control: number): 'kg' | 'lb' | 'jin' | DecodeFaultCode {
  if ((control & V2_JIN) !== 0) return unitByte === V2_POUNDS ? 'conflicting-units' : 'jin';
  if (unitByte === V2_KILOGRAMS) return 'kg';
  return unitByte === V2_POUNDS ? 'lb' : 'unknown-unit';
}

const massOf = (raw: number, unit: 'kg' | 'lb' | 'jin'): Measurement => ({
  name: 'mass',
  value: raw / (unit === 'kg' ? 200 : 100),
  unit,
});

const state = (control: number): Measurement[] => [
  { name: 'stabilized', value: (control & STABILIZED) !== 0 },
  { name: 'weight_removed', value: (control & REMOVED) !== 0 },
];

/** The scale's own clock, local time without a zone; absent where its fields are no date. */
function timeOf(reader: ByteReader): { time?: string } {
  const year = reader.u16le() ?? 0;
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = reader.bytes(5) ?? [];
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59) return {};
  const two = (value: number): string => String(value).padStart(2, '0');
  return {
    time: `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`,
  };
}
