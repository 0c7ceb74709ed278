import { createRequire } from 'node:module';
import { setInterval, setTimeout } from 'node:timers';
import { readFileSync } from 'node:fs';

/** mallopt(3). */
const M_ARENA_MAX = -8;
/** madvise(2): the mapping stays, its pages leave the process. */
const MADV_DONTNEED = 4;
/** One busy thread and its helpers: more arenas would only be more half-empty heaps. */
const ARENAS = 2;
/** By then drivers, broker and page are loaded, and what loading took is free again. */
const AFTER_START_MS = 10_000;
/** A busy hour leaves holes too. One pass over a heap of 10 MB takes under 2 ms (measured). */
const EVERY_MS = 10 * 60_000;

/** The allocator's own calls; `null` under another C library than glibc. */
interface Allocator {
  limitArenas(): boolean;
  /** Gives free pages back to the kernel; true when there were any. */
  trim(): boolean;
  /**
   * Lets go of the pages of Node's own program code; those still in use come back by minor faults. Returns how many bytes are mapped.
   * They are clean pages of a private mapping of a file, which stay in the kernel's cache.
   */
  leaveCode(): number;
}

/**
 * Has the process give back what only starting needed, shortly after the start and then every ten minutes until the signal fires.
 * Loading the agent leaves 8 MB of free pages inside glibc's heap that it would keep for good, and runs through 18 MB of Node's
 * code that an agent at work does not run again (both measured; Node 20 and 24). Returns false where libc cannot be asked.
 */
export function giveSpareMemoryBack(signal: AbortSignal): boolean {
  const allocator = openAllocator();
  if (allocator === null) return false;
  allocator.limitArenas();
  const giveBack = (): void => {
    allocator.trim();
    allocator.leaveCode();
  };
  const first = setTimeout(giveBack, AFTER_START_MS).unref();
  const again = setInterval(giveBack, EVERY_MS).unref();
  const stop = (): void => {
    clearTimeout(first);
    clearInterval(again);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return true;
}

export function openAllocator(): Allocator | null {
  if (process.platform !== 'linux') return null;
  try {
    const koffi = createRequire(import.meta.url)('koffi') as {
      load(path: string | null): { func(prototype: string): (...args: readonly number[]) => number };
    };
    const libc = koffi.load(null);
    const mallopt = libc.func('int mallopt(int parameter, int value)');
    const mallocTrim = libc.func('int malloc_trim(size_t pad)');
    const madvise = libc.func('int madvise(uintptr_t address, size_t length, int advice)');
    return {
      limitArenas: () => mallopt(M_ARENA_MAX, ARENAS) === 1,
      trim: () => mallocTrim(0) === 1,
      leaveCode: () => {
        const code = codeOf(process.execPath, readFileSync('/proc/self/maps', 'utf8'));
        for (const { from, bytes } of code) madvise(from, bytes, MADV_DONTNEED);
        return code.reduce((sum, { bytes }) => sum + bytes, 0);
      },
    };
  } catch (error) {
    // No such symbol or no binary of the bridge for this machine: the memory stays with the process.
    if (error instanceof Error) return null;
    throw error;
  }
}

/** Where a program's code lies: private mappings of its file that are executable and were never writable. @see proc_pid_maps(5) */
export function codeOf(program: string, maps: string): readonly { readonly from: number; readonly bytes: number }[] {
  return maps.split('\n').flatMap((line) => {
    const [, from = '', to = '', path] = /^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ \S+ +(\/.*)$/.exec(line) ?? [];
    if (path !== program) return [];
    const start = Number.parseInt(from, 16);
    return [{ from: start, bytes: Number.parseInt(to, 16) - start }];
  });
}
