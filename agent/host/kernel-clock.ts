import { createRequire } from 'node:module';

/** `adjtimex(2)`: the state when the kernel holds the clock for unsynchronised. */
const TIME_ERROR = 5;

/** struct timex is 208 bytes on 64-bit and 128 on 32-bit Linux; more room does no harm, and `modes = 0` only reads. */
const TIMEX_BYTES = 512;

type Adjtimex = (timex: Uint8Array) => number;

let adjtimex: Adjtimex | null | undefined;

/**
 * Whether the kernel calls its clock synchronised, whoever keeps it (timesyncd, chrony, ntpd): adjtimex(2) with
 * `modes = 0`. `null` where it cannot be asked: another system, or a seccomp filter such as `ProtectClock=`.
 */
export function kernelClockSynchronised(): boolean | null {
  adjtimex ??= bindAdjtimex();
  if (adjtimex === null) return null;
  const state = adjtimex(new Uint8Array(TIMEX_BYTES));
  return state < 0 ? null : state !== TIME_ERROR;
}

/** Loaded when first asked and without `import`, since the answer is needed inside synchronous code. */
function bindAdjtimex(): Adjtimex | null {
  if (process.platform !== 'linux') return null;
  try {
    const koffi = createRequire(import.meta.url)('koffi') as {
      load(path: string | null): { func(prototype: string): Adjtimex };
    };
    return koffi.load(null).func('int adjtimex(void *timex)');
  } catch (error) {
    // No such symbol or no binary for this machine: synchronisation is then told by timesyncd's file alone.
    if (error instanceof Error) return null;
    throw error;
  }
}
