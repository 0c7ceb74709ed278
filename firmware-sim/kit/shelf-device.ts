import { createController, type VirtualController } from '../bluetooth/controller.ts';
import type { Peripheral } from '../bluetooth/peripheral.ts';
import {
  virtualEddystone,
  virtualMinew,
  virtualRuuvi,
  virtualXiaomiScale,
  type BeaconOptions,
} from '../devices/ble-shelf/virtual-beacons.ts';
import { virtualShelf } from '../devices/ble-shelf/virtual-shelf.ts';
import type { DeviceSpec, ProductSpec } from '../scenario/scenario.ts';
import { type HciServer, openHciServer } from '../wire/hci-server.ts';
import { type KernelAdapter, openKernelAdapter } from '../wire/kernel-adapter.ts';
import type { KitContext, Trouble, VirtualDevice } from './virtual-device.ts';

const BEACONS: Readonly<Record<ShelfSpec['beacons'][number]['format'], (options: BeaconOptions) => Peripheral>> = {
  ruuvi: virtualRuuvi,
  minew: virtualMinew,
  'eddystone-tlm': virtualEddystone,
  'xiaomi-scale': virtualXiaomiScale,
};

type ShelfSpec = Extract<DeviceSpec, { readonly type: 'ble-shelf' }>;

/** A Bluetooth adapter behind a Unix socket, and shelves on its air. */
export async function shelfDevice(
  spec: ShelfSpec,
  products: readonly ProductSpec[],
  context: KitContext,
): Promise<VirtualDevice> {
  const { clock, chance } = context;
  const off = new AbortController();
  const controller = createController({ clock, chance });
  const server =
    context.adapter === 'kernel'
      ? await openKernelAdapter(controller, clock)
      : await openHciServer({ path: `${context.folder}/${spec.id}.hci` }, controller, off.signal);
  const files: Record<string, string> = {};
  const shelves = new Map(
    spec.sensors.map((sensor) => {
      const units = products.find(({ sku }) => sku === sensor.sku)?.stock ?? 0;
      if (sensor.key !== undefined) files[`${sensor.id}.key`] = `${sensor.key}\n`;
      const shelf = virtualShelf({
        address: sensor.address,
        unitGrams: sensor.unitGrams,
        emptyGrams: sensor.emptyGrams,
        units,
        clock,
        chance,
        ...(sensor.key === undefined ? {} : { key: hexBytes(sensor.key) }),
      });
      controller.add(shelf);
      return [sensor.id, shelf] as const;
    }),
  );
  for (const { address, format } of spec.beacons) controller.add(BEACONS[format]({ address, clock, chance }));
  const sensors = spec.sensors.map(({ id, address, sku, unitGrams, emptyGrams, key }) => ({
    id,
    address,
    format: 'bthome',
    sku,
    unitGrams,
    emptyGrams,
    ...(key === undefined ? {} : { key: { file: `${id}.key` } }),
  }));
  return {
    id: spec.id,
    type: 'ble-shelf',
    where: placeOf(server.radio),
    kitEntry: {
      id: spec.id,
      type: 'ble-shelf',
      radio: server.radio,
      sensors: [...sensors, ...spec.beacons.map(({ id, address, format }) => ({ id, address, format }))],
    },
    files,
    hands: {
      take: (sensorId, count) => void shelves.get(sensorId)?.take(count),
      put: (sensorId, count) => shelves.get(sensorId)?.put(count),
    },
    troubles: adapterTroubles(controller),
    subjects: [...spec.sensors, ...spec.beacons].map(({ id }) => id),
    [Symbol.asyncDispose]: async () => {
      off.abort(new Error('switched off'));
      controller[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function placeOf(radio: HciServer['radio'] | KernelAdapter['radio']): string {
  if (radio.kind === 'hci') return `hci${radio.adapter}`;
  return 'path' in radio ? radio.path : `${radio.host}:${radio.port}`;
}

function adapterTroubles(controller: VirtualController): Readonly<Record<string, Trouble>> {
  const { faults } = controller;
  return {
    unplugged: { begins: () => controller.powerOff(), ends: () => controller.powerOn() },
    silent: {
      begins: () => {
        faults.silent = 'for-ever';
      },
      ends: () => {
        faults.silent = 'no';
      },
    },
    deaf: {
      begins: () => {
        faults.deaf = true;
      },
      ends: () => {
        faults.deaf = false;
      },
    },
    'scan-refused': {
      begins: (times) => {
        faults.refuseScanEnables += times;
      },
    },
    'reports-truncated': {
      begins: (times) => {
        faults.truncateReports += times;
      },
    },
  };
}

function hexBytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
