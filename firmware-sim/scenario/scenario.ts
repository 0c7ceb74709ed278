import { z } from 'zod';
import { incident, INCIDENTS_MAX, incidentFault, type Incident } from './incident.ts';

export interface ProductSpec {
  readonly sku: string;
  readonly gtin: string;
  readonly listMinor: number;
  readonly costMinor: number;
  readonly category: string;
  readonly stock: number;
}

interface SensorSpec {
  readonly id: string;
  readonly address: string;
  readonly sku: string;
  readonly unitGrams: number;
  readonly emptyGrams: number;
  /** 32 hex digits: the sensor encrypts. */
  readonly key?: string | undefined;
}

/** A sensor without a shelf, e.g. the room's climate. */
interface BeaconSpec {
  readonly id: string;
  readonly address: string;
  readonly format: 'ruuvi' | 'minew' | 'eddystone-tlm' | 'xiaomi-scale';
}

export type DeviceSpec =
  | {
      readonly id: string;
      readonly type: 'ble-shelf';
      readonly sensors: readonly SensorSpec[];
      readonly beacons: readonly BeaconSpec[];
    }
  | { readonly id: string; readonly type: 'zvt-terminal'; readonly approve: number }
  | { readonly id: string; readonly type: 'barcode-scanner' }
  | { readonly id: string; readonly type: 'loyalty-reader' }
  | { readonly id: string; readonly type: 'camera-counter'; readonly clip: string; readonly fps: number };

/** A virtual kit and the shop around it. */
export interface Scenario {
  readonly seed: number;
  readonly kit: {
    readonly id: string;
    readonly node: string;
    readonly group: string;
    readonly currency: string;
    readonly timezone: string;
  };
  readonly shoppersPerMin: number;
  readonly loyaltyShare: number;
  readonly products: readonly ProductSpec[];
  readonly devices: readonly DeviceSpec[];
  /** What goes wrong with them, and when. */
  readonly incidents: readonly Incident[];
}

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
const address = z.string().regex(/^([0-9A-F]{2}:){5}[0-9A-F]{2}$/, 'upper case with colons, e.g. A4:C1:38:8D:18:B2');

const product: z.ZodType<ProductSpec> = z.strictObject({
  sku: name,
  gtin: z.string().regex(/^\d{8,14}$/),
  listMinor: z.int().positive(),
  costMinor: z.int().nonnegative().default(0),
  category: name.default('all'),
  stock: z.int().nonnegative(),
});

const sensor: z.ZodType<SensorSpec> = z.strictObject({
  id: name,
  address,
  sku: name,
  unitGrams: z.number().positive(),
  emptyGrams: z.number().nonnegative().default(0),
  key: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
});

const beacon: z.ZodType<BeaconSpec> = z.strictObject({
  id: name,
  address,
  format: z.enum(['ruuvi', 'minew', 'eddystone-tlm', 'xiaomi-scale']),
});

const device: z.ZodType<DeviceSpec> = z.discriminatedUnion('type', [
  z.strictObject({
    id: name,
    type: z.literal('ble-shelf'),
    sensors: z.array(sensor).min(1),
    beacons: z.array(beacon).default([]),
  }),
  z.strictObject({ id: name, type: z.literal('zvt-terminal'), approve: z.number().min(0).max(1).default(0.9) }),
  z.strictObject({ id: name, type: z.literal('barcode-scanner') }),
  z.strictObject({ id: name, type: z.literal('loyalty-reader') }),
  z.strictObject({
    id: name,
    type: z.literal('camera-counter'),
    clip: z.string().min(1),
    fps: z.number().positive().default(10),
  }),
]);

/** A scenario file; unknown keys, and incidents that cannot happen, are refused. */
export const scenarioFile: z.ZodType<Scenario> = z
  .strictObject({
    seed: z.int().nonnegative().default(1),
    kit: z.strictObject({ id: name, node: name, group: name, currency: z.string().length(3), timezone: z.string() }),
    shoppersPerMin: z.number().positive().max(120).default(12),
    loyaltyShare: z.number().min(0).max(1).default(0.4),
    products: z.array(product).min(1),
    devices: z.array(device).min(1),
    incidents: z.array(incident).max(INCIDENTS_MAX).default([]),
  })
  .superRefine(({ devices, incidents }, context) => {
    const types = new Map(devices.map(({ id, type }) => [id, type]));
    for (const [at, each] of incidents.entries()) {
      const fault = incidentFault(each, types.get(each.device));
      if (fault !== null)
        context.addIssue({ code: 'custom', path: ['incidents', at, fault.at], message: fault.message });
    }
  });
