import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listPorts } from './list-ports.ts';
import { usbIdentityOf } from './usb-identity.ts';

let root = '';
const roots = (): { sys: string; dev: string } => ({ sys: join(root, 'sys'), dev: join(root, 'dev') });
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'barrow-sysfs-'));
  await mkdir(join(root, 'dev'), { recursive: true });
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), `${content}\n`);
}

async function link(path: string, target: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await symlink(target, join(root, path));
}

/** A tty of a USB device as the kernel lays it out: usb1/1-1/1-1:1.0/tty/ttyACM0. */
async function usbTty(tty: string, socket: string, usb: { serial?: string; product?: string }): Promise<void> {
  const device = `sys/devices/usb1/${socket}`;
  await put(`${device}/idVendor`, '0C2E');
  await put(`${device}/idProduct`, usb.product ?? '090a');
  await put(`${device}/manufacturer`, 'Honeywell');
  if (usb.serial !== undefined) await put(`${device}/serial`, usb.serial);
  await mkdir(join(root, `${device}/${socket}:1.0/tty/${tty}`), { recursive: true });
  await link(`${device}/${socket}:1.0/tty/${tty}/device`, '../../');
  await link(`sys/class/tty/${tty}`, join(root, `${device}/${socket}:1.0/tty/${tty}`));
  await link(`dev/serial/by-path/pci-usb-${socket}`, `../../${tty}`);
}

test('a device with a serial number is called by its id, wherever it is plugged in', async () => {
  await usbTty('ttyACM0', '1-1', { serial: 'S1' });
  await link('dev/serial/by-id/usb-Honeywell_S1-if00', '../../ttyACM0');
  expect(await listPorts(roots())).toEqual([
    {
      path: join(root, 'dev/ttyACM0'),
      usb: { vendor: '0c2e', product: '090a', serial: 'S1', manufacturer: 'Honeywell', name: null },
      byId: [join(root, 'dev/serial/by-id/usb-Honeywell_S1-if00')],
      byPath: [join(root, 'dev/serial/by-path/pci-usb-1-1')],
      stableName: join(root, 'dev/serial/by-id/usb-Honeywell_S1-if00'),
      ambiguous: false,
    },
  ]);
});

test('clones without a serial number are called by their sockets, as one id would mean either', async () => {
  await usbTty('ttyACM0', '1-1', {});
  await usbTty('ttyACM1', '1-2', {});
  await link('dev/serial/by-id/usb-clone-if00', '../../ttyACM1');
  const ports = await listPorts(roots());
  expect(ports.map(({ stableName, ambiguous }) => [stableName, ambiguous])).toEqual([
    [join(root, 'dev/serial/by-path/pci-usb-1-1'), true],
    [join(root, 'dev/serial/by-path/pci-usb-1-2'), true],
  ]);
});

test('a UART has its path, a slot without hardware and a virtual console are left out', async () => {
  await put('sys/devices/uart/name', 'ttyAMA0');
  await mkdir(join(root, 'sys/class/tty/ttyAMA0'), { recursive: true });
  await link('sys/class/tty/ttyAMA0/device', '../../../devices/uart');
  await put('sys/class/tty/ttyAMA0/type', '32');
  await mkdir(join(root, 'sys/class/tty/ttyS0'), { recursive: true });
  await link('sys/class/tty/ttyS0/device', '../../../devices/uart');
  await put('sys/class/tty/ttyS0/type', '0');
  await mkdir(join(root, 'sys/class/tty/tty1'), { recursive: true });
  const ports = await listPorts(roots());
  expect(ports.map(({ stableName, usb }) => [stableName, usb])).toEqual([[join(root, 'dev/ttyAMA0'), null]]);
});

test('a machine without sysfs has no ports to list', async () => {
  expect(await listPorts({ sys: join(root, 'nothing'), dev: join(root, 'nothing') })).toEqual([]);
});

test('the search for a USB device ends at the root', async () => {
  expect(await usbIdentityOf('/')).toBeNull();
  expect(await usbIdentityOf(root)).toBeNull();
});
