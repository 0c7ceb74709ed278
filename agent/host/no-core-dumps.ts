import { openLibc } from './libc.ts';

/** `getrlimit(2)`: the resource number of core files on Linux. */
const RLIMIT_CORE = 4;
/**
 * One byte: too small for any core file, and the one value at which the kernel also leaves a core handler behind a pipe
 * alone (fs/coredump.c), which pays no heed to a limit of 0.
 */
const CORE_BYTES = 1n;

/**
 * Forbids core dumps of this process and its children: the memory of a till may hold a card number for a moment, and no
 * file ever may. Returns false where it cannot be done; the service unit forbids them as well.
 */
export function forbidCoreDumps(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    const limit = Buffer.alloc(16);
    limit.writeBigUInt64LE(CORE_BYTES, 0);
    limit.writeBigUInt64LE(CORE_BYTES, 8);
    return openLibc().func('int setrlimit(int resource, const void *limit)')(RLIMIT_CORE, limit) === 0;
  } catch (error) {
    // No binary of the bridge to libc for this machine: the unit's own limit remains.
    if (error instanceof Error) return false;
    throw error;
  }
}
