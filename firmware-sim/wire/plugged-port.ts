import { mkdir, rename, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { openPty, type Pty, type PtyOptions } from './pty.ts';

/**
 * A socket of the virtual kit with a stable name, as udev gives it: `folder/name` is a link to the line of whatever is
 * plugged in. A device that comes back has a new line behind the same name.
 */
export interface PluggedPort extends AsyncDisposable {
  /** The stable name, for kit.yaml. */
  readonly path: string;
  /** The line while a device is plugged in. */
  readonly line: Pty | undefined;
  /** Plugs the device in (first unplugging what is there). */
  plug(): Promise<Pty>;
  unplug(): Promise<void>;
}

let linkNumber = 0;

/** Points a link elsewhere in one step: no reader ever finds it missing or half made. */
async function pointLink(link: string, target: string): Promise<void> {
  linkNumber += 1;
  const fresh = `${link}.${process.pid}-${linkNumber}`;
  await symlink(target, fresh);
  await rename(fresh, link);
}

async function removeLink(link: string): Promise<void> {
  try {
    await unlink(link);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

/** A socket called `name` in `folder` (made when missing), empty until something is plugged in. */
export async function pluggedPort(folder: string, name: string, options: PtyOptions = {}): Promise<PluggedPort> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  let line: Pty | undefined;
  const unplug = async (): Promise<void> => {
    const pulled = line;
    line = undefined;
    // The name goes first: a host that hangs up must not find the old line's number behind it.
    await removeLink(path);
    await pulled?.close();
  };
  return {
    path,
    get line() {
      return line?.open === true ? line : undefined;
    },
    async plug() {
      if (line !== undefined) await unplug();
      line = openPty(options);
      await pointLink(path, line.path);
      return line;
    },
    unplug,
    [Symbol.asyncDispose]: unplug,
  };
}
