import type { MonoMs } from '../../drivers/api/clock.ts';
import { STREAMS, type JsonObject, type Stream } from '../../drivers/api/reading.ts';
import type { UplinkMeter } from './meter.ts';
import type { UplinkParts } from './parts.ts';
import type { Suspects } from './suspects.ts';
import type { KitTopics } from './topics.ts';

/** Messages in flight, unless the broker's Receive Maximum is lower: 20,000 a second on loopback, 700 at 100 ms. */
export const WINDOW_MESSAGES = 100;

/**
 * Bytes in flight: four full batches. On a slow mobile link a PUBACK is then never far away, at 100 ms it is still 2.5 MB
 * a second, and a drain of a million rows stays at 109 MB of memory (measured, Node 20); with 1 MiB it took 70 MB more.
 */
export const WINDOW_BYTES: number = 256 * 1024;

/** SKUs whose changed prices wait for the connection; a kit has at most 10,000. */
export const WAITING_PRICES_MAX = 10_000;

/** What outlives one connection. */
export interface LinkContext {
  readonly parts: UplinkParts;
  readonly topics: KitTopics;
  readonly meter: UplinkMeter;
  readonly suspects: Suspects;
  /** Halved when a broker says that it was too much. */
  windowMessages: number;
  readonly prices: WaitingPrices;
}

/** Prices that changed and are not yet retained at the broker: the newest of each SKU. */
export class WaitingPrices {
  readonly #bySku = new Map<string, JsonObject | null>();
  dropped = 0;

  put(sku: string, message: JsonObject | null): void {
    if (!this.#bySku.has(sku) && this.#bySku.size >= WAITING_PRICES_MAX) {
      this.dropped += 1;
      return;
    }
    this.#bySku.set(sku, message);
  }

  first(except: ReadonlySet<string>): { readonly sku: string; readonly message: JsonObject | null } | undefined {
    for (const [sku, message] of this.#bySku) if (!except.has(sku)) return { sku, message };
    return undefined;
  }

  /** The broker has this one; a newer one that came meanwhile still waits. */
  settle(sku: string, message: JsonObject | null): void {
    if (this.#bySku.get(sku) === message) this.#bySku.delete(sku);
  }
}

/** Why serving a connection ended, for the pause before the next and the status. */
export interface Ending {
  readonly by: 'us' | 'broker' | 'network' | 'stalled' | 'ledger';
  readonly reasonCode: number | null;
  readonly detail: string;
  readonly livedMs: number;
}

/** A stream that waits because the broker did not take its rows. */
export interface StreamHold {
  until: MonoMs;
  /** Lowest sequence that was not taken. */
  kept: number;
  pauseMs: number;
  /** Sends one row at a time until one is taken. */
  probing: boolean;
}

export function lastOf(parts: UplinkParts): ReadonlyMap<Stream, { readonly last: number; readonly pending: number }> {
  const known = new Map(
    parts.ledger.depth().streams.map((depth) => [depth.stream, { last: depth.last, pending: depth.pendingRows }]),
  );
  return new Map(STREAMS.map((stream) => [stream, known.get(stream) ?? { last: 0, pending: 0 }]));
}
