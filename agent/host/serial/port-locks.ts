import { readFile, stat } from 'node:fs/promises';

/** The kernel writes a device number as two hexadecimal halves of at least two digits. */
function lockName(dev: bigint, ino: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
  const half = (value: bigint): string => value.toString(16).padStart(2, '0');
  return `${half(major)}:${half(minor)}:${ino}`;
}

/**
 * Whether some process holds an flock on this file. Asked before a port is opened: an opener that fails on the lock
 * has already changed the holder's line settings (stop bits 1 → 2 seen), so it must not get that far.
 * `null` when the kernel's list cannot be read (a unit with `ProcSubset=pid`); the lock itself still guards then.
 */
export async function isLocked(path: string): Promise<boolean | null> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    const name = lockName(dev, ino);
    const table = await readFile('/proc/locks', 'utf8');
    return table.split('\n').some((line) => line.includes(' FLOCK ') && line.split(/\s+/).includes(name));
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}
