import type { DeviceSpec, Scenario } from '../scenario/scenario.ts';
import { cameraDevice } from './camera-device.ts';
import { shelfDevice } from './shelf-device.ts';
import { loyaltyDevice, scannerDevice, terminalDevice } from './serial-devices.ts';
import type { DeviceHands, KitContext, VirtualDevice } from './virtual-device.ts';

/** All devices of one scenario on their wires. */
export interface VirtualKit extends AsyncDisposable {
  readonly devices: readonly VirtualDevice[];
  readonly hands: DeviceHands;
}

export interface VirtualKitOptions {
  /** Driver types that the agent knows; a device of another type is left in its box. */
  readonly known: ReadonlySet<string>;
  /** Finds a clip by the name in the scenario. */
  clip(name: string): string;
}

/** Switches the devices of a scenario on. */
export async function startVirtualKit(
  scenario: Scenario,
  context: KitContext,
  options: VirtualKitOptions,
): Promise<VirtualKit> {
  const devices: VirtualDevice[] = [];
  const dispose = async (): Promise<void> => {
    for (const device of devices.toReversed()) await device[Symbol.asyncDispose]();
  };
  try {
    for (const spec of scenario.devices)
      if (options.known.has(spec.type)) devices.push(await startDevice(spec, scenario, context, options));
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    devices,
    hands: Object.assign({}, ...devices.map(({ hands }) => hands)) as DeviceHands,
    [Symbol.asyncDispose]: dispose,
  };
}

function startDevice(
  spec: DeviceSpec,
  scenario: Scenario,
  context: KitContext,
  options: VirtualKitOptions,
): Promise<VirtualDevice> {
  switch (spec.type) {
    case 'ble-shelf':
      return shelfDevice(spec, scenario.products, context);
    case 'zvt-terminal':
      return terminalDevice(spec.id, spec.approve, context);
    case 'barcode-scanner':
      return scannerDevice(spec.id, context);
    case 'loyalty-reader':
      return loyaltyDevice(spec.id, context);
    case 'camera-counter':
      return cameraDevice({ ...spec, clip: options.clip(spec.clip) });
  }
}
