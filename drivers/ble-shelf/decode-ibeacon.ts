import { process as readFrame } from 'advlib-ble-manufacturers/lib/apple.js';
import { bad, type SensorDecoding } from './decoding.ts';

const FRAME_IBEACON = 0x02;

/**
 * Reads an iBeacon (Apple manufacturer data, after the company id) with advlib-ble-manufacturers: it says that a thing
 * is here and how far away, nothing else. `tx_power` is the RSSI at one metre.
 *
 * @see https://developer.apple.com/ibeacon
 */
export function decodeIbeacon(bytes: Uint8Array): SensorDecoding {
  if (bytes.length === 0) return bad('empty');
  if (bytes[0] !== FRAME_IBEACON) return bad('unknown-frame');
  // advlib reads the length byte unseen: a frame of one byte would make it throw.
  const fields = bytes.length < 2 ? null : readFrame(Buffer.from(bytes));
  const ids = fields?.['deviceIds'];
  const id: unknown = Array.isArray(ids) ? ids[0] : undefined;
  const power = fields?.['txPower'];
  if (typeof id !== 'string' || typeof power !== 'number') return bad('wrong-length');
  const [uuid = '', major = '', minor = ''] = id.split('/');
  return {
    ok: true,
    measurements: [
      { name: 'uuid', value: uuid },
      { name: 'major', value: Number.parseInt(major, 16) },
      { name: 'minor', value: Number.parseInt(minor, 16) },
      { name: 'tx_power', value: power, unit: 'dBm' },
    ],
  };
}
