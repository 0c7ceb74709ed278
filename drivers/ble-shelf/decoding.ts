import type { Measurement } from '../api/format.ts';

/** Why bytes could not be read, by stable code. */
export const decodeFaults = {
  empty: 'There are no bytes to read',
  truncated: 'The bytes end inside a field',
  'trailing-bytes': 'Bytes follow after the last field',
  'wrong-length': 'This frame type has another length',
  'unsupported-version': 'This version of the format is not known',
  'unknown-frame': 'This frame type is not known',
  'unknown-object': 'An object id is not known; what follows it cannot be read',
  'no-objects': 'The frame carries no objects',
  'bad-text': 'A text object is not UTF-8',
  'key-missing': 'The frame is encrypted and no key was given',
  'key-length': 'A key has 16 bytes',
  'not-encrypted': 'The frame is in clear although a key was given',
  'address-missing': 'An encrypted frame is read with the address of its sender',
  'decrypt-failed': 'Key, address and frame do not belong together, or the frame was altered',
  'conflicting-units': 'The frame names two units at once',
  'unknown-unit': 'The frame names no known unit',
  'unknown-uuid': 'This service UUID does not belong to the format',
  'measurement-unsuccessful': 'The device says that its measurement failed',
  'not-h4': 'This is not one whole HCI event packet',
  'not-advertising': 'This HCI event carries no advertising report',
  'advert-incomplete': 'The advertising data continues in another packet or was cut by the controller',
  'advert-damaged': 'The advertising data does not keep to its own lengths',
} as const;

export type DecodeFaultCode = keyof typeof decodeFaults;

export interface DecodeFault {
  readonly code: DecodeFaultCode;
  readonly message: string;
}

/** A button or dimmer: something that happened, not a value that stands. */
export interface DeviceEvent {
  readonly name: string;
  readonly value: string;
  readonly steps?: number;
}

/** What a sensor said. */
export interface SoundDecoding {
  readonly ok: true;
  readonly measurements: readonly Measurement[];
  readonly events?: readonly DeviceEvent[];
  /** The sender's address as the payload states it, upper case with colons. */
  readonly mac?: string;
  /** Replay counter of an encrypted frame. */
  readonly counter?: number;
  /** The sensor speaks only when something happens: its silence means nothing. */
  readonly triggerBased?: boolean;
  /** Reading stopped here although nothing was damaged, e.g. an object from a later version of the format. */
  readonly fault?: DecodeFault;
  readonly [field: string]: unknown;
}

/** Bytes that cannot be trusted. `measurements` holds what was whole before the fault. */
export interface BadDecoding {
  readonly ok: false;
  readonly error: DecodeFault;
  readonly measurements: readonly Measurement[];
  readonly [field: string]: unknown;
}

export type SensorDecoding = SoundDecoding | BadDecoding;

export const fault = (code: DecodeFaultCode): DecodeFault => ({ code, message: decodeFaults[code] });

export const bad = (code: DecodeFaultCode, measurements: readonly Measurement[] = []): BadDecoding => ({
  ok: false,
  error: fault(code),
  measurements,
});

/** `A4:C1:38:8D:18:B2` from six bytes, most significant first. */
export const printAddress = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
    .join(':')
    .toUpperCase();

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Removes binary noise that a scale factor leaves behind: 3 × 0.005 is 0.015, not 0.015000000000000001. */
export const roundTo = (value: number, decimals: number): number => Math.round(value * 10 ** decimals) / 10 ** decimals;
