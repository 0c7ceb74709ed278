import { stat } from 'node:fs/promises';
import { SerialPort } from 'serialport';
import type { AgentError } from '../../../drivers/api/agent-error.ts';
import type { ByteLink, SerialOptions } from '../../../drivers/api/transports.ts';
import { linkFailure } from '../../../drivers/lib/link-errors.ts';
import { isLocked } from './port-locks.ts';
import { serialLink, type SerialDeps } from './serial-link.ts';
import { usbIdentity } from './usb-identity.ts';
import { waitForPort } from './wait-for-port.ts';

async function assertCharacterDevice(path: string): Promise<void> {
  try {
    if ((await stat(path)).isCharacterDevice()) return;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    const gone = error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP';
    throw linkFailure(gone ? 'port-missing' : 'port-failed', { detail: path, cause: error });
  }
  throw linkFailure('port-failed', { detail: `${path} is no serial port`, hint: 'Correct port: in kit.yaml' });
}

async function assertIdentity(options: SerialOptions): Promise<void> {
  const { path, usb } = options;
  if (usb === undefined) return;
  const found = await usbIdentity(path);
  const same =
    found !== null &&
    found.vendor === usb.vendor.toLowerCase() &&
    found.product === usb.product.toLowerCase() &&
    (usb.serial === undefined || found.serial === usb.serial);
  if (same) return;
  const detail =
    found === null
      ? `${path} is no USB device`
      : `${path} is ${found.vendor}:${found.product} serial ${found.serial ?? 'none'}`;
  throw linkFailure('port-identity', { detail });
}

/** The library tells its failures apart only by text, so the port is asked again what is wrong with it. */
async function whyNot(path: string, cause: unknown): Promise<AgentError | Error> {
  try {
    await assertCharacterDevice(path);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  if ((await isLocked(path)) === true) return linkFailure('port-busy', { detail: path, cause });
  return linkFailure('port-failed', { detail: path, cause });
}

function openPort(port: SerialPort): Promise<void> {
  return new Promise((resolve, reject) => {
    port.open((error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}

/**
 * Opens one connection to a serial port. 8 data bits, no flow control, exclusive (flock).
 *
 * Each connection is a fresh SerialPort: one that is re-used sends what was written while it was closed to whatever
 * device comes next. Opening discards what the device sent before.
 *
 * @throws AgentError `port-missing`, `port-busy`, `port-identity`, `port-failed`; the signal's reason.
 * @returns A link whose `chunks` throw `port-lost` once the device is gone, at the latest a second after it went.
 */
export async function openSerial(options: SerialOptions, deps: SerialDeps, signal: AbortSignal): Promise<ByteLink> {
  const { path } = options;
  signal.throwIfAborted();
  if (options.waitMs !== undefined && options.waitMs > 0)
    await waitForPort(path, { waitMs: options.waitMs, clock: deps.clock }, signal);
  await assertCharacterDevice(path);
  await assertIdentity(options);
  if ((await isLocked(path)) === true) throw linkFailure('port-busy', { detail: path });
  const port = new SerialPort({
    path,
    baudRate: options.baudRate,
    dataBits: 8,
    stopBits: options.stopBits ?? 1,
    parity: options.parity ?? 'none',
    lock: true,
    // Dropping DTR on close resets Arduino-like boards and makes port-powered readers forget their set-up.
    hupcl: false,
    autoOpen: false,
  });
  const link = serialLink(port, deps, options);
  try {
    await openPort(port);
  } catch (error) {
    throw await whyNot(path, error);
  }
  try {
    link.start();
    // The path may have been re-pointed between the first look and the open.
    await assertIdentity(options);
    signal.throwIfAborted();
  } catch (error) {
    await link.close();
    throw error;
  }
  deps.log?.debug('serial-opened', { path });
  return link;
}
