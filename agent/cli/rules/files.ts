import { open, readFile, stat, writeFile } from 'node:fs/promises';
import { pricingFailure } from '../../pricing/errors.ts';
import { readTrustedKey, type TrustedKey } from '../../pricing/bundle/sign.ts';
import { MAX_FILE_BYTES } from '../../pricing/language/document.ts';

/** Reads a file of at most 4 MiB, or as many bytes as are said. Throws `file-unreadable`, `bundle-too-large`. */
export async function readBounded(path: string, maxBytes: number = MAX_FILE_BYTES): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > maxBytes) throw pricingFailure('bundle-too-large', { detail: `${path} has ${size} bytes` });
    const bytes = await readFile(path);
    if (bytes.length > maxBytes) throw pricingFailure('bundle-too-large', { detail: path });
    return bytes;
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
