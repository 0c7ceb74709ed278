import type { CurrentPrice, Pricing } from '../core/pricing.ts';
import { toGtin14 } from './gtin.ts';

/** What the kit knows of an article. */
export interface ArticleFacts {
  readonly sku: string;
  readonly gtin14: string | null;
  readonly listMinor: number;
  readonly priceMinor: number;
  readonly ruleId: string | null;
  readonly decision: string | null;
}

export interface Catalogue {
  bySku(sku: string): ArticleFacts | undefined;
  byGtin14(gtin14: string): ArticleFacts | undefined;
}

/** The articles of the price rules in force; none where the kit has no rules. */
export function catalogueOf(pricing: Pricing | null | undefined): Catalogue {
  const facts = (price: CurrentPrice | undefined): ArticleFacts | undefined =>
    price === undefined
      ? undefined
      : {
          sku: price.sku,
          gtin14: price.gtin === null ? null : toGtin14(price.gtin),
          listMinor: price.listMinor,
          priceMinor: price.priceMinor,
          ruleId: price.ruleId,
          decision: price.decision,
        };
  return {
    bySku: (sku) => facts(pricing?.price(sku)),
    byGtin14: (gtin14) =>
      facts(pricing?.prices().find((price) => price.gtin !== null && price.gtin.padStart(14, '0') === gtin14)),
  };
}
