import type { Chance, Clock } from '../../drivers/api/clock.ts';
import type { JsonObject } from '../../drivers/api/reading.ts';

/** What a virtual device is built with. */
export interface KitContext {
  /** A folder for links and sockets; a `by-id` folder of ports is made inside. */
  readonly folder: string;
  readonly clock: Clock;
  readonly chance: Chance;
  /** ISO 4217 alphabetic, for the terminal. */
  readonly currency: string;
  readonly signal: AbortSignal;
  /** Where the Bluetooth controller is shown: behind a Unix socket, or to this machine's kernel as an adapter. */
  readonly adapter?: 'socket' | 'kernel';
  /** A fault of the simulation itself: never swallowed. */
  onBug(error: unknown): void;
}

/** What a shopper or an assistant can do with the devices of a kit; absent where the kit has no such device. */
export interface DeviceHands {
  take?(sensorId: string, count: number): void;
  put?(sensorId: string, count: number): void;
  scan?(gtin: string): void;
  swipe?(memberId: string): void;
  /** What the terminal's own book says of each charge so far, oldest first: a cashier who looks at the slips. */
  charges?(): readonly ('held' | 'booked' | 'reversed')[];
}

/** One thing that can go wrong with a device. */
export interface Trouble {
  /** `times`: how many messages it strikes, for what does not last. */
  begins(times: number): void | Promise<void>;
  /** Mends what lasts. */
  ends?(): void | Promise<void>;
}

/** One device on a real wire. Disposing it switches it off. */
export interface VirtualDevice extends AsyncDisposable {
  readonly id: string;
  readonly type: string;
  /** Where it is, for a person: a path or a URL. */
  readonly where: string;
  /** The driver's part of a kit.yaml that reaches it. */
  readonly kitEntry: JsonObject;
  /** Files that the kit entry names, relative to kit.yaml. */
  readonly files: Readonly<Record<string, string>>;
  readonly hands: DeviceHands;
  /** By the names that a scenario's incidents use. */
  readonly troubles: Readonly<Record<string, Trouble>>;
  /** Subjects of its events. */
  readonly subjects: readonly string[];
}
