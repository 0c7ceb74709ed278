import type { DriverIo, DriverSession } from '../api/driver.ts';
import type { Reading, StateReading } from '../api/reading.ts';
import type { Advertisement, BleRadio, RadioHealth } from '../api/transports.ts';
import type { BleShelfConfig } from './config.ts';
import { bleShelfFailure } from './errors.ts';
import { keepGattSensor } from './gatt-sensor.ts';
import { payloadAddress } from './payload-address.ts';
import { RSSI_UNKNOWN } from './protocol.ts';
import { readingQueue } from './reading-queue.ts';
import { readSaved, savedKey } from './saved-sensor.ts';
import { sensor, type Sensor } from './sensor.ts';

/** How often sensors are checked for silence. */
const TICK_MS = 1_000;

const driverStates: Readonly<Record<RadioHealth['state'], StateReading['state']>> = {
  starting: 'starting',
  scanning: 'ready',
  silent: 'silent',
  failed: 'failed',
};

/** Opens the radio and listens for the configured sensors. Throws `sensor-key` and what the radio throws. */
export async function openShelves(config: BleShelfConfig, io: DriverIo, signal: AbortSignal): Promise<DriverSession> {
  const sensors = await Promise.all(
    config.sensors.map(async (entry) =>
      sensor({
        config: entry,
        key: entry.key === undefined ? undefined : parseKey(await io.secret(entry.key), entry.id),
        saved: readSaved(io.saved(savedKey(entry.id))),
        nowMono: io.clock.monoMs(),
      }),
    ),
  );
  const radio = await io.radio(config.radio, signal);
  return {
    tellsState: true,
    readings: (reader) => listen(radio, io, sensors, reader),
    [Symbol.asyncDispose]: () => radio[Symbol.asyncDispose](),
  };
}

function parseKey(bytes: Uint8Array, sensorId: string): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1').trim();
  if (!/^[0-9A-Fa-f]{32}$/.test(text)) throw bleShelfFailure('sensor-key', { detail: sensorId });
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

async function* listen(
  radio: BleRadio,
  io: DriverIo,
  sensors: readonly Sensor[],
  reader: AbortSignal,
): AsyncGenerator<Reading, void, undefined> {
  const done = new AbortController();
  const signal = AbortSignal.any([reader, done.signal]);
  const queue = readingQueue();
  const byAddress = new Map(sensors.map((entry) => [entry.config.address, entry]));
  const rssi = new Map<string, number>();
  let hearing = false;

  const onAdvert = (advert: Advertisement): readonly Reading[] => {
    const found = byAddress.get(advert.address) ?? byAddress.get(payloadAddress(advert) ?? '');
    if (found === undefined) return [];
    if (advert.rssiDbm !== RSSI_UNKNOWN) rssi.set(found.config.id, advert.rssiDbm);
    return found.hear(advert);
  };

  const pump = async (): Promise<void> => {
    const first = radio.health();
    await queue.put([stateOf(first)], signal);
    for await (const entry of radio.signals(signal)) {
      if (entry.kind === 'advert') {
        hearing = true;
        const readings = onAdvert(entry.advert);
        if (readings.length > 0) await queue.put(readings, signal);
      } else {
        hearing = entry.health.state === 'scanning';
        await queue.put([stateOf(entry.health)], signal);
      }
    }
  };

  const watch = async (): Promise<void> => {
    while (!signal.aborted) {
      await io.clock.sleep(TICK_MS, signal);
      const now = io.clock.monoMs();
      for (const entry of sensors) {
        // A deaf radio says nothing about the sensors.
        if (!hearing) entry.excuse(now);
        const readings = entry.tick(now);
        if (readings.length > 0) await queue.put(readings, signal);
      }
    }
  };

  const connected = sensors.filter(
    ({ config }) => config.format === 'weight-scale' || config.format === 'environmental',
  );
  const jobs = [
    pump(),
    watch(),
    ...connected.map((entry) =>
      keepGattSensor(
        {
          radio,
          io,
          sensor: entry,
          rssiDbm: () => rssi.get(entry.config.id) ?? null,
          put: (readings, stop) => queue.put(readings, stop),
        },
        signal,
      ),
    ),
  ];
  for (const job of jobs)
    job.catch((error: unknown) => {
      if (!signal.aborted) queue.fail(error);
    });
  try {
    yield* queue.take(reader);
  } finally {
    done.abort(new Error('reader left'));
    await Promise.allSettled(jobs);
  }
}

const stateOf = (health: RadioHealth): StateReading => ({
  kind: 'state',
  state: driverStates[health.state],
  code: health.code,
});
