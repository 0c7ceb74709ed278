import type { Chance, Clock } from '../../../drivers/api/clock.ts';
import type { Peripheral } from '../../bluetooth/peripheral.ts';
import {
  completeName,
  eddystoneTlmAdvert,
  minewAdvert,
  ruuviAdvert,
  weightMeasurement,
  xiaomiScaleAdvert,
} from './encode.ts';
import { loadCell, normal, soundCell, type LoadCellFaults } from './load-cell.ts';

export interface BeaconOptions {
  readonly address: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly intervalMs?: number;
  readonly rssiDbm?: number;
}

const common = (options: BeaconOptions, intervalMs: number): Omit<Peripheral, 'advertise'> => ({
  address: options.address,
  addressType: 'random',
  kind: 'non-connectable',
  intervalMs: options.intervalMs ?? intervalMs,
  rssiDbm: options.rssiDbm ?? -65,
});

const ROOM_C = 21;
const ROOM_PERCENT = 45;

/** A RuuviTag in a room whose air changes a little. */
export function virtualRuuvi(options: BeaconOptions): Peripheral {
  let sequence = 0;
  return {
    ...common(options, 1_285),
    advertise: () => {
      sequence += 1;
      const wander = (): number => normal(options.chance);
      const data = ruuviAdvert(
        {
          temperatureC: ROOM_C + wander() * 0.02,
          humidityPercent: ROOM_PERCENT + wander() * 0.1,
          pressurePa: 101_325 + wander() * 5,
          accelerationMg: [4, -4, 1_036],
          batteryMv: 2_977,
          txPowerDbm: 4,
          moves: 66,
          sequence,
        },
        options.address,
      );
      return { data };
    },
  };
}

/** A Minew S1 climate tag. */
export const virtualMinew = (options: BeaconOptions): Peripheral => ({
  ...common(options, 2_000),
  advertise: () => ({ data: minewAdvert(ROOM_C, ROOM_PERCENT, 88, options.address) }),
});

/** A beacon with Eddystone telemetry. */
export function virtualEddystone(options: BeaconOptions): Peripheral {
  const startedMono = options.clock.monoMs();
  let sent = 0;
  return {
    ...common(options, 2_000),
    advertise: () => {
      sent += 1;
      return { data: eddystoneTlmAdvert(3_010, ROOM_C, sent, options.clock.monoMs() - startedMono) };
    },
  };
}

/** A scale and what lies on it, in grams. */
export interface VirtualScale extends Peripheral {
  load(grams: number): void;
}

/** A Xiaomi Mi scale: repeats its last weight after it was lifted off, marked as removed. */
export function virtualXiaomiScale(options: BeaconOptions & { readonly cell?: Partial<LoadCellFaults> }): VirtualScale {
  const cell = loadCell({ ...soundCell, ...options.cell }, options.clock, options.chance);
  let loaded = 0;
  let last = 0;
  return {
    ...common(options, 1_000),
    load: (grams) => {
      if (grams === 0) last = loaded;
      loaded = grams;
      cell.load(grams);
    },
    advertise: () => ({
      data: loaded === 0 ? xiaomiScaleAdvert(last, true, true) : xiaomiScaleAdvert(cell.grams(), true, false),
    }),
  };
}

export interface GattScale extends VirtualScale {
  /** The value that it indicates next. */
  measurement(): Uint8Array;
}

/** A scale with the Weight Scale Service: advertises its name and UUID, and indicates 0x2A9D to who connects. */
export function virtualGattScale(options: BeaconOptions & { readonly cell?: Partial<LoadCellFaults> }): GattScale {
  const cell = loadCell({ ...soundCell, ...options.cell }, options.clock, options.chance);
  const measurement = (): Uint8Array => weightMeasurement(cell.grams());
  return {
    ...common(options, 250),
    kind: 'connectable',
    load: (grams) => cell.load(grams),
    measurement,
    services: [
      {
        uuid: '1800',
        characteristics: [{ uuid: '2a00', properties: ['read'], value: () => Buffer.from('Scale', 'utf8') }],
      },
      {
        uuid: '181d',
        characteristics: [
          { uuid: '2a9e', properties: ['read'], value: () => Uint8Array.of(0, 0, 0, 0) },
          { uuid: '2a9d', properties: ['indicate'], value: measurement },
        ],
      },
      {
        uuid: '181a',
        characteristics: [
          {
            uuid: '2a6e',
            properties: ['read'],
            value: () => {
              const raw = Math.round(cell.temperatureC() * 100) & 0xffff;
              return Uint8Array.of(raw & 0xff, raw >> 8);
            },
          },
        ],
      },
    ],
    advertise: () => ({
      data: Uint8Array.of(0x02, 0x01, 0x06, 0x03, 0x03, 0x1d, 0x18),
      scanResponse: completeName('Scale'),
    }),
  };
}
