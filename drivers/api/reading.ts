import type { MonoMs } from './clock.ts';

/** The ledger's streams in the order in which they are delivered. */
export const STREAMS = ['sale', 'price', 'scan', 'shelf', 'footfall', 'agent'] as const;
export type Stream = (typeof STREAMS)[number];

/** Anything that JSON holds. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** State that a driver keeps across restarts, stored in the same transaction as the event that caused it. `null` deletes. */
export type Saves = Readonly<Record<string, Json>>;

/** Something that happened at a device; becomes one event in the ledger. */
export interface EventReading {
  readonly kind: 'event';
  /** One of the types that the driver declares in `emits`, e.g. `barrow.scan.v1`. */
  readonly type: string;
  /** When the bytes came in. */
  readonly atMono: MonoMs;
  readonly data: JsonObject;
  /** CloudEvents subject; the driver's id when absent. */
  readonly subject?: string;
  readonly saves?: Saves;
}

/** State to keep without an event. */
export interface SaveReading {
  readonly kind: 'save';
  readonly saves: Saves;
}

/**
 * starting: opening; ready: delivering; degraded: delivering with a fault; silent: a device has missed its own cadence;
 * failed: not delivering, being restarted; stopped: closed by the operator or at shutdown.
 */
export type DriverState = 'starting' | 'ready' | 'degraded' | 'silent' | 'failed' | 'stopped';

/** The driver's word on its own state; only a change becomes an event. */
export interface StateReading {
  readonly kind: 'state';
  readonly state: DriverState;
  /** An error code of the driver's table, `null` when all is well. */
  readonly code: string | null;
  /** The part of the device that is meant, e.g. a sensor's id. Absent: the driver as a whole. */
  readonly part?: string;
  readonly detail?: string;
}

export type Reading = EventReading | SaveReading | StateReading;
