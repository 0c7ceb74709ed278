import { createRequire } from 'node:module';
import { setInterval, setTimeout } from 'node:timers';

/** mallopt(3). */
const M_ARENA_MAX = -8;
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
}

/**
 * Has the process give back what only starting needed, shortly after the start and then every ten minutes until the
 * signal fires: loading the agent leaves 8 MB of free pages inside glibc's heap that it would keep for good (measured,
 * Node 20 and 24). Returns false where libc cannot be asked.
 */
export function giveSpareMemoryBack(signal: AbortSignal): boolean {
  const allocator = openAllocator();
  if (allocator === null) return false;
  allocator.limitArenas();
  const first = setTimeout(() => allocator.trim(), AFTER_START_MS).unref();
  const again = setInterval(() => allocator.trim(), EVERY_MS).unref();
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
    return {
      limitArenas: () => mallopt(M_ARENA_MAX, ARENAS) === 1,
      trim: () => mallocTrim(0) === 1,
    };
  } catch (error) {
    // No such symbol or no binary of the bridge for this machine: the memory stays with the process.
    if (error instanceof Error) return null;
    throw error;
  }
}
