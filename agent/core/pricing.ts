import type { JsonObject } from '../../drivers/api/reading.ts';
import type { StoredEvent } from './event.ts';
import type { LedgerTx } from './ledger.ts';

/** The price on the shelf now, with the words that explain it. */
export interface CurrentPrice {
  readonly sku: string;
  readonly gtin: string | null;
  readonly priceMinor: number;
  readonly listMinor: number;
  readonly currency: string;
  readonly discountBp: number;
  readonly announce: boolean;
  /** The signed prior price, only where `announce` is true. */
  readonly priorPriceMinor: number | null;
  readonly ruleId: string | null;
  readonly boundBy: readonly string[];
  /** Event id of the decision that set it. */
  readonly decision: string | null;
}

export interface QuoteRequestLine {
  readonly sku?: string;
  readonly gtin?: string;
  readonly qty: number;
  /** A coupon of the till on this line, minor units for the whole line. */
  readonly couponMinor?: number;
}

export interface QuoteLine {
  readonly sku: string;
  readonly qty: number;
  readonly listMinor: number;
  readonly unitMinor: number;
  readonly lineMinor: number;
  readonly discountMinor: number;
  readonly couponMinor: number;
  readonly announce: boolean;
  readonly ruleId: string | null;
  readonly decision: string | null;
  readonly boundBy: readonly string[];
}

export interface Quote {
  readonly quoteId: string;
  readonly currency: string;
  readonly lines: readonly QuoteLine[];
  readonly totalMinor: number;
  readonly discountMinor: number;
  readonly boundBy: readonly string[];
}

export interface BundleStatus {
  readonly merchant: string;
  readonly version: number;
  readonly keyId: string;
  readonly expires: string;
  readonly state: 'in-force' | 'not-yet-valid' | 'expired' | 'killed';
  readonly rules: number;
}

/** Why a bundle is not in force. */
export interface RefusedBundle {
  readonly code: string;
  /** The code's sentence with its particulars. */
  readonly message: string;
}

/** An override by the merchant's people on the spot; the kit token is checked by the API. */
export interface LocalOverride {
  readonly sku: string;
  readonly action:
    { readonly pin: { readonly priceMinor: number } } | { readonly block: true } | { readonly release: true };
  readonly actor: string;
  readonly reason: string;
  /** RFC 3339 UTC. */
  readonly until: string;
  readonly secondApprovedBy?: string;
}

/** Prices decided on the kit. Everything that writes does so inside the caller's transaction. */
export interface Pricing {
  prices(): readonly CurrentPrice[];
  price(sku: string): CurrentPrice | undefined;
  /** Throws `unknown-sku`, `no-rules`. */
  quote(lines: readonly QuoteRequestLine[]): Quote;
  bundle(): BundleStatus | null;
  /** The newest bundle that was refused or could not be read since one was last taken or the agent started. */
  refused?(): RefusedBundle | null;
  /** The bundle that kit.yaml names could not even be read. */
  noteUnreadable?(refused: RefusedBundle): void;
  /** Updates the facts with events just appended, and decides where they call for it; called inside the transaction. */
  observe(tx: LedgerTx, events: readonly StoredEvent[]): void;
  /** Time went on: windows, ladders, expiry. Called every few seconds inside a transaction. */
  tick(tx: LedgerTx): void;
  /** A bundle from MQTT or disk: verified, checked, activated or refused; either way an event. Returns the refusal's code or null. */
  offer(tx: LedgerTx, bytes: Uint8Array, origin: string): string | null;
  override(tx: LedgerTx, override: LocalOverride): CurrentPrice;
  /** Retained `price/<sku>` messages that have changed since the last call; null for an item that is priced no more. */
  takeChangedPrices(): readonly { readonly sku: string; readonly message: JsonObject | null }[];
  /** Says outside of the ledger where its price log ends, as it was last committed. Called between transactions. */
  keepHead(): void;
  /** As {@link keepHead}. Called on a stop, after the last transaction. */
  close(): void;
}
