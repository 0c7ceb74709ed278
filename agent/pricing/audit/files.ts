import type { Json, JsonObject } from '../../../drivers/api/reading.ts';
import type { Chance } from '../../../drivers/api/clock.ts';
import type { KeptFiles } from '../../core/host.ts';
import type { AuditHead } from './audit-log.ts';
import { kitKeyFrom, SEED_BYTES, type KitKey } from './kit-key.ts';
import type { AuditAnchor } from './verify.ts';

/** The kit's own key: its seed in hex. */
export const KEY_FILE = 'audit.key';
/** The log's head as of a few seconds ago. */
export const ANCHOR_FILE = 'audit.head';

/** The kit's key, made and written on the first start. Without a disk it lives as long as the agent. */
export function openKitKey(files: KeptFiles | undefined, chance: Chance): KitKey {
  const known = readKitKey(files?.read(KEY_FILE) ?? null);
  if (known !== null) return known;
  const made = chance.bytes(SEED_BYTES);
  files?.write(KEY_FILE, new TextEncoder().encode(`${Buffer.from(made).toString('hex')}\n`));
  return kitKeyFrom(made);
}

/** The key in a key file's bytes; null when it is none. */
export function readKitKey(bytes: Uint8Array | null): KitKey | null {
  const seed = bytes === null ? null : Buffer.from(new TextDecoder().decode(bytes).trim(), 'hex');
  return seed !== null && seed.length === SEED_BYTES ? kitKeyFrom(seed) : null;
}

/** Returns whether there is a place to write it. */
export function writeAnchor(files: KeptFiles | undefined, epoch: string, head: AuditHead): boolean {
  const { origin, size, last, root, signature, publicKey } = head;
  const anchor: AuditAnchor = { origin, epoch, size, last, root, signature, publicKey };
  files?.write(ANCHOR_FILE, new TextEncoder().encode(`${JSON.stringify(anchor)}\n`));
  return files !== undefined;
}

/** The head of a state folder; null when there is none or it is no head. */
export function readAnchor(bytes: Uint8Array | null): AuditAnchor | null {
  if (bytes === null) return null;
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as Json;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    const { origin, epoch, size, last, root, signature, publicKey } = value as JsonObject;
    const texts = [origin, epoch, root, signature, publicKey].every((text) => typeof text === 'string');
    // Each field was looked at.
    return texts && Number.isSafeInteger(size) && Number.isSafeInteger(last) ? (value as unknown as AuditAnchor) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
