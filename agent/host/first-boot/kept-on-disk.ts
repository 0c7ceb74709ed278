import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A card's partition holds settings, keys and certificates: nothing larger is read from it. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Writes a whole file or none, also across a power cut; a new file never has more than `mode`. */
export async function writeWhole(
  path: string,
  bytes: Uint8Array | string,
  options: { readonly mode: number; readonly owner?: { readonly uid: number; readonly gid: number } },
): Promise<void> {
  const next = `${path}.next`;
  await rm(next, { force: true });
  const file = await open(next, 'wx', options.mode);
  try {
    // The service's umask (0077) has cut the mode that the file was made with; the agent reads by its group.
    await file.chmod(options.mode);
    await file.writeFile(bytes);
    if (options.owner !== undefined) await file.chown(options.owner.uid, options.owner.gid);
    await file.sync();
    await rename(next, path);
    // FAT writes a file's entry in its folder with the file, not with the folder: a renamed one is synced again.
    await file.sync();
  } finally {
    await file.close();
  }
  await syncFolder(dirname(path));
}

/**
 * Overwrites a file with zeros and removes it. A card's controller may keep the old blocks out of reach;
 * only what the file system shows is gone for certain.
 */
export async function wipe(path: string): Promise<void> {
  const { size } = await stat(path);
  const file = await open(path, 'r+');
  try {
    await file.write(new Uint8Array(Math.min(size, MAX_BYTES)), 0, undefined, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await rm(path);
  await syncFolder(dirname(path));
}

/** The file's bytes, `null` where there is none. */
export async function readIfThere(path: string): Promise<Uint8Array | null> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw new RangeError(`${path} has ${size} bytes`);
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export async function textIfThere(folder: string, name: string): Promise<string | null> {
  const bytes = await readIfThere(join(folder, name));
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
