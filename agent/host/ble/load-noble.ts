import { createRequire } from 'node:module';
import type { Noble } from './noble-types.ts';
import type { HciSocketClass } from './socket-guard.ts';

export type NobleLibrary = 'abandonware' | 'stoprocent';

const require = createRequire(import.meta.url);

const packages = {
  abandonware: { noble: '@abandonware/noble', socket: '@abandonware/bluetooth-hci-socket' },
  stoprocent: { noble: '@stoprocent/noble', socket: '@stoprocent/bluetooth-hci-socket' },
} as const;

export interface LoadedNoble {
  readonly noble: Noble;
  /** The library's own objects, for {@link forgetPeripherals}. */
  readonly internals: { readonly noble: object; readonly bindings: object };
}

/** The socket class that the library would use by itself. Throws where the platform has none. */
export function nativeSocketClass(library: NobleLibrary): HciSocketClass {
  return require(packages[library].socket) as HciSocketClass;
}

/**
 * Loads one noble, unmodified, over the given socket class: the class stands in the module cache in place of the native
 * one before noble is first required. Both libraries are made from their own parts, because requiring their entry points
 * would start them at once.
 */
export function loadNoble(
  library: NobleLibrary,
  socketClass: HciSocketClass,
  options: { readonly deviceId?: number; readonly extended?: boolean },
): LoadedNoble {
  const { noble: name, socket } = packages[library];
  const path = require.resolve(socket);
  const exports = Object.assign(socketClass, { loadDriver: () => socketClass });
  require.cache[path] = { id: path, filename: path, loaded: true, exports } as NodeJS.Module;
  // noble withholds an ADV_IND once it saw a scan response of that address, unless it is told to report every event.
  process.env['NOBLE_REPORT_ALL_HCI_EVENTS'] = '1';
  const Bindings = require(`${name}/lib/hci-socket/bindings`) as new (options: object) => object;
  const NobleClass = require(`${name}/lib/noble`) as new (bindings: object) => Noble;
  const bindings = new Bindings(library === 'abandonware' ? options : { deviceId: options.deviceId });
  const noble = new NobleClass(bindings);
  return { noble, internals: { noble, bindings } };
}

/** Where the libraries keep what they know of every address they ever heard; none of it is ever freed by themselves. */
const memories: readonly (readonly [holder: 'noble' | 'bindings' | 'gap', key: string])[] = [
  ['noble', '_peripherals'],
  ['noble', '_services'],
  ['noble', '_characteristics'],
  ['noble', '_descriptors'],
  ['noble', '_discoveredPeripheralUUids'],
  ['noble', '_discoveredPeripherals'],
  ['bindings', '_addresses'],
  ['bindings', '_addresseTypes'],
  ['bindings', '_connectable'],
  ['bindings', 'scannable'],
  ['gap', '_discoveries'],
];
/** Fewer than this many of them found means another version of the library: its memory is left to the recycling. */
const MEMORIES_EXPECTED = 10;

/**
 * Makes noble forget every peripheral but those in `keep` (ids: address without colons). Measured: 1.5 kB an address
 * otherwise, without end. These are private fields of two pinned versions.
 *
 * @returns false when the fields are not there; then only a new process frees the memory.
 */
export function forgetPeripherals(internals: LoadedNoble['internals'], keep: ReadonlySet<string>): boolean {
  const holders = {
    noble: internals.noble as Record<string, unknown>,
    bindings: internals.bindings as Record<string, unknown>,
    gap: (internals.bindings as Record<string, unknown>)['_gap'] as Record<string, unknown> | undefined,
  };
  let found = 0;
  for (const [name, key] of memories) {
    const holder = holders[name];
    const memory = holder?.[key];
    if (holder === undefined || memory === undefined || memory === null) continue;
    found += 1;
    // gap keys by address with colons, all others by id.
    const kept = (entry: string): boolean => keep.has(entry.replaceAll(':', ''));
    if (memory instanceof Map || memory instanceof Set) {
      for (const entry of memory.keys()) if (!kept(String(entry))) memory.delete(entry);
    } else holder[key] = Object.fromEntries(Object.entries(memory).filter(([entry]) => kept(entry)));
  }
  return found >= MEMORIES_EXPECTED;
}
