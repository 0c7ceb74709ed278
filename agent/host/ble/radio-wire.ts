import type { Advertisement, RadioOptions } from '../../../drivers/api/transports.ts';
import type { RadioErrorCode } from './errors.ts';

/** Adverts of one message to the agent; what comes faster waits for the next. */
export const BATCH_ADVERTS = 512;
/**
 * Least time between two batches: a fifth of the 50 ms that an advert may take into the ledger. Measured with 500 adverts a
 * second: one message for each five of them costs a twentieth less CPU than one for each two.
 */
export const BATCH_MS = 10;
/** Batches that the agent has not acknowledged yet; beyond it adverts wait here. */
export const BATCHES_UNDER_WAY = 32;
/** Adverts that wait in the radio process; the oldest are dropped and counted. */
export const WAITING_ADVERTS = 8_192;
/** GATT calls under way at once. */
export const GATT_CALLS = 16;

/** What a GATT call asks. `link` is the number that `connect` answered. */
export type GattCall =
  | { readonly kind: 'connect'; readonly address: string; readonly timeoutMs: number }
  | { readonly kind: 'read'; readonly link: number; readonly service: string; readonly characteristic: string }
  | {
      readonly kind: 'write';
      readonly link: number;
      readonly service: string;
      readonly characteristic: string;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'subscribe'; readonly link: number; readonly service: string; readonly characteristic: string }
  | { readonly kind: 'disconnect'; readonly link: number };

export type ToRadio =
  | { readonly kind: 'start'; readonly options: RadioOptions; readonly gattTimeoutMs: number }
  | { readonly kind: 'ack' }
  | { readonly kind: 'restart-scan' }
  /** Opens the controller's socket anew and begins with a reset; adapters of the kernel are reset by the agent. */
  | { readonly kind: 'reset-adapter' }
  | { readonly kind: 'call'; readonly id: number; readonly call: GattCall }
  | { readonly kind: 'stop' };

export type AdapterState =
  'starting' | 'on' | 'off' | 'missing' | 'blocked' | 'unauthorized' | 'unsupported' | 'refusing';

export interface RadioVitals {
  readonly rssBytes: number;
  readonly dropped: number;
  readonly swallowed: number;
  readonly fragmentsDropped: number;
  readonly addressesKnown: number;
  readonly forgets: number;
  /** False when the library did not let go of its addresses: then only a new process frees their memory. */
  readonly forgetful: boolean;
}

export type FromRadio =
  | { readonly kind: 'ready' }
  | { readonly kind: 'state'; readonly state: AdapterState }
  | { readonly kind: 'adverts'; readonly adverts: readonly Advertisement[] }
  | { readonly kind: 'vitals'; readonly vitals: RadioVitals }
  | { readonly kind: 'result'; readonly id: number; readonly value?: Uint8Array | number }
  | { readonly kind: 'failure'; readonly id: number; readonly code: RadioErrorCode; readonly detail: string }
  | {
      readonly kind: 'notification';
      readonly link: number;
      readonly characteristic: string;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'link-lost'; readonly link: number };
