import type { KitClock } from '../core/host.ts';
import type { LedgerTx } from '../core/ledger.ts';
import type { Pricing } from '../core/pricing.ts';

export interface TillParts {
  /** One transaction of the ledger, on disk when it returns; prices see what was appended before it ends. */
  readonly commit: <T>(work: (tx: LedgerTx) => T) => T;
  readonly clock: KitClock;
  readonly kit: { readonly id: string; readonly currency: string; readonly timezone: string };
  readonly pricing?: Pricing | null | undefined;
}

/** What a till is told once its event is on disk. */
export interface TillAnswer {
  /** The event's `id` as published: `<epoch>/sale/<sequence>`. */
  readonly eventId: string;
  readonly epoch: string;
  readonly stream: 'sale';
  /** As in the event: decimal text. */
  readonly sequence: string;
  readonly type: string;
  readonly recordedAt: string;
  readonly currency?: string;
  readonly totalMinor?: number;
  readonly discountMinor?: number;
  /** For returns: every line goes back to a sale that this kit remembers. */
  readonly linked?: boolean;
}
