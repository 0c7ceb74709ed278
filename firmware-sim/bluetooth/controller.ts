import type { Chance, Clock } from '../../drivers/api/clock.ts';
import { attachHost, type HostSession } from './host-session.ts';
import { soundController, type ControllerFaults } from './faults.ts';
import { EXTENDED_REPORT_DATA_BYTES } from './hci-protocol.ts';
import { resolvablePrivateAddress, type Peripheral } from './peripheral.ts';
import type { Heard } from './reports.ts';

/** The random delay that the specification adds to every advertising interval (Vol 6, Part B, §4.4.2.2.1). */
const ADVERTISING_DELAY_MS = 10;
const RSSI_DEVIATION_DB = 3;

export interface ControllerOptions {
  readonly clock: Clock;
  readonly chance: Chance;
  /** The adapter's own address. */
  readonly address?: string;
  /** Offers LE extended advertising (feature bit 12). */
  readonly extended?: boolean;
  /** Data bytes per extended report: smaller values split adverts over several. */
  readonly fragmentBytes?: number;
}

/** A peripheral that is on the air until disposed. */
export interface OnAir extends Disposable {
  /** The address it uses at the moment. */
  readonly address: string;
  /** Notifies or indicates to the connected host, if it subscribed. Returns whether it did. */
  push(characteristic: string, value: Uint8Array): boolean;
  /** Whether a host is connected to it. */
  readonly connected: boolean;
}

export interface ControllerCounters {
  advertisingEvents: number;
  reports: number;
  commands: number;
}

/**
 * A Bluetooth LE controller without a radio: hosts speak HCI to it, peripherals are objects. It knows neither sockets nor
 * time: packets come in through {@link HostSession.receive}, go out through the `send` given to {@link attach}, and the
 * clock and chance are arguments, so that one seed gives one trace.
 *
 * @see Bluetooth Core Specification 5.4, Vol 4, Part E
 */
export interface VirtualController extends Disposable {
  readonly faults: ControllerFaults;
  readonly counters: ControllerCounters;
  readonly poweredOn: boolean;
  add(peripheral: Peripheral): OnAir;
  /** A host begins to speak. A second host takes over from the first, whose scan and links end. */
  attach(send: (packet: Uint8Array) => void, onPowerOff: () => void): HostSession;
  /** Links drop with "connection timeout", as when the peripherals walk out of range. */
  dropLinks(): void;
  powerOff(): void;
  powerOn(): void;
  /** Reports one advertising event of an arbitrary sender now: for captured frames and load. */
  inject(heard: Heard, kind: Peripheral['kind'], data: Uint8Array, scanResponse?: Uint8Array): void;
  /** Hands a packet to the host as it is, e.g. a captured event. */
  replay(packet: Uint8Array): void;
}

interface Station {
  readonly peripheral: Peripheral;
  address: string;
  rotateAtMono: number;
}

/** Makes a controller that is powered on and has no host. */
export function createController(options: ControllerOptions): VirtualController {
  const { clock, chance } = options;
  const faults = soundController();
  const counters: ControllerCounters = { advertisingEvents: 0, reports: 0, commands: 0 };
  const stop = new AbortController();
  let host: HostSession | undefined;
  let closeHost: (() => void) | undefined;
  let poweredOn = true;

  const shared = {
    clock,
    chance,
    faults,
    counters,
    address: options.address ?? '00:1A:7D:DA:71:13',
    extended: options.extended ?? true,
    fragmentBytes: options.fragmentBytes ?? EXTENDED_REPORT_DATA_BYTES,
  };

  const rotate = (station: Station): void => {
    const privacy = station.peripheral.privacy;
    if (privacy === undefined || clock.monoMs() < station.rotateAtMono) return;
    station.address = resolvablePrivateAddress(privacy.identityKey, chance);
    station.rotateAtMono = clock.monoMs() + privacy.rotateMs;
  };

  const advertiseOnce = (station: Station): void => {
    const { peripheral } = station;
    // A connected peripheral stops its connectable advertising.
    if (host?.isConnected(peripheral) === true) return;
    rotate(station);
    const payload = peripheral.advertise();
    if (payload === undefined) return;
    counters.advertisingEvents += 1;
    if (chance.float() < (peripheral.lossRate ?? 0)) return;
    const random = peripheral.privacy !== undefined || peripheral.addressType === 'random';
    const noise = (chance.float() + chance.float() + chance.float() - 1.5) * 2 * RSSI_DEVIATION_DB;
    const heard: Heard = {
      address: station.address,
      addressType: random ? 'random' : 'public',
      rssiDbm: peripheral.rssiDbm + noise,
    };
    host?.hear(heard, peripheral.kind, payload, peripheral);
  };

  const life = async (station: Station, signal: AbortSignal): Promise<void> => {
    // Boards are not switched on in the same millisecond.
    await clock.sleep(chance.float() * station.peripheral.intervalMs, signal);
    while (!signal.aborted) {
      advertiseOnce(station);
      await clock.sleep(station.peripheral.intervalMs + chance.float() * ADVERTISING_DELAY_MS, signal);
    }
  };

  return {
    faults,
    counters,
    get poweredOn() {
      return poweredOn;
    },
    add: (peripheral) => {
      const station: Station = { peripheral, address: peripheral.address, rotateAtMono: 0 };
      const leave = new AbortController();
      const signal = AbortSignal.any([stop.signal, leave.signal]);
      life(station, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
      return {
        get address() {
          return station.address;
        },
        get connected() {
          return host?.isConnected(peripheral) === true;
        },
        push: (characteristic, value) => host?.push(peripheral, characteristic, value) === true,
        [Symbol.dispose]: () => leave.abort(new Error('peripheral removed')),
      };
    },
    attach: (send, onPowerOff) => {
      closeHost?.();
      host?.detach();
      if (faults.silent === 'until-new-host') faults.silent = 'no';
      const session = attachHost(shared, send, () => {
        if (host === session) host = undefined;
      });
      host = session;
      closeHost = onPowerOff;
      return session;
    },
    dropLinks: () => host?.dropLinks(),
    powerOff: () => {
      poweredOn = false;
      const close = closeHost;
      host?.detach();
      closeHost = undefined;
      close?.();
    },
    powerOn: () => {
      poweredOn = true;
    },
    inject: (heard, kind, data, scanResponse) =>
      host?.hear(heard, kind, scanResponse === undefined ? { data } : { data, scanResponse }, undefined),
    replay: (packet) => host?.replay(packet),
    [Symbol.dispose]: () => {
      stop.abort(new Error('controller stopped'));
      host?.detach();
    },
  };
}
