import { process as readFrame } from 'advlib-ble-services/lib/minew.js';
import type { Measurement } from '../api/format.ts';
import { bad, printAddress, type SensorDecoding } from './decoding.ts';

const FRAME_TYPE = 0xa1;
const VERSION_INFO = 0x08;
const ADDRESS_BYTES = 6;
const INFO_ADDRESS_OFFSET = 3;
const AXES = ['x', 'y', 'z'] as const;

/** advlib's field → our measurement, in the order of the bytes: the battery always comes first. */
const numbers: readonly (readonly [field: string, name: string, unit: string, scale?: number])[] = [
  ['batteryPercentage', 'battery', '%'],
  ['temperature', 'temperature', '°C'],
  ['relativeHumidity', 'humidity', '%'],
  ['illuminance', 'illuminance', 'lx'],
  ['luminousFlux', 'luminous_flux', 'lm'],
  ['volatileOrganicCompoundsConcentration', 'tvoc', 'ppm'],
  ['pressure', 'pressure', 'hPa', 1 / 100],
];
const vectorFields: readonly (readonly [field: string, name: string, unit: string])[] = [
  ['acceleration', 'acceleration', 'g'],
  ['angularVelocity', 'angular_velocity', '°/s'],
  ['magneticField', 'magnetic_field', 'G'],
];
/** Frame version → what its flag says. advlib names visible light and tampering by their opposite, "contact". */
const flags: ReadonlyMap<number, readonly [field: string, name: string, inverted: boolean]> = new Map([
  [0x02, ['isContactDetected', 'light', true]],
  [0x11, ['isMotionDetected', 'motion', false]],
  [0x18, ['isMotionDetected', 'vibration', false]],
  [0x20, ['isContactDetected', 'tamper', true]],
  [0x21, ['isLiquidDetected', 'water_leak', false]],
]);

/**
 * Reads Minew service data (0xFFE1, after the UUID) with advlib-ble-services; adds the sender's address, which advlib
 * leaves out: it makes a tag recognisable behind a private advertising address.
 *
 * @see Minew, MiniBeaconPlus Configuration Instruction §2.2
 */
export function decodeMinew(bytes: Uint8Array): SensorDecoding {
  const version = bytes[1];
  if (bytes.length === 0) return bad('empty');
  if (bytes[0] !== FRAME_TYPE) return bad('unknown-frame');
  if (version === undefined) return bad('truncated');
  const fields = readFrame(Buffer.from(bytes));
  // advlib says neither "too short" nor "never heard of": it answers null to both.
  if (fields === null) return bad('unknown-frame');
  const measurements: Measurement[] = [];
  for (const [field, name, unit, scale = 1] of numbers) {
    const value = fields[field];
    if (typeof value === 'number') measurements.push({ name, value: value * scale, unit });
  }
  for (const [field, name, unit] of vectorFields) {
    const value = fields[field];
    if (!Array.isArray(value)) continue;
    for (const [index, axis] of AXES.entries()) {
      const component: unknown = value[index];
      if (typeof component === 'number') measurements.push({ name: `${name}_${axis}`, value: component, unit });
    }
  }
  const flag = flags.get(version);
  const raised = flag === undefined ? undefined : fields[flag[0]];
  if (flag !== undefined && Array.isArray(raised))
    measurements.push({ name: flag[1], value: (raised[0] === true) !== flag[2] });
  const address = version === VERSION_INFO ? bytes.subarray(INFO_ADDRESS_OFFSET) : bytes.subarray(-ADDRESS_BYTES);
  const mac = printAddress(Uint8Array.from(address.subarray(0, ADDRESS_BYTES)).reverse());
  const name = fields['name'];
  return {
    ok: true,
    measurements,
    mac,
    frame: version,
    ...(typeof name === 'string' ? { name } : {}),
  };
}
