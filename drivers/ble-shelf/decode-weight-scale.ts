import type { Measurement } from '../api/format.ts';
import { byteReader } from '../lib/byte-reader.ts';
import { bad, type SensorDecoding } from './decoding.ts';
import {
  UUID_HUMIDITY,
  UUID_PRESSURE,
  UUID_TEMPERATURE,
  WEIGHT_FLAG_BMI,
  WEIGHT_FLAG_IMPERIAL,
  WEIGHT_FLAG_TIME,
  WEIGHT_FLAG_USER,
  WEIGHT_UNSUCCESSFUL,
  WEIGHT_USER_UNKNOWN,
} from './protocol.ts';

/**
 * Reads a Weight Measurement value (characteristic 0x2A9D of the Weight Scale Service 0x181D). Pounds stay pounds.
 * Resolutions: 0.005 kg or 0.01 lb; height 0.001 m or 0.1 in; BMI 0.1.
 *
 * @see Bluetooth SIG, Weight Scale Service 1.0 §3.2 and GATT Specification Supplement, Weight Measurement
 */
export function decodeWeightMeasurement(bytes: Uint8Array): SensorDecoding {
  const reader = byteReader(bytes);
  const flags = reader.u8();
  if (flags === undefined) return bad('empty');
  const weight = reader.u16le();
  if (weight === undefined) return bad('truncated');
  if (weight === WEIGHT_UNSUCCESSFUL) return bad('measurement-unsuccessful');
  const imperial = (flags & WEIGHT_FLAG_IMPERIAL) !== 0;
  const measurements: Measurement[] = [
    imperial
      ? { name: 'mass', value: weight / 100, unit: 'lb' }
      : { name: 'mass', value: (weight * 5) / 1000, unit: 'kg' },
  ];
  let time: { time?: string } = {};
  if ((flags & WEIGHT_FLAG_TIME) !== 0) {
    const field = reader.bytes(7);
    if (field === undefined) return bad('truncated', measurements);
    time = dateTime(field);
  }
  if ((flags & WEIGHT_FLAG_USER) !== 0) {
    const user = reader.u8();
    if (user === undefined) return bad('truncated', measurements);
    if (user !== WEIGHT_USER_UNKNOWN) measurements.push({ name: 'user_id', value: user });
  }
  if ((flags & WEIGHT_FLAG_BMI) !== 0) {
    const bmi = reader.u16le();
    const height = reader.u16le();
    if (bmi === undefined || height === undefined) return bad('truncated', measurements);
    measurements.push({ name: 'bmi', value: bmi / 10, unit: 'kg/m²' });
    measurements.push(
      imperial
        ? { name: 'height', value: height / 10, unit: 'in' }
        : { name: 'height', value: height / 1000, unit: 'm' },
    );
  }
  if (reader.remaining > 0) return bad('trailing-bytes', measurements);
  return { ok: true, measurements, ...time };
}

/** Date Time: year u16, month, day, hours, minutes, seconds; a 0 in year, month or day means "not known". */
function dateTime(bytes: Uint8Array): { time?: string } {
  const reader = byteReader(bytes);
  const year = reader.u16le() ?? 0;
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = reader.bytes(5) ?? [];
  if (year < 1582 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59)
    return {};
  const two = (value: number): string => String(value).padStart(2, '0');
  return { time: `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}` };
}

/**
 * Reads one characteristic of the Environmental Sensing Service (0x181A): temperature 0x2A6E (s16, 0.01 °C), humidity
 * 0x2A6F (u16, 0.01 %), pressure 0x2A6D (u32, 0.1 Pa). The marked "not known" values give no measurement.
 *
 * @see Bluetooth SIG, GATT Specification Supplement
 */
export function decodeEnvironmental(characteristic: string, bytes: Uint8Array): SensorDecoding {
  const reader = byteReader(bytes);
  const single = (raw: number | undefined, absent: number | undefined, make: (raw: number) => Measurement) => {
    if (raw === undefined) return bad(bytes.length === 0 ? 'empty' : 'truncated');
    if (reader.remaining > 0) return bad('trailing-bytes');
    return { ok: true as const, measurements: raw === absent ? [] : [make(raw)] };
  };
  switch (characteristic) {
    case UUID_TEMPERATURE:
      return single(reader.s16le(), -32_768, (raw) => ({ name: 'temperature', value: raw / 100, unit: '°C' }));
    case UUID_HUMIDITY:
      return single(reader.u16le(), 0xffff, (raw) => ({ name: 'humidity', value: raw / 100, unit: '%' }));
    case UUID_PRESSURE:
      return single(reader.u32le(), undefined, (raw) => ({ name: 'pressure', value: raw / 1000, unit: 'hPa' }));
    default:
      return bad('unknown-uuid');
  }
}
