import { failures, type ErrorEntry, type Fail } from '../api/agent-error.ts';
import { radioErrors, type RadioErrorCode } from '../lib/radio-errors.ts';

const sensorErrors = {
  'sensor-key': {
    sentence: 'A sensor’s key is not 32 hexadecimal digits',
    hint: 'Copy the key from the sensor’s app into the file that kit.yaml names',
    exit: 2,
  },
  'sensor-unheard': {
    sentence: 'A sensor has not been heard since the start',
    hint: 'Check its address and battery with barrow ble scan',
  },
  'sensor-silent': {
    sentence: 'A sensor has fallen silent',
    hint: 'Replace its battery or move it closer; barrow ble scan shows what is heard',
  },
  'sensor-undecryptable': {
    sentence: 'A sensor’s frames do not open with its key',
    hint: 'Put the sensor’s current key into the file that kit.yaml names',
  },
  'sensor-in-clear': {
    sentence: 'A sensor with a key sends in clear and is not believed',
    hint: 'Switch encryption on in the sensor, or remove its key from kit.yaml if it never had one',
  },
  'sensor-keyless': {
    sentence: 'A sensor sends encrypted frames and kit.yaml names no key',
    hint: 'Add key: { file: … } to the sensor',
  },
  'sensor-replayed': {
    sentence: 'Frames of a sensor repeat counters that were already used',
    hint: 'Someone may be replaying them; after a battery change it is believed again by itself',
  },
  'sensor-damaged': {
    sentence: 'A sensor sends frames that cannot be read',
    hint: 'Check its format in kit.yaml with barrow ble scan',
  },
  'sensor-unconnectable': {
    sentence: 'A sensor cannot be connected to',
    hint: 'Move it closer; an app on a phone may hold its only connection',
  },
} as const;

export type BleShelfErrorCode = keyof typeof sensorErrors | RadioErrorCode;

/** Error codes of this family, the radio's own among them. */
export const bleShelfErrors: Readonly<Record<BleShelfErrorCode, ErrorEntry>> = { ...sensorErrors, ...radioErrors };
export const bleShelfFailure: Fail<typeof bleShelfErrors> = failures(bleShelfErrors);
