import type { CurrentPrice, Quote, QuoteLine, QuoteRequestLine } from '../core/pricing.ts';
import { pricingFailure } from './errors.ts';
import type { ItemProgram } from './decide/program.ts';

/** Lines of one quote; a basket has a few. */
export const MAX_QUOTE_LINES = 500;

export interface QuoteParts {
  readonly currency: string;
  readonly quoteId: string;
  readonly find: (line: QuoteRequestLine) => { readonly price: CurrentPrice; readonly item: ItemProgram } | undefined;
}

/**
 * Prices a basket as the till sent it. The caps hold for what is paid, not only for the shelf price: coupons of the till
 * are granted as far as each line stays at or above quantity × floor, and so the basket stays within its caps as well.
 * Throws `unknown-sku`, `quote-invalid`.
 */
export function quoteBasket(lines: readonly QuoteRequestLine[], parts: QuoteParts): Quote {
  if (lines.length === 0 || lines.length > MAX_QUOTE_LINES)
    throw pricingFailure('quote-invalid', { detail: `a quote has 1 to ${MAX_QUOTE_LINES} lines` });
  const quoted = lines.map((line, index) => quoteLine(line, index, parts));
  return {
    quoteId: parts.quoteId,
    currency: parts.currency,
    lines: quoted,
    totalMinor: safe(quoted.reduce((sum, line) => sum + line.lineMinor, 0)),
    discountMinor: quoted.reduce((sum, line) => sum + line.discountMinor, 0),
    boundBy: [...new Set(quoted.flatMap((line) => line.boundBy))].sort(),
  };
}

function quoteLine(line: QuoteRequestLine, index: number, parts: QuoteParts): QuoteLine {
  const { qty } = line;
  const asked = line.couponMinor ?? 0;
  if (!Number.isSafeInteger(qty) || qty < 1) throw pricingFailure('quote-invalid', { detail: `lines[${index}].qty` });
  if (!Number.isSafeInteger(asked) || asked < 0)
    throw pricingFailure('quote-invalid', { detail: `lines[${index}].couponMinor` });
  const found = parts.find(line);
  if (found === undefined) throw pricingFailure('unknown-sku', { detail: line.sku ?? line.gtin ?? `lines[${index}]` });
  const { price, item } = found;
  const listMinor = safe(qty * price.listMinor);
  const shelfMinor = safe(qty * price.priceMinor);
  // A pin that two people approved may stand below the floor; no coupon takes it further down.
  const floorUnit = Math.min(item.floorMinor, price.priceMinor);
  const lineMinor = Math.max(shelfMinor - asked, safe(qty * floorUnit));
  const binding = item.floors
    .filter((floor) => qty * Math.min(floor.leastMinor, price.priceMinor) > shelfMinor - asked)
    .map((floor) => floor.name);
  return {
    sku: price.sku,
    qty,
    listMinor: price.listMinor,
    unitMinor: price.priceMinor,
    lineMinor,
    discountMinor: listMinor - lineMinor,
    couponMinor: shelfMinor - lineMinor,
    announce: price.announce,
    ruleId: price.ruleId,
    decision: price.decision,
    boundBy: [...new Set([...price.boundBy, ...binding])].sort(),
  };
}

function safe(minor: number): number {
  if (!Number.isSafeInteger(minor)) throw pricingFailure('quote-invalid', { detail: 'the amount is too large' });
  return minor;
}

/** The name of a quote: RFC 9562 version 4, of 16 random bytes. */
export function quoteIdOf(bytes: Uint8Array): string {
  const hex = Buffer.from(
    bytes.map((byte, index) => (index === 6 ? (byte & 0x0f) | 0x40 : index === 8 ? (byte & 0x3f) | 0x80 : byte)),
  ).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
