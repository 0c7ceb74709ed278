import { createDecipheriv } from 'node:crypto';
import type { DecodeOptions, Measurement } from '../api/format.ts';
import { byteReader, type ByteReader } from '../lib/byte-reader.ts';
import { BTHOME_BUTTON, BTHOME_DIMMER, BTHOME_OBJECTS, type BthomeObject } from './bthome-objects.ts';
import {
  bad,
  fault,
  printAddress,
  toHex,
  type DecodeFaultCode,
  type DeviceEvent,
  type SensorDecoding,
} from './decoding.ts';
import {
  BTHOME_ADDRESS_INCLUDED,
  BTHOME_COUNTER_BYTES,
  BTHOME_ENCRYPTED,
  BTHOME_MIC_BYTES,
  BTHOME_TRIGGER_BASED,
  BTHOME_VERSION,
  BTHOME_VERSION_SHIFT,
} from './protocol.ts';

/**
 * Reads BTHome v2 service data (the bytes after the 16-bit UUID). Objects keep the order of the bytes; what a fault
 * cuts off does not cost the objects before it. A frame in clear is refused when a key is given: a sensor with a key
 * must not be imitated by anyone without one.
 *
 * @see https://bthome.io/format and https://bthome.io/encryption
 */
export function decodeBthome(bytes: Uint8Array, options: DecodeOptions): SensorDecoding {
  const reader = byteReader(bytes);
  const info = reader.u8();
  if (info === undefined) return bad('empty');
  if (info >> BTHOME_VERSION_SHIFT !== BTHOME_VERSION) return bad('unsupported-version');
  const included = (info & BTHOME_ADDRESS_INCLUDED) === 0 ? undefined : reader.bytes(6);
  if ((info & BTHOME_ADDRESS_INCLUDED) !== 0 && included === undefined) return bad('truncated');
  const mac = included === undefined ? undefined : printAddress(Uint8Array.from(included).reverse());
  const triggerBased = (info & BTHOME_TRIGGER_BASED) !== 0;
  const common = { triggerBased, ...(mac === undefined ? {} : { mac }) };

  if ((info & BTHOME_ENCRYPTED) === 0) {
    if (options.key !== undefined) return { ...bad('not-encrypted'), ...common };
    return { ...readObjects(reader), ...common, encrypted: false };
  }
  const opened = decrypt(reader, info, mac ?? options.address, options.key);
  if (typeof opened === 'string') return { ...bad(opened), ...common };
  return { ...readObjects(byteReader(opened.plain)), ...common, encrypted: true, counter: opened.counter };
}

function decrypt(
  reader: ByteReader,
  info: number,
  address: string | undefined,
  key: Uint8Array | undefined,
): { readonly plain: Uint8Array; readonly counter: number } | DecodeFaultCode {
  if (key === undefined) return 'key-missing';
  if (key.length !== 16) return 'key-length';
  const mac = address === undefined ? undefined : Buffer.from(address.replaceAll(':', ''), 'hex');
  if (mac === undefined || mac.length !== 6) return 'address-missing';
  const cipherText = reader.bytes(reader.remaining - BTHOME_COUNTER_BYTES - BTHOME_MIC_BYTES);
  const counterBytes = reader.bytes(BTHOME_COUNTER_BYTES);
  const mic = reader.bytes(BTHOME_MIC_BYTES);
  if (cipherText === undefined || counterBytes === undefined || mic === undefined) return 'truncated';
  const nonce = Buffer.concat([mac, Uint8Array.of(0xd2, 0xfc, info), counterBytes]);
  const decipher = createDecipheriv('aes-128-ccm', key, nonce, { authTagLength: BTHOME_MIC_BYTES });
  decipher.setAuthTag(mic);
  try {
    const plain = decipher.update(cipherText);
    decipher.final();
    return { plain, counter: byteReader(counterBytes).u32le() ?? 0 };
  } catch {
    // node:crypto throws a plain Error when the tag does not match; there is no other way for it to say so.
    return 'decrypt-failed';
  }
}

function readObjects(reader: ByteReader): SensorDecoding {
  const measurements: Measurement[] = [];
  const events: DeviceEvent[] = [];
  const found = (): { events?: readonly DeviceEvent[] } => (events.length === 0 ? {} : { events });
  while (reader.remaining > 0) {
    const object = BTHOME_OBJECTS.get(reader.u8() ?? -1);
    if (object === undefined) {
      // A later version may add objects: their length is unknown, so reading ends, and what stood before them is kept.
      if (measurements.length + events.length === 0) return bad('unknown-object');
      return { ok: true, measurements, ...found(), fault: fault('unknown-object') };
    }
    const value = readObject(reader, object);
    if (typeof value === 'string') return { ...bad(value, measurements), ...found() };
    if ('measurement' in value) measurements.push(value.measurement);
    else events.push(value.event);
  }
  if (measurements.length + events.length === 0) return bad('no-objects');
  return { ok: true, measurements, ...found() };
}

type Item = { readonly measurement: Measurement } | { readonly event: DeviceEvent };

function readObject(reader: ByteReader, object: BthomeObject): Item | DecodeFaultCode {
  switch (object.kind) {
    case 'number': {
      const raw = readInteger(reader, object.bytes, object.signed === true);
      if (raw === undefined) return 'truncated';
      const value = (raw * (object.factor ?? 1)) / (object.divisor ?? 1);
      return {
        measurement: { name: object.name, value, ...(object.unit === undefined ? {} : { unit: object.unit }) },
      };
    }
    case 'flag': {
      const raw = reader.u8();
      return raw === undefined ? 'truncated' : { measurement: { name: object.name, value: raw !== 0 } };
    }
    case 'button': {
      const raw = reader.u8();
      if (raw === undefined) return 'truncated';
      return { event: { name: 'button', value: BTHOME_BUTTON[raw] ?? `unknown_${raw}` } };
    }
    case 'dimmer': {
      const raw = reader.u8();
      const steps = reader.u8();
      if (raw === undefined || steps === undefined) return 'truncated';
      return { event: { name: 'dimmer', value: BTHOME_DIMMER[raw] ?? `unknown_${raw}`, steps } };
    }
    case 'text':
    case 'raw': {
      const length = reader.u8();
      const bytes = length === undefined ? undefined : reader.bytes(length);
      if (bytes === undefined) return 'truncated';
      if (object.kind === 'raw') return { measurement: { name: object.name, value: toHex(bytes) } };
      const text = utf8(bytes);
      return text === undefined ? 'bad-text' : { measurement: { name: object.name, value: text } };
    }
    case 'version': {
      const bytes = reader.bytes(object.bytes);
      if (bytes === undefined) return 'truncated';
      return { measurement: { name: object.name, value: Array.from(bytes).reverse().join('.') } };
    }
  }
}

function readInteger(reader: ByteReader, bytes: 1 | 2 | 3 | 4, signed: boolean): number | undefined {
  switch (bytes) {
    case 1:
      return signed ? reader.s8() : reader.u8();
    case 2:
      return signed ? reader.s16le() : reader.u16le();
    case 3:
      return signed ? reader.s24le() : reader.u24le();
    case 4:
      return signed ? reader.s32le() : reader.u32le();
  }
}

function utf8(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes).toString('utf8');
  // The lenient decoder writes U+FFFD for what it cannot read; only bytes that survive the way back were UTF-8.
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
}
