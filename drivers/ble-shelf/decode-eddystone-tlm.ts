import type { Measurement } from '../api/format.ts';
import { byteReader } from '../lib/byte-reader.ts';
import { bad, type SensorDecoding } from './decoding.ts';

const FRAME_TLM = 0x20;
const VERSION_PLAIN = 0x00;
const FRAME_BYTES = 14;
const TEMPERATURE_ABSENT = 0x8000;

/**
 * Reads unencrypted Eddystone telemetry (service data of 0xFEAA, after the UUID). A voltage of 0 and a temperature of
 * 0x8000 mean "not available" and are absent. `sec_cnt` is the time since boot.
 *
 * Written by hand because advlib-ble-services 1.7.0 reads both as values: 0 V and −128 °C.
 * @see https://github.com/google/eddystone/blob/master/eddystone-tlm/tlm-plain.md
 */
export function decodeEddystoneTlm(bytes: Uint8Array): SensorDecoding {
  const reader = byteReader(bytes);
  const frame = reader.u8();
  const version = reader.u8();
  if (frame === undefined) return bad('empty');
  if (frame !== FRAME_TLM) return bad('unknown-frame');
  if (version === undefined) return bad('truncated');
  if (version !== VERSION_PLAIN) return bad('unsupported-version');
  const voltage = reader.u16be();
  const temperature = reader.u16be();
  const advertisements = reader.u32be();
  const tenths = reader.u32be();
  if (tenths === undefined || advertisements === undefined || temperature === undefined || voltage === undefined)
    return bad('truncated');
  if (bytes.length !== FRAME_BYTES) return bad('trailing-bytes');
  const measurements: Measurement[] = [];
  if (voltage !== 0) measurements.push({ name: 'voltage', value: voltage / 1000, unit: 'V' });
  if (temperature !== TEMPERATURE_ABSENT) {
    const signed = temperature > 0x7fff ? temperature - 0x10000 : temperature;
    measurements.push({ name: 'temperature', value: signed / 256, unit: '°C' });
  }
  measurements.push({ name: 'adv_cnt', value: advertisements });
  measurements.push({ name: 'sec_cnt', value: tenths / 10, unit: 's' });
  return { ok: true, measurements };
}
