import type { Measurement } from '../../../drivers/api/format.ts';
import type { Advertisement } from '../../../drivers/api/transports.ts';
import { decodePayload, payloadsOf, type DecodedPayload } from '../../../drivers/ble-shelf/payloads.ts';
import { RSSI_UNKNOWN } from '../../../drivers/ble-shelf/protocol.ts';
import type { KnownSensor } from './choose-radio.ts';

/** Devices that the table remembers; the one heard longest ago is forgotten first. */
export const NEARBY_MAX = 1_000;
/** Weight of the newest RSSI in the shown one: single adverts jump by 10 dB. */
const RSSI_NEWEST = 0.3;
/** For a device whose strength was never measured: the weakest there is, never the loudest. */
const RSSI_WEAKEST_DBM = -127;

/** One device as a person wants to see it. */
export interface Nearby {
  readonly address: string;
  readonly addressType: Advertisement['addressType'];
  readonly sensorId: string | null;
  readonly name: string | null;
  readonly formats: readonly string[];
  readonly measurements: readonly Measurement[];
  readonly error: string | null;
  readonly rssiDbm: number;
  readonly smoothedRssiDbm: number;
  readonly adverts: number;
  readonly lastMono: number;
}

/** Everything that was heard, by address. */
export interface NearbyDevices {
  hear(advert: Advertisement): Nearby;
  /** Loudest first: the one that is held close comes to the top. */
  loudestFirst(): readonly Nearby[];
}

export function nearbyDevices(sensors: readonly KnownSensor[]): NearbyDevices {
  const known = new Map(sensors.map((sensor) => [sensor.config.address, sensor]));
  const devices = new Map<string, Nearby>();
  return {
    hear: (advert) => {
      const before = devices.get(advert.address);
      const sensor = known.get(advert.address);
      const rssiDbm = advert.rssiDbm === RSSI_UNKNOWN ? (before?.rssiDbm ?? RSSI_WEAKEST_DBM) : advert.rssiDbm;
      const payloads = decoded(advert, sensor);
      const sound = payloads.filter((payload) => payload.error === undefined);
      const measurements = sound.flatMap((payload) => [...payload.measurements]);
      const device: Nearby = {
        address: advert.address,
        addressType: advert.addressType,
        sensorId: sensor?.config.id ?? null,
        name: advert.localName ?? before?.name ?? null,
        formats: payloads.length > 0 ? payloads.map(({ format }) => format) : (before?.formats ?? []),
        measurements: payloads.length > 0 ? measurements : (before?.measurements ?? []),
        error:
          payloads.length > 0
            ? (payloads.find(({ error }) => error !== undefined)?.error?.code ?? null)
            : (before?.error ?? null),
        rssiDbm,
        smoothedRssiDbm:
          before === undefined ? rssiDbm : before.smoothedRssiDbm + RSSI_NEWEST * (rssiDbm - before.smoothedRssiDbm),
        adverts: (before?.adverts ?? 0) + 1,
        lastMono: advert.atMono,
      };
      devices.delete(advert.address);
      devices.set(advert.address, device);
      const oldest = devices.keys().next();
      if (devices.size > NEARBY_MAX && oldest.done !== true) devices.delete(oldest.value);
      return device;
    },
    loudestFirst: () => [...devices.values()].toSorted((a, b) => b.smoothedRssiDbm - a.smoothedRssiDbm),
  };
}

function decoded(advert: Advertisement, sensor: KnownSensor | undefined): readonly DecodedPayload[] {
  const payloads = payloadsOf({
    serviceData: advert.serviceData,
    manufacturerData: advert.manufacturerData === undefined ? [] : [advert.manufacturerData],
  });
  const key = sensor?.key;
  return payloads.map((payload) =>
    decodePayload(payload, { address: advert.address, ...(key === undefined ? {} : { key }) }),
  );
}

/** The table's lines, header first. `nowMono` is on the radio's clock. */
export function nearbyTable(devices: readonly Nearby[], nowMono: number): readonly string[] {
  const rows = devices.map((device) => [
    device.address,
    device.sensorId ?? '',
    device.name ?? '',
    device.formats.join('+'),
    `${Math.round(device.smoothedRssiDbm)} dBm`,
    `${Math.max(0, Math.round((nowMono - device.lastMono) / 1_000))} s`,
    device.error ?? device.measurements.map(printed).join('  '),
  ]);
  const header = ['ADDRESS', 'SENSOR', 'NAME', 'FORMAT', 'RSSI', 'SEEN', 'VALUES'];
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  return [header, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

const printed = ({ name, value, unit }: Measurement): string =>
  `${name} ${String(value)}${unit === undefined ? '' : ` ${unit}`}`;
