import { readFileSync } from 'node:fs';
import { setInterval, setTimeout } from 'node:timers';
import { cleanMappings } from './clean-mappings.ts';
import { openLibc } from './libc.ts';

/** mallopt(3). */
const M_ARENA_MAX = -8;
/** madvise(2). */
const MADV_DONTNEED = 4;
/** One busy thread and its helpers: more arenas would only be more half-empty heaps. */
const ARENAS = 2;
/** By then drivers, broker and page are loaded, and what loading took is free again. */
const AFTER_START_MS = 10_000;
/** A busy hour leaves holes too. One pass over a heap of 10 MB and 30 mappings takes 7 ms (measured). */
const EVERY_MS = 10 * 60_000;

/** What libc and kernel can be asked for; `null` under another C library than glibc. */
interface Memory {
  limitArenas(): boolean;
  /** Gives free pages of the heap back to the kernel; true when there were any. */
  trimHeap(): boolean;
  /**
   * Takes program text and constants out of the process's memory and returns how many mappings that were. They stay in
   * the kernel's cache, where they are the first to go when memory is short; what still runs is mapped again, page by
   * page, as it runs.
   */
  unmapProgram(): number;
}

/**
 * Has the process give back what only starting needed, shortly after the start and then every ten minutes until the
 * signal fires, if one is given: loading the agent leaves 8 MB of free pages inside glibc's heap that it would keep for good, and maps
 * 55 MB of Node's program of which 25 MB ever run again (measured, Node 20 and 24). Returns false where libc cannot be
 * asked.
 */
export function giveSpareMemoryBack(signal?: AbortSignal): boolean {
  const memory = openMemory();
  if (memory === null) return false;
  memory.limitArenas();
  const giveBack = (): void => {
    memory.trimHeap();
    memory.unmapProgram();
  };
  const first = setTimeout(giveBack, AFTER_START_MS).unref();
  const again = setInterval(giveBack, EVERY_MS).unref();
  const stop = (): void => {
    clearTimeout(first);
    clearInterval(again);
  };
  if (signal?.aborted === true) stop();
  else signal?.addEventListener('abort', stop, { once: true });
  return true;
}

export function openMemory(): Memory | null {
  if (process.platform !== 'linux') return null;
  try {
    const libc = openLibc();
    const mallopt = libc.func('int mallopt(int parameter, int value)');
    const mallocTrim = libc.func('int malloc_trim(size_t pad)');
    const madvise = libc.func('int madvise(uintptr_t address, size_t length, int advice)');
    return {
      limitArenas: () => mallopt(M_ARENA_MAX, ARENAS) === 1,
      trimHeap: () => mallocTrim(0) === 1,
      unmapProgram: () =>
        cleanMappings(readFileSync('/proc/self/smaps', 'latin1')).filter(
          ({ address, bytes }) => madvise(address, bytes, MADV_DONTNEED) === 0,
        ).length,
    };
  } catch (error) {
    // No such symbol or no binary of the bridge for this machine: the memory stays with the process.
    if (error instanceof Error) return null;
    throw error;
  }
}
