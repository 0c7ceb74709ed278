import { execFile } from 'node:child_process';
import { readFile, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const COMMAND_MS = 10_000;
const POWER_PAUSE_MS = 1_000;
const USB_PARENTS = 4;

/** What was done, for the log. */
export type AdapterResetStep = 'rfkill' | 'power-cycle' | 'usb-reset';

/**
 * Brings a kernel adapter back: rfkill unblock, down and up, and where even that is refused the reset of its USB device.
 * Needs CAP_NET_ADMIN, the USB reset write access to sysfs. Returns what worked.
 */
export async function resetAdapter(adapter: number, signal: AbortSignal): Promise<readonly AdapterResetStep[]> {
  const name = `hci${adapter}`;
  const done: AdapterResetStep[] = [];
  if (await works('rfkill', ['unblock', 'bluetooth'], signal)) done.push('rfkill');
  if (await works('hciconfig', [name, 'down'], signal)) {
    await new Promise((resolve) => setTimeout(resolve, POWER_PAUSE_MS));
    if (await works('hciconfig', [name, 'up'], signal)) done.push('power-cycle');
  } else if (await works('btmgmt', ['--index', String(adapter), 'power', 'off'], signal)) {
    await new Promise((resolve) => setTimeout(resolve, POWER_PAUSE_MS));
    if (await works('btmgmt', ['--index', String(adapter), 'power', 'on'], signal)) done.push('power-cycle');
  }
  if (!done.includes('power-cycle') && (await resetUsb(name))) done.push('usb-reset');
  return done;
}

async function works(command: string, args: readonly string[], signal: AbortSignal): Promise<boolean> {
  try {
    await run(command, [...args], { timeout: COMMAND_MS, signal });
    return true;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // Not installed, not permitted, not this adapter: the next way is tried.
    return error === undefined;
  }
}

/** Takes the adapter's USB device off the bus and back. Its hci number may change with it. */
async function resetUsb(name: string): Promise<boolean> {
  try {
    let device = await realpath(`/sys/class/bluetooth/${name}/device`);
    for (let level = 0; level < USB_PARENTS; level += 1) {
      const switchFile = join(device, 'authorized');
      if (await isReadable(switchFile)) {
        await writeFile(switchFile, '0');
        await new Promise((resolve) => setTimeout(resolve, POWER_PAUSE_MS));
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
