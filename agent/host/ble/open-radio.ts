import type { BleRadio, RadioOptions } from '../../../drivers/api/transports.ts';
import { radioDefaults, type RadioDeps, type RadioSettings } from './radio-settings.ts';
import { superviseRadio } from './radio-supervisor.ts';

/**
 * Opens a Bluetooth radio in a process of its own and keeps it hearing: a dead process is replaced at once, a silent one
 * is helped up the ladder (restart the scan, new process, reset the adapter, then `failed`), a growing or day-old one is
 * recycled. Resolves as soon as the process runs; whether it hears is told by `health`.
 */
export async function openRadio(
  options: RadioOptions,
  deps: RadioDeps,
  signal: AbortSignal,
  settings: Partial<RadioSettings> = {},
): Promise<BleRadio> {
  signal.throwIfAborted();
  return superviseRadio(options, deps, { ...radioDefaults, ...settings }, signal);
}
