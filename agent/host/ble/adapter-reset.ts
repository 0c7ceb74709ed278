import { readFile, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { switchOff, switchOn } from './adapter-power.ts';

const POWER_PAUSE_MS = 1_000;
const USB_PARENTS = 4;

/** What was done, for the log. */
export type AdapterResetStep = 'power-cycle' | 'usb-reset';

/**
 * Brings a kernel adapter back: off and on, with a soft block of rfkill lifted, and where even that is refused the reset
 * of its USB device. Needs CAP_NET_ADMIN, the USB reset write access to sysfs. Returns what worked.
 */
export async function resetAdapter(adapter: number, signal: AbortSignal): Promise<readonly AdapterResetStep[]> {
  if (switchOff(adapter)) await delay(POWER_PAUSE_MS, undefined, { signal });
  if (switchOn(adapter) === 'up') return ['power-cycle'];
  return (await resetUsb(`hci${adapter}`)) ? ['usb-reset'] : [];
}

/** Takes the adapter's USB device off the bus and back. Its hci number may change with it. */
async function resetUsb(name: string): Promise<boolean> {
  try {
    let device = await realpath(`/sys/class/bluetooth/${name}/device`);
    for (let level = 0; level < USB_PARENTS; level += 1) {
      const switchFile = join(device, 'authorized');
      if (await isReadable(switchFile)) {
        await writeFile(switchFile, '0');
        await delay(POWER_PAUSE_MS);
        await writeFile(switchFile, '1');
        return true;
      }
      device = dirname(device);
    }
    return false;
  } catch (error) {
    // An adapter that is not on USB, or a process that may not write there.
    return error === undefined;
  }
}

async function isReadable(path: string): Promise<boolean> {
  return readFile(path, 'utf8').then(
    () => true,
    () => false,
  );
}
