/** How one BTHome v2 object is laid out. Values are integers, little-endian, divided by `divisor`. */
export type BthomeObject =
  | {
      readonly kind: 'number';
      readonly name: string;
      readonly unit?: string;
      readonly bytes: 1 | 2 | 3 | 4;
      readonly signed?: true;
      /** `value = raw × factor / divisor`, so that a decimal factor stays exact. */
      readonly divisor?: number;
      readonly factor?: number;
    }
  | { readonly kind: 'flag'; readonly name: string }
  | { readonly kind: 'button' | 'dimmer' }
  | { readonly kind: 'text' | 'raw'; readonly name: string }
  | { readonly kind: 'version'; readonly name: string; readonly bytes: 3 | 4 };

type NumberShape = { readonly divisor?: number; readonly signed?: true; readonly factor?: number };

const number = (name: string, bytes: 1 | 2 | 3 | 4, unit?: string, shape: NumberShape = {}): BthomeObject => ({
  kind: 'number',
  name,
  bytes,
  ...(unit === undefined ? {} : { unit }),
  ...shape,
});
const flag = (name: string): BthomeObject => ({ kind: 'flag', name });
const per = (divisor: number): NumberShape => ({ divisor });
const signedPer = (divisor: number): NumberShape => ({ divisor, signed: true });

/**
 * Every object id of BTHome v2. Names follow bthome-ble, the reference parser, because that is what the values are
 * called in Home Assistant.
 * @see https://bthome.io/format
 */
export const BTHOME_OBJECTS: ReadonlyMap<number, BthomeObject> = new Map<number, BthomeObject>([
  [0x00, number('packet_id', 1)],
  [0x01, number('battery', 1, '%')],
  [0x02, number('temperature', 2, '°C', signedPer(100))],
  [0x03, number('humidity', 2, '%', per(100))],
  [0x04, number('pressure', 3, 'hPa', per(100))],
  [0x05, number('illuminance', 3, 'lx', per(100))],
  [0x06, number('mass', 2, 'kg', per(100))],
  [0x07, number('mass', 2, 'lb', per(100))],
  [0x08, number('dew_point', 2, '°C', signedPer(100))],
  [0x09, number('count', 1)],
  [0x0a, number('energy', 3, 'kWh', per(1000))],
  [0x0b, number('power', 3, 'W', per(100))],
  [0x0c, number('voltage', 2, 'V', per(1000))],
  [0x0d, number('pm25', 2, 'µg/m³')],
  [0x0e, number('pm10', 2, 'µg/m³')],
  [0x0f, flag('generic')],
  [0x10, flag('power')],
  [0x11, flag('opening')],
  [0x12, number('carbon_dioxide', 2, 'ppm')],
  [0x13, number('volatile_organic_compounds', 2, 'µg/m³')],
  [0x14, number('moisture', 2, '%', per(100))],
  [0x15, flag('battery')],
  [0x16, flag('battery_charging')],
  [0x17, flag('carbon_monoxide')],
  [0x18, flag('cold')],
  [0x19, flag('connectivity')],
  [0x1a, flag('door')],
  [0x1b, flag('garage_door')],
  [0x1c, flag('gas')],
  [0x1d, flag('heat')],
  [0x1e, flag('light')],
  [0x1f, flag('lock')],
  [0x20, flag('moisture')],
  [0x21, flag('motion')],
  [0x22, flag('moving')],
  [0x23, flag('occupancy')],
  [0x24, flag('plug')],
  [0x25, flag('presence')],
  [0x26, flag('problem')],
  [0x27, flag('running')],
  [0x28, flag('safety')],
  [0x29, flag('smoke')],
  [0x2a, flag('sound')],
  [0x2b, flag('tamper')],
  [0x2c, flag('vibration')],
  [0x2d, flag('window')],
  [0x2e, number('humidity', 1, '%')],
  [0x2f, number('moisture', 1, '%')],
  [0x3a, { kind: 'button' }],
  [0x3c, { kind: 'dimmer' }],
  [0x3d, number('count', 2)],
  [0x3e, number('count', 4)],
  [0x3f, number('rotation', 2, '°', signedPer(10))],
  [0x40, number('distance', 2, 'mm')],
  [0x41, number('distance', 2, 'm', per(10))],
  [0x42, number('duration', 3, 's', per(1000))],
  [0x43, number('current', 2, 'A', per(1000))],
  [0x44, number('speed', 2, 'm/s', per(100))],
  [0x45, number('temperature', 2, '°C', signedPer(10))],
  [0x46, number('uv_index', 1, undefined, per(10))],
  [0x47, number('volume', 2, 'L', per(10))],
  [0x48, number('volume', 2, 'mL')],
  [0x49, number('volume_flow_rate', 2, 'm³/h', per(1000))],
  [0x4a, number('voltage', 2, 'V', per(10))],
  [0x4b, number('gas', 3, 'm³', per(1000))],
  [0x4c, number('gas', 4, 'm³', per(1000))],
  [0x4d, number('energy', 4, 'kWh', per(1000))],
  [0x4e, number('volume', 4, 'L', per(1000))],
  [0x4f, number('water', 4, 'L', per(1000))],
  [0x50, number('timestamp', 4, 's')],
  [0x51, number('acceleration', 2, 'm/s²', per(1000))],
  [0x52, number('gyroscope', 2, '°/s', per(1000))],
  [0x53, { kind: 'text', name: 'text' }],
  [0x54, { kind: 'raw', name: 'raw' }],
  [0x55, number('volume_storage', 4, 'L', per(1000))],
  [0x56, number('conductivity', 2, 'µS/cm')],
  [0x57, number('temperature', 1, '°C', { signed: true })],
  [0x58, number('temperature', 1, '°C', { signed: true, factor: 35, divisor: 100 })],
  [0x59, number('count', 1, undefined, { signed: true })],
  [0x5a, number('count', 2, undefined, { signed: true })],
  [0x5b, number('count', 4, undefined, { signed: true })],
  [0x5c, number('power', 4, 'W', signedPer(100))],
  [0x5d, number('current', 2, 'A', signedPer(1000))],
  [0x5e, number('direction', 2, '°', per(100))],
  [0x5f, number('precipitation', 2, 'mm', per(10))],
  [0x60, number('channel', 1)],
  [0x61, number('rotational_speed', 2, 'rpm')],
  [0x62, number('speed', 4, 'm/s', signedPer(1_000_000))],
  [0x63, number('acceleration', 4, 'm/s²', signedPer(1_000_000))],
  [0x64, number('light_level', 1)],
  [0xf0, number('device_type', 2)],
  [0xf1, { kind: 'version', name: 'firmware_version', bytes: 4 }],
  [0xf2, { kind: 'version', name: 'firmware_version', bytes: 3 }],
]);

/** Values of object 0x3A. */
export const BTHOME_BUTTON: Readonly<Record<number, string>> = {
  0x00: 'none',
  0x01: 'press',
  0x02: 'double_press',
  0x03: 'triple_press',
  0x04: 'long_press',
  0x05: 'long_double_press',
  0x06: 'long_triple_press',
  0x80: 'hold_press',
};

/** Values of object 0x3C; the number of steps follows in a second byte. */
export const BTHOME_DIMMER: Readonly<Record<number, string>> = {
  0x00: 'none',
  0x01: 'rotate_left',
  0x02: 'rotate_right',
};
