import { randomBytes } from 'node:crypto';
import type { CurrentPrice, Pricing, Quote } from '../../agent/core/pricing.ts';
import { pricingErrors } from '../../agent/pricing/errors.ts';
import { failures } from '../../drivers/api/agent-error.ts';

const priceFailure = failures(pricingErrors);

export const SCRIPTED_PRICES: readonly CurrentPrice[] = [
  scriptedPrice('TEE-BLK-M', '05012345678900', 2499, 3000, true, ['category']),
  scriptedPrice('TEE-WHT-L', '05012345678917', 3000, 3000, false, []),
  scriptedPrice('CAP-RED', '05012345678924', 1500, 1800, false, ['marginFloor', 'maxStep']),
  scriptedPrice('TOTE-NAT', '05012345678931', 1299, 1600, true, []),
];

function scriptedPrice(
  sku: string,
  gtin: string,
  priceMinor: number,
  listMinor: number,
  announce: boolean,
  boundBy: readonly string[],
): CurrentPrice {
  return {
    sku,
    gtin,
    priceMinor,
    listMinor,
    currency: 'GBP',
    discountBp: Math.floor(((listMinor - priceMinor) * 10_000) / listMinor),
    announce,
    priorPriceMinor: announce ? listMinor : null,
    ruleId: priceMinor < listMinor ? 'slow-movers' : null,
    boundBy,
    decision: priceMinor < listMinor ? 'k3f9x2/price/17' : null,
  };
}

/** Prices that stand still, and quotes from them. */
export function scriptedPricing(prices: CurrentPrice[]): Pricing {
  const find = (line: { readonly sku?: string; readonly gtin?: string }): CurrentPrice => {
    const price = prices.find(
      (one) => one.sku === line.sku || (line.gtin !== undefined && one.gtin === line.gtin.padStart(14, '0')),
    );
    if (price === undefined) throw priceFailure('unknown-sku', { detail: line.sku ?? line.gtin ?? '' });
    return price;
  };
  return {
    prices: () => prices,
    price: (sku) => prices.find((one) => one.sku === sku),
    quote: (lines): Quote => {
      const priced = lines.map((line) => {
        const price = find(line);
        return {
          sku: price.sku,
          qty: line.qty,
          listMinor: price.listMinor,
          unitMinor: price.priceMinor,
          lineMinor: price.priceMinor * line.qty,
          discountMinor: (price.listMinor - price.priceMinor) * line.qty,
          couponMinor: line.couponMinor ?? 0,
          announce: price.announce,
          ruleId: price.ruleId,
          decision: price.decision,
          boundBy: price.boundBy,
        };
      });
      return {
        quoteId: randomBytes(8).toString('hex'),
        currency: 'GBP',
        lines: priced,
        totalMinor: priced.reduce((sum, line) => sum + line.lineMinor, 0),
        discountMinor: priced.reduce((sum, line) => sum + line.discountMinor, 0),
        boundBy: [],
      };
    },
    bundle: () => ({
      merchant: 'acme',
      version: 7,
      keyId: 'a1b2c3',
      expires: '2026-12-01T00:00:00Z',
      state: 'in-force',
      rules: 12,
    }),
    observe: () => undefined,
    tick: () => undefined,
    offer: () => null,
    override: (_tx, override) => {
      const index = prices.findIndex((price) => price.sku === override.sku);
      const price = find({ sku: override.sku });
      const pinned = 'pin' in override.action ? override.action.pin.priceMinor : price.listMinor;
      const next = { ...price, priceMinor: pinned, boundBy: ['pin'] };
      prices[index] = next;
      return next;
    },
    takeChangedPrices: () => [],
    keepHead: () => undefined,
    close: () => undefined,
  };
}
