import type { DriverIo } from '../api/driver.ts';
import { AgentError } from '../api/agent-error.ts';
import type { Reading } from '../api/reading.ts';
import type { BleRadio, GattLink } from '../api/transports.ts';
import { decodeEnvironmental, decodeWeightMeasurement } from './decode-weight-scale.ts';
import {
  UUID_ENVIRONMENTAL_SENSING,
  UUID_TEMPERATURE,
  UUID_WEIGHT_MEASUREMENT,
  UUID_WEIGHT_SCALE,
} from './protocol.ts';
import type { Sensor } from './sensor.ts';

/** A connection attempt waits this long for the sensor to be heard: Raspberry Pis have needed 40 s. */
const CONNECT_MS = 45_000;
/** Waits after failures, the last one repeats. */
const RETRY_MS = [1_000, 5_000, 15_000, 60_000] as const;
/** Environmental values change slowly; a connection costs battery. */
const ENVIRONMENTAL_EVERY_MS = 300_000;
const FAILURES_TO_TELL = 3;

export interface GattSensorParts {
  readonly radio: BleRadio;
  readonly io: DriverIo;
  readonly sensor: Sensor;
  /** RSSI of the sensor's newest advert. */
  readonly rssiDbm: () => number | null;
  readonly put: (readings: readonly Reading[], signal: AbortSignal) => Promise<void>;
}

/** Keeps one connected sensor connected and its values coming. Ends only with the signal. */
export async function keepGattSensor(parts: GattSensorParts, signal: AbortSignal): Promise<void> {
  const { radio, io, sensor, put } = parts;
  const part = sensor.config.id;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const link = await radio.connect(sensor.config.address, CONNECT_MS, signal);
      try {
        if (sensor.config.format === 'environmental') await readEnvironment(link, parts, signal);
        else await readWeights(link, parts, signal);
        failures = 0;
      } finally {
        await link[Symbol.asyncDispose]();
      }
      if (sensor.config.format === 'environmental') await io.clock.sleep(ENVIRONMENTAL_EVERY_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof AgentError)) throw error;
      failures += 1;
      io.log.warn('sensor-connection-failed', { part, code: error.code, failures });
      if (failures === FAILURES_TO_TELL)
        await put([{ kind: 'state', state: 'degraded', code: 'sensor-unconnectable', part }], signal);
      await io.clock.sleep(RETRY_MS[Math.min(failures, RETRY_MS.length) - 1] ?? 0, signal).catch(() => undefined);
    }
  }
}

async function readWeights(link: GattLink, parts: GattSensorParts, signal: AbortSignal): Promise<void> {
  for await (const value of link.notifications(UUID_WEIGHT_SCALE, UUID_WEIGHT_MEASUREMENT, signal)) {
    const readings = parts.sensor.measure(decodeWeightMeasurement(value), parts.io.clock.monoMs(), parts.rssiDbm());
    await parts.put(readings, signal);
  }
}

async function readEnvironment(link: GattLink, parts: GattSensorParts, signal: AbortSignal): Promise<void> {
  const value = await link.read(UUID_ENVIRONMENTAL_SENSING, UUID_TEMPERATURE, signal);
  const decoded = decodeEnvironmental(UUID_TEMPERATURE, value);
  await parts.put(parts.sensor.measure(decoded, parts.io.clock.monoMs(), parts.rssiDbm()), signal);
}
