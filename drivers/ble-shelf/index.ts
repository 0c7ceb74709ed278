import { z } from 'zod';
import type { Driver, Emission } from '../api/driver.ts';
import { config, type BleShelfConfig } from './config.ts';
import { bleShelfErrors } from './errors.ts';
import { formats } from './formats.ts';
import { openShelves } from './session.ts';
import { SENSOR } from './sensor.ts';
import { SHELF_COUNT, SHELF_UNKNOWN_LOAD } from './shelf-keeper.ts';

const measurement = z.strictObject({
  name: z.string(),
  value: z.union([z.number(), z.boolean(), z.string()]),
  unit: z.exactOptional(z.string()),
});

const emits: readonly Emission[] = [
  {
    type: SHELF_COUNT,
    stream: 'shelf',
    data: z.strictObject({
      sensorId: z.string(),
      sku: z.string(),
      count: z.int(),
      delta: z.int(),
      /** Net of the empty shelf; null where the sensor counts by itself and sends no weight. */
      grams: z.number().nullable(),
      cause: z.enum(['first', 'pick', 'put', 'rezero', 'restart']),
    }),
  },
  {
    type: SHELF_UNKNOWN_LOAD,
    stream: 'shelf',
    data: z.strictObject({
      sensorId: z.string(),
      skus: z.array(z.string()),
      /** True when it came, false when it went. */
      present: z.boolean(),
      grams: z.number(),
      /** What the whole units on the shelf do not explain. */
      residualGrams: z.number(),
    }),
  },
  {
    type: SENSOR,
    stream: 'shelf',
    data: z.strictObject({
      sensorId: z.string(),
      measurements: z.array(measurement),
      rssiDbm: z.number().nullable(),
      events: z.exactOptional(
        z.array(z.strictObject({ name: z.string(), value: z.string(), steps: z.exactOptional(z.int()) })),
      ),
    }),
  },
];

/** Shelf sensors and other open beacons over Bluetooth LE. */
export const driver: Driver<BleShelfConfig> = {
  type: 'ble-shelf',
  emits,
  errors: bleShelfErrors,
  config,
  example: {
    radio: { kind: 'hci', adapter: 0 },
    sensors: [
      { id: 's1', address: 'A4:C1:38:8D:18:B2', format: 'bthome', sku: 'TEE-BLK-M', unitGrams: 180, emptyGrams: 40 },
    ],
  },
  open: openShelves,
  formats,
};
