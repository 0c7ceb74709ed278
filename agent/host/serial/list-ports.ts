import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { usbIdentityOf, type UsbIdentity } from './usb-identity.ts';

/** A serial port of this machine, with the names by which kit.yaml can call it. */
export interface PortInfo {
  /** As the kernel counts them, e.g. `/dev/ttyACM0`: another one after the next plugging. */
  readonly path: string;
  readonly usb: UsbIdentity | null;
  /** Links in `/dev/serial/by-id`: follow the device wherever it is plugged in, if it has a serial number. */
  readonly byId: readonly string[];
  /** Links in `/dev/serial/by-path`: follow the socket, whatever is plugged in. */
  readonly byPath: readonly string[];
  /** The name to put into kit.yaml: by-id where it is certain to be one device, else by-path, else the path. */
  readonly stableName: string;
  /** Another port shows the same identity: clones without a serial number of their own. */
  readonly ambiguous: boolean;
}

export interface ListRoots {
  readonly sys?: string;
  readonly dev?: string;
}

/** `PORT_UNKNOWN` of serial_core.h: a slot of a driver without hardware behind it. */
const NO_UART = '0';

async function entries(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).toSorted();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return [];
    throw error;
  }
}

async function text(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

async function deviceFolder(ttyFolder: string): Promise<string | null> {
  try {
    return await realpath(join(ttyFolder, 'device'));
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

/** Links of one folder by the name of the tty that they lead to. */
async function linksByTty(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const links = new Map<string, string[]>();
  for (const name of await entries(folder)) {
    const link = join(folder, name);
    const tty = (await readlink(link)).split('/').at(-1) ?? '';
    links.set(tty, [...(links.get(tty) ?? []), link]);
  }
  return links;
}

const identityKey = (usb: UsbIdentity): string => `${usb.vendor}:${usb.product}:${usb.serial ?? ''}`;

/**
 * The serial ports that have hardware behind them, read from sysfs: no udev database, no child process. Never shows
 * pseudo terminals. On a machine without sysfs the list is empty.
 */
export async function listPorts(roots: ListRoots = {}): Promise<readonly PortInfo[]> {
  const sys = roots.sys ?? '/sys';
  const dev = roots.dev ?? '/dev';
  const byId = await linksByTty(join(dev, 'serial/by-id'));
  const byPath = await linksByTty(join(dev, 'serial/by-path'));
  const found: { readonly tty: string; readonly usb: UsbIdentity | null }[] = [];
  for (const tty of await entries(join(sys, 'class/tty'))) {
    const folder = join(sys, 'class/tty', tty);
    const device = await deviceFolder(folder);
    if (device === null || (await text(join(folder, 'type'))) === NO_UART) continue;
    found.push({ tty, usb: await usbIdentityOf(device) });
  }
  return found.map(({ tty, usb }) => {
    const path = join(dev, tty);
    const ids = byId.get(tty) ?? [];
    const paths = byPath.get(tty) ?? [];
    const twins =
      usb === null ? [] : found.filter((other) => other.usb !== null && identityKey(other.usb) === identityKey(usb));
    // Two ports of one device are told apart by udev (if00, if01); two devices without serial numbers are not.
    const ambiguous = twins.length > 1 && (usb?.serial ?? null) === null;
    const certain = usb?.serial !== undefined && usb.serial !== null && !ambiguous;
    return {
      path,
      usb,
      byId: ids,
      byPath: paths,
      stableName: (certain ? ids[0] : undefined) ?? paths[0] ?? ids[0] ?? path,
      ambiguous,
    };
  });
}
