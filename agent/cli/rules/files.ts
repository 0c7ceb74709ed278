import { open, readFile, stat, writeFile } from 'node:fs/promises';
import { pricingFailure } from '../../pricing/errors.ts';
import { readTrustedKey, type TrustedKey } from '../../pricing/bundle/sign.ts';
import { MAX_FILE_BYTES } from '../../pricing/language/document.ts';
import { openDescriptor, readOpenPipe } from './open-pipe.ts';

/** Reads a file of at most 4 MiB, or as many bytes as are said. Throws `file-unreadable`, `bundle-too-large`. */
export async function readBounded(path: string, maxBytes: number = MAX_FILE_BYTES): Promise<Uint8Array> {
  const bytes = await readAtMost(path, maxBytes);
  if (bytes === null) throw pricingFailure('bundle-too-large', { detail: path });
  return bytes;
}

/**
 * A file's bytes, null when there are more than are wanted. A device may never end and a named pipe may never begin:
 * neither is read. One that the shell has opened already is, for as long as something comes.
 */
export async function readAtMost(path: string, maxBytes: number): Promise<Uint8Array | null> {
  try {
    const found = await stat(path);
    const fd = openDescriptor(path);
    if (fd !== null && (found.isFIFO() || found.isSocket())) return await readOpenPipe(path, fd, maxBytes);
    if (!found.isFile()) throw pricingFailure('file-unreadable', { detail: `${path} is not a file` });
    return found.size > maxBytes ? null : await readFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

export async function readTrust(paths: readonly string[]): Promise<readonly TrustedKey[]> {
  return Promise.all(paths.map(async (path) => readTrustedKey(await readBounded(path), path)));
}

/** Writes a result: to the file, readable by all, flushed before success is told. */
export async function writeResult(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
    const handle = await open(path, 'r');
    await handle.sync();
    await handle.close();
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) return error;
  return pricingFailure('file-unreadable', { detail: `${path} (${code})`, cause: error });
}
