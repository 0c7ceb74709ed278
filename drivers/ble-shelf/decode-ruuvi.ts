import type { Measurement } from '../api/format.ts';
import { byteReader, type ByteReader } from '../lib/byte-reader.ts';
import { bad, printAddress, roundTo, type SensorDecoding } from './decoding.ts';

const CUT_BYTES = 18;
const CUT_ADDRESS_OFFSET = 12;
const RANDOM_STATIC = 0xc0;
const RAW_V2_BYTES = 24;
const RAW_V1_BYTES = 14;
const AIR_BYTES = 20;
const AIR_EXTENDED_BYTES = 40;
const AIR_LUMINOSITY_MAX_CODE = 254;
const AIR_LUMINOSITY_MAX_LUX = 65_535;

/**
 * Reads Ruuvi manufacturer data (the bytes after the company id), formats 3, 5, C5, 6 and E1. A value that the tag marks
 * as not available is absent. All fields are most significant byte first.
 *
 * @see https://docs.ruuvi.com/communication/bluetooth-advertisements
 */
export function decodeRuuvi(bytes: Uint8Array): SensorDecoding {
  const reader = byteReader(bytes);
  const format = reader.u8();
  switch (format) {
    case undefined:
      return bad('empty');
    case 0x03:
      // Early firmware pads the frame, so only a shorter one is wrong.
      return bytes.length < RAW_V1_BYTES ? bad('truncated') : rawV1(reader);
    case 0x05:
      // The published vectors of C5 carry 05 in their first byte. A format 5 cut to that length is told apart by what
      // then stands in the place of the address: a tag's own is random static, its two highest bits set.
      if (bytes.length === CUT_BYTES && (bytes[CUT_ADDRESS_OFFSET] ?? 0) >= RANDOM_STATIC) return rawV2(reader, false);
      return sized(bytes, RAW_V2_BYTES) ?? rawV2(reader, true);
    case 0xc5:
      return sized(bytes, CUT_BYTES) ?? rawV2(reader, false);
    case 0x06:
      return sized(bytes, AIR_BYTES) ?? air(reader);
    case 0xe1:
      return sized(bytes, AIR_EXTENDED_BYTES) ?? airExtended(reader);
    default:
      return bad('unknown-frame');
  }
}

const sized = (bytes: Uint8Array, length: number): SensorDecoding | undefined =>
  bytes.length === length ? undefined : bad(bytes.length < length ? 'truncated' : 'trailing-bytes');

interface Sheet {
  readonly measurements: Measurement[];
  readonly add: (
    name: string,
    raw: number | undefined,
    absent: number,
    value: (raw: number) => number,
    unit?: string,
  ) => void;
}

const sheet = (): Sheet => {
  const measurements: Measurement[] = [];
  return {
    measurements,
    add: (name, raw, absent, value, unit) => {
      if (raw === undefined || raw === absent) return;
      measurements.push({ name, value: value(raw), ...(unit === undefined ? {} : { unit }) });
    },
  };
};

const ABSENT_S16 = -32_768;
const ABSENT_U16 = 0xffff;
/** No raw value means "not available" in this field. */
const NEVER = -1;
const asIs = (raw: number): number => raw;

function climate(reader: ByteReader, { add }: Sheet): void {
  add('temperature', reader.s16be(), ABSENT_S16, (raw) => (raw * 5) / 1000, '°C');
  add('humidity', reader.u16be(), ABSENT_U16, (raw) => (raw * 25) / 10_000, '%');
  add('pressure', reader.u16be(), ABSENT_U16, (raw) => (raw + 50_000) / 100, 'hPa');
}

function macOf(bytes: Uint8Array | undefined): { mac?: string } {
  return bytes === undefined || bytes.every((byte) => byte === 0xff) ? {} : { mac: printAddress(bytes) };
}

function rawV1(reader: ByteReader): SensorDecoding {
  const page = sheet();
  const { add } = page;
  add('humidity', reader.u8(), NEVER, (raw) => raw / 2, '%');
  const whole = reader.u8() ?? 0;
  const hundredths = reader.u8() ?? 0;
  // Sign and magnitude, not two's complement; beyond ±127.99 the fraction has no meaning.
  const magnitude = ((whole & 0x7f) * 100 + hundredths) / 100;
  add('temperature', hundredths > 99 ? NEVER : 0, NEVER, () => (whole < 0x80 ? magnitude : -magnitude), '°C');
  add('pressure', reader.u16be(), NEVER, (raw) => (raw + 50_000) / 100, 'hPa');
  for (const axis of ['x', 'y', 'z'])
    add(`acceleration_${axis}`, reader.s16be(), NEVER_SIGNED, (raw) => raw / 1000, 'G');
  add('voltage', reader.u16be(), NEVER, (raw) => raw / 1000, 'V');
  return { ok: true, measurements: page.measurements, dataFormat: 3 };
}

const NEVER_SIGNED = Number.NaN;

function rawV2(reader: ByteReader, withAcceleration: boolean): SensorDecoding {
  const page = sheet();
  const { add } = page;
  climate(reader, page);
  if (withAcceleration)
    for (const axis of ['x', 'y', 'z'])
      add(`acceleration_${axis}`, reader.s16be(), ABSENT_S16, (raw) => raw / 1000, 'G');
  const power = reader.u16be() ?? 0xffff;
  add('voltage', power >> 5, 0x7ff, (raw) => (raw + 1600) / 1000, 'V');
  add('tx_power', power & 0x1f, 0x1f, (raw) => raw * 2 - 40, 'dBm');
  add('movement_counter', reader.u8(), 0xff, asIs);
  add('measurement_sequence', reader.u16be(), ABSENT_U16, asIs);
  return {
    ok: true,
    measurements: page.measurements,
    ...macOf(reader.bytes(6)),
    dataFormat: withAcceleration ? 5 : 'C5',
  };
}

/** Nine bits: eight of them in the field, the least significant one in the flags. */
const nineBits = (field: number | undefined, flags: number, bit: number): number =>
  ((field ?? 0xff) << 1) | ((flags >> bit) & 1);

function air(reader: ByteReader): SensorDecoding {
  const page = sheet();
  const { add } = page;
  climate(reader, page);
  add('pm_2_5', reader.u16be(), ABSENT_U16, (raw) => raw / 10, 'µg/m³');
  add('co2', reader.u16be(), ABSENT_U16, asIs, 'ppm');
  const voc = reader.u8();
  const nox = reader.u8();
  const luminosity = reader.u8();
  reader.u8();
  const sequence = reader.u8();
  const flags = reader.u8() ?? 0;
  add('voc', nineBits(voc, flags, 6), 0x1ff, asIs);
  add('nox', nineBits(nox, flags, 7), 0x1ff, asIs);
  const delta = Math.log(AIR_LUMINOSITY_MAX_LUX + 1) / AIR_LUMINOSITY_MAX_CODE;
  add('luminosity', luminosity, 0xff, (raw) => roundTo(Math.exp(raw * delta) - 1, 2), 'lx');
  add('measurement_sequence', sequence, NEVER, asIs);
  const measurements = [...page.measurements, { name: 'calibration_in_progress', value: (flags & 1) === 1 }];
  return { ok: true, measurements, ...macOf(reader.bytes(3)), dataFormat: 6 };
}

function airExtended(reader: ByteReader): SensorDecoding {
  const page = sheet();
  const { add } = page;
  climate(reader, page);
  for (const size of ['1_0', '2_5', '4_0', '10_0'])
    add(`pm_${size}`, reader.u16be(), ABSENT_U16, (raw) => raw / 10, 'µg/m³');
  add('co2', reader.u16be(), ABSENT_U16, asIs, 'ppm');
  const voc = reader.u8();
  const nox = reader.u8();
  const luminosity = reader.u24be();
  reader.bytes(3);
  const sequence = reader.u24be();
  const flags = reader.u8() ?? 0;
  reader.bytes(5);
  add('voc', nineBits(voc, flags, 6), 0x1ff, asIs);
  add('nox', nineBits(nox, flags, 7), 0x1ff, asIs);
  add('luminosity', luminosity, 0xffffff, (raw) => raw / 100, 'lx');
  add('measurement_sequence', sequence, 0xffffff, asIs);
  const measurements = [...page.measurements, { name: 'calibration_in_progress', value: (flags & 1) === 1 }];
  return { ok: true, measurements, ...macOf(reader.bytes(6)), dataFormat: 'E1' };
}
