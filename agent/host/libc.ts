import { createRequire } from 'node:module';

/** The C library of this process. */
export interface Libc {
  /** A function by its C prototype. Throws where there is none of that name. */
  func(prototype: string): (...args: readonly unknown[]) => number;
  /** errno(3) of the last call. */
  errno(): number;
}

/** The bridge to libc: what Node itself has no call for. Throws where it has no binary for this machine. */
export function openLibc(): Libc {
  const koffi = createRequire(import.meta.url)('koffi') as {
    load(path: string | null): Pick<Libc, 'func'>;
    errno(): number;
  };
  const libc = koffi.load(null);
  return { func: (prototype) => libc.func(prototype), errno: () => koffi.errno() };
}
