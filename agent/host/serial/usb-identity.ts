import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What a USB device says of itself: numbers as four lower-case hex digits. */
export interface UsbIdentity {
  readonly vendor: string;
  readonly product: string;
  readonly serial: string | null;
  readonly manufacturer: string | null;
  readonly name: string | null;
}

/** sysfs nests a tty at most interface → device → hub → …; the device is within this many steps. */
const MAX_PARENTS = 8;

async function attribute(folder: string, name: string): Promise<string | null> {
  try {
    return (await readFile(join(folder, name), 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

/** Looks upwards from a device's folder in sysfs for the USB device that it belongs to. */
export async function usbIdentityOf(deviceFolder: string): Promise<UsbIdentity | null> {
  let folder = deviceFolder;
  for (let step = 0; step < MAX_PARENTS && folder !== dirname(folder); step += 1) {
    const vendor = await attribute(folder, 'idVendor');
    const product = await attribute(folder, 'idProduct');
    if (vendor !== null && product !== null) {
      return {
        vendor: vendor.toLowerCase(),
        product: product.toLowerCase(),
        serial: await attribute(folder, 'serial'),
        manufacturer: await attribute(folder, 'manufacturer'),
        name: await attribute(folder, 'product'),
      };
    }
    folder = dirname(folder);
  }
  return null;
}

/**
 * The USB identity behind a port, whatever link leads to it; `null` when it is no USB device (a UART, a PTY).
 * Asks sysfs by device number: no udev database and no child process, so a re-plugged device is checked within 1 ms.
 */
export async function usbIdentity(path: string, sysRoot = '/sys'): Promise<UsbIdentity | null> {
  try {
    const { rdev } = await stat(path, { bigint: true });
    const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn);
    const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
    return await usbIdentityOf(await realpath(join(sysRoot, 'dev/char', `${major}:${minor}`, 'device')));
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}
