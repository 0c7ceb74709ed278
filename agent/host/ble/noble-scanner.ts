import type { Advertisement } from '../../../drivers/api/transports.ts';
import { forgetPeripherals, type LoadedNoble } from './load-noble.ts';
import type { NoblePeripheral } from './noble-types.ts';
import type { AdapterState } from './radio-wire.ts';

/**
 * Addresses after which noble is made to forget them all. At 1.5 kB each that is 3 MB between two forgettings; with 8,000
 * the process stayed at 115 to 127 MB over a million addresses, with this at 108 (Node 20). Twice the sensors of a radio.
 */
export const ADDRESSES_KNOWN = 2_000;
/** How long a stop may take before the start follows anyway: a controller with nothing to stop may refuse silently. */
const STOP_SCAN_MS = 300;
/** Waits between refused scan-enables. */
const REFUSED_FIRST_MS = 500;
const REFUSED_MAX_MS = 15_000;
/** Refusals in a row after which the adapter counts as refusing. */
const REFUSED_OFTEN = 5;

export interface ScannerEvents {
  onAdvert(advert: Advertisement): void;
  onState(state: AdapterState): void;
}

/** noble's scan, kept alive: restarted when the adapter comes back, stops or refuses. */
export interface NobleScanner {
  start(): void;
  /** Stops and starts the scan; calls while one is under way are joined. */
  restartScan(): Promise<void>;
  onScanEnabled(status: number): void;
  /** The newest connectable peripheral of an address, if it was heard since the last forgetting. */
  peripheral(address: string): NoblePeripheral | undefined;
  /** Resolves when that address is next heard as connectable. */
  heard(address: string, signal: AbortSignal): Promise<NoblePeripheral>;
  /** Ids that must not be forgotten: their links are open. */
  readonly pinned: Set<string>;
  readonly addressesKnown: number;
  readonly forgets: number;
  readonly forgetful: boolean;
}

export function nobleScanner({ noble, internals }: LoadedNoble, events: ScannerEvents): NobleScanner {
  const known = new Set<string>();
  const connectable = new Map<string, NoblePeripheral>();
  const waiting = new Map<string, Set<(peripheral: NoblePeripheral) => void>>();
  const pinned = new Set<string>();
  let forgets = 0;
  let forgetful = true;
  let refused = 0;
  let restarting: Promise<void> | undefined;
  let retry: NodeJS.Timeout | undefined;

  const forget = (): void => {
    forgets += 1;
    known.clear();
    for (const [address, peripheral] of connectable) if (!pinned.has(peripheral.id)) connectable.delete(address);
    forgetful = forgetPeripherals(internals, pinned);
  };

  const onDiscover = (peripheral: NoblePeripheral): void => {
    const { advertisement } = peripheral;
    const advert = copyAdvert(peripheral);
    // noble keeps one object per address and lays each report over the last: what is not taken out stays for ever.
    advertisement.localName = undefined;
    advertisement.manufacturerData = undefined;
    advertisement.serviceData = [];
    events.onAdvert(advert);
    if (advert.connectable) {
      connectable.set(advert.address, peripheral);
      const waiters = waiting.get(advert.address);
      if (waiters !== undefined) for (const resolve of waiters) resolve(peripheral);
    }
    known.add(peripheral.id);
    if (known.size > ADDRESSES_KNOWN) forget();
  };

  const restart = async (): Promise<void> => {
    clearTimeout(retry);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, STOP_SCAN_MS);
      noble.stopScanning(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    // The callback may carry "not powered on": the next state change starts the scan.
    if (noble.state === 'poweredOn') noble.startScanning([], true, () => undefined);
  };

  const restartScan = (): Promise<void> => {
    restarting ??= restart().finally(() => {
      restarting = undefined;
    });
    return restarting;
  };

  return {
    pinned,
    start: () => {
      noble.on('discover', onDiscover);
      // Without a listener of ours noble prints its warnings.
      noble.on('warning', () => undefined);
      noble.on('stateChange', (state: string) => {
        if (state === 'poweredOn') {
          events.onState('on');
          void restartScan();
        } else if (state === 'unauthorized' || state === 'unsupported') events.onState(state);
        else events.onState('off');
      });
    },
    restartScan,
    onScanEnabled: (status) => {
      if (status === 0) {
        if (refused >= REFUSED_OFTEN) events.onState('on');
        refused = 0;
        return;
      }
      refused += 1;
      if (refused === REFUSED_OFTEN) events.onState('refusing');
      clearTimeout(retry);
      retry = setTimeout(() => void restartScan(), Math.min(REFUSED_FIRST_MS * 2 ** (refused - 1), REFUSED_MAX_MS));
    },
    peripheral: (address) => connectable.get(address),
    heard: (address, signal) =>
      new Promise((resolve, reject) => {
        const waiters = waiting.get(address) ?? new Set();
        waiting.set(address, waiters);
        const leave = (): void => {
          waiters.delete(done);
          if (waiters.size === 0) waiting.delete(address);
          signal.removeEventListener('abort', onAbort);
        };
        const done = (peripheral: NoblePeripheral): void => {
          leave();
          resolve(peripheral);
        };
        const onAbort = (): void => {
          leave();
          reject(signal.reason as Error);
        };
        waiters.add(done);
        signal.addEventListener('abort', onAbort, { once: true });
      }),
    get addressesKnown() {
      return known.size;
    },
    get forgets() {
      return forgets;
    },
    get forgetful() {
      return forgetful;
    },
  };
}

/** All that an advert says, copied: noble re-uses its object, and its buffers are slices of the packet. */
function copyAdvert(peripheral: NoblePeripheral): Advertisement {
  const { advertisement } = peripheral;
  const type = peripheral.addressType;
  return {
    address: peripheral.address.toUpperCase(),
    addressType: type === 'public' || type === 'random' ? type : 'unknown',
    rssiDbm: peripheral.rssi,
    connectable: Boolean(peripheral.connectable),
    atMono: Number(process.hrtime.bigint() / 1_000n) / 1_000,
    ...(advertisement.localName === undefined ? {} : { localName: advertisement.localName }),
    serviceData: advertisement.serviceData.map(({ uuid, data }) => ({ uuid, data: Uint8Array.from(data) })),
    manufacturerData:
      advertisement.manufacturerData === undefined ? undefined : Uint8Array.from(advertisement.manufacturerData),
  };
}
