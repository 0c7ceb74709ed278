import { createCipheriv } from 'node:crypto';

/** Little-endian bytes of an integer; negative numbers in two's complement. */
export const little = (value: number, bytes: 1 | 2 | 3 | 4): number[] =>
  Array.from({ length: bytes }, (_, index) => Math.floor(Math.round(value) / 256 ** index) & 0xff);

export const big = (value: number, bytes: 1 | 2 | 3 | 4): number[] => little(value, bytes).toReversed();

/** One AD structure: length, type, content. */
export const structure = (type: number, content: Iterable<number>): number[] => {
  const bytes = [...content];
  return [bytes.length + 1, type, ...bytes];
};

const FLAGS = structure(0x01, [0x06]);

/** Service data under a 16-bit UUID given as on air, least significant byte first. */
const serviceData = (uuid: readonly [number, number], content: Iterable<number>): number[] =>
  structure(0x16, [...uuid, ...content]);

export const completeName = (name: string): Uint8Array => Uint8Array.from(structure(0x09, Buffer.from(name, 'utf8')));

/** What a BTHome board reports; absent values are not sent. Mass in grams, rounded to the format's 10 g. */
export interface BthomeValues {
  readonly packetId?: number;
  readonly batteryPercent?: number;
  readonly temperatureC?: number;
  readonly massGrams?: number;
  readonly count?: number;
}

/** Object bytes of BTHome v2 in ascending order of their ids, as the format wants them. */
export function bthomeObjects(values: BthomeValues): number[] {
  const objects: number[] = [];
  if (values.packetId !== undefined) objects.push(0x00, values.packetId & 0xff);
  if (values.batteryPercent !== undefined)
    objects.push(0x01, Math.max(0, Math.min(100, Math.round(values.batteryPercent))));
  if (values.temperatureC !== undefined) objects.push(0x02, ...little(values.temperatureC * 100, 2));
  // The format knows no negative mass: a board that weighs less than its tare says nought.
  if (values.massGrams !== undefined)
    objects.push(0x06, ...little(Math.min(65_535, Math.max(0, values.massGrams / 10)), 2));
  if (values.count !== undefined) objects.push(0x3d, ...little(values.count, 2));
  return objects;
}

export interface BthomeSecurity {
  readonly key: Uint8Array;
  /** As printed, with colons. */
  readonly address: string;
  readonly counter: number;
}

/**
 * Advertising data of a BTHome v2 board: flags and service data 0xFCD2, encrypted when `security` is given.
 * @see https://bthome.io/encryption
 */
export function bthomeAdvert(objects: readonly number[], security?: BthomeSecurity): Uint8Array {
  const uuid = [0xd2, 0xfc] as const;
  if (security === undefined) return Uint8Array.from([...FLAGS, ...serviceData(uuid, [0x40, ...objects])]);
  const info = 0x41;
  const counter = little(security.counter, 4);
  const mac = security.address.split(':').map((part) => Number.parseInt(part, 16));
  const nonce = Uint8Array.from([...mac, ...uuid, info, ...counter]);
  const cipher = createCipheriv('aes-128-ccm', security.key, nonce, { authTagLength: 4 });
  const body = cipher.update(Uint8Array.from(objects));
  cipher.final();
  return Uint8Array.from([...FLAGS, ...serviceData(uuid, [info, ...body, ...counter, ...cipher.getAuthTag()])]);
}

export interface RuuviValues {
  readonly temperatureC: number;
  readonly humidityPercent: number;
  readonly pressurePa: number;
  readonly accelerationMg: readonly [number, number, number];
  readonly batteryMv: number;
  readonly txPowerDbm: number;
  readonly moves: number;
  readonly sequence: number;
}

/** Ruuvi data format 5 as manufacturer data of 0x0499. @see docs.ruuvi.com, data format 5 */
export function ruuviAdvert(values: RuuviValues, address: string): Uint8Array {
  const power = (Math.round(values.batteryMv - 1600) << 5) | Math.round((values.txPowerDbm + 40) / 2);
  return Uint8Array.from([
    ...FLAGS,
    ...structure(0xff, [
      0x99,
      0x04,
      0x05,
      ...big(values.temperatureC * 200, 2),
      ...big(values.humidityPercent * 400, 2),
      ...big(values.pressurePa - 50_000, 2),
      ...values.accelerationMg.flatMap((axis) => big(axis, 2)),
      ...big(power, 2),
      values.moves & 0xff,
      ...big(values.sequence & 0xffff, 2),
      ...address.split(':').map((part) => Number.parseInt(part, 16)),
    ]),
  ]);
}

/** Xiaomi Mi scale version 1, kilograms, under 0x181D. */
export function xiaomiScaleAdvert(grams: number, stable: boolean, removed: boolean): Uint8Array {
  const control = 0x02 | (stable ? 0x20 : 0) | (removed ? 0x80 : 0);
  const date = [...little(2026, 2), 11, 27, 10, 15, 30];
  return Uint8Array.from([
    ...FLAGS,
    ...serviceData([0x1d, 0x18], [control, ...little(Math.max(0, grams / 5), 2), ...date]),
  ]);
}

/** Minew S1: temperature and humidity, signed 8.8, under 0xFFE1. */
export function minewAdvert(
  temperatureC: number,
  humidityPercent: number,
  batteryPercent: number,
  address: string,
): Uint8Array {
  const mac = address
    .split(':')
    .map((part) => Number.parseInt(part, 16))
    .toReversed();
  const body = [
    0xa1,
    0x01,
    Math.round(batteryPercent),
    ...big(temperatureC * 256, 2),
    ...big(humidityPercent * 256, 2),
  ];
  return Uint8Array.from([...FLAGS, ...structure(0x03, [0xe1, 0xff]), ...serviceData([0xe1, 0xff], [...body, ...mac])]);
}

/** Eddystone telemetry under 0xFEAA. */
export function eddystoneTlmAdvert(
  millivolts: number,
  temperatureC: number,
  sent: number,
  uptimeMs: number,
): Uint8Array {
  const body = [
    0x20,
    0x00,
    ...big(millivolts, 2),
    ...big(temperatureC * 256, 2),
    ...big(sent, 4),
    ...big(uptimeMs / 100, 4),
  ];
  return Uint8Array.from([...FLAGS, ...structure(0x03, [0xaa, 0xfe]), ...serviceData([0xaa, 0xfe], body)]);
}

/** A Weight Measurement value in SI units, without the optional fields. @see Weight Scale Service 1.0 §3.2.1 */
export const weightMeasurement = (grams: number): Uint8Array =>
  Uint8Array.from([0x00, ...little(Math.max(0, Math.min(65_534, grams / 5)), 2)]);
