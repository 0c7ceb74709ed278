import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { DriverRegistry } from '../../drivers/api/driver.ts';
import type { SecretRef } from '../../drivers/api/secret.ts';
import { configFailure } from '../config/errors.ts';
import { kitText } from '../config/kit-text.ts';
import { readConfig, type ReadConfig } from '../config/read-config.ts';

/** kit.yaml holds settings only. */
const MAX_CONFIG_BYTES = 1024 * 1024;
/** A secret is a key, a password or a certificate chain. */
const MAX_SECRET_BYTES = 256 * 1024;
/** The limit of a rule bundle. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** Reads and checks a kit.yaml. Throws `config-unreadable` or `config-too-large`; faults inside are a value. */
export async function readKit(path: string, registry: DriverRegistry): Promise<ReadConfig> {
  const read = kitText(await readBytes(path));
  return 'fault' in read ? { ok: false, faults: [read.fault], sound: {} } : readConfig(read.text, registry);
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    if ((await stat(path)).size > MAX_CONFIG_BYTES) throw configFailure('config-too-large', { detail: path });
    return await readFile(path);
  } catch (error) {
    if (isSystemError(error))
      throw configFailure('config-unreadable', { detail: `${path} (${error.code})`, cause: error });
    throw error;
  }
}

/** Reads what kit.yaml points at: secrets and small files, relative to its folder. */
export function kitFiles(
  configPath: string,
  env: NodeJS.ProcessEnv,
): { secret(ref: SecretRef): Promise<Uint8Array>; file(path: string): Promise<Uint8Array> } {
  const folder = dirname(resolve(configPath));
  return {
    async secret(ref) {
      if ('env' in ref) {
        const value = env[ref.env];
        if (value === undefined)
          throw configFailure('secret-unreadable', { detail: `the variable ${ref.env} is not set` });
        return withoutNewline(Buffer.from(value));
      }
      const credentials = env['CREDENTIALS_DIRECTORY'];
      if ('credential' in ref && credentials === undefined)
        throw configFailure('secret-unreadable', {
          detail: `the credential ${ref.credential} was not passed by systemd`,
        });
      const path = 'credential' in ref ? join(credentials ?? '', ref.credential) : resolve(folder, ref.file);
      return withoutNewline(await readBounded(path, MAX_SECRET_BYTES, 'secret-unreadable'));
    },
    file: (path) => readBounded(resolve(folder, path), MAX_FILE_BYTES, 'kit-file-unreadable'),
  };
}

async function readBounded(
  path: string,
  maxBytes: number,
  code: 'secret-unreadable' | 'kit-file-unreadable',
): Promise<Uint8Array> {
  try {
    if ((await stat(path)).size > maxBytes)
      throw configFailure(code, { detail: `${path} is larger than ${maxBytes} bytes` });
    return await readFile(path);
  } catch (error) {
    if (isSystemError(error)) throw configFailure(code, { detail: `${path} (${error.code})`, cause: error });
    throw error;
  }
}

function withoutNewline(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  if (bytes[end - 1] === 0x0a) end -= 1;
  if (bytes[end - 1] === 0x0d) end -= 1;
  return bytes.subarray(0, end);
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { readonly code: string } {
  return error instanceof Error && 'syscall' in error && typeof (error as NodeJS.ErrnoException).code === 'string';
}
