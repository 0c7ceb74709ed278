import { describe, expect, it } from 'vitest';
import { makeKit } from './testing/kit.ts';
import { sampleBundle } from './testing/samples.ts';
import { merchant, offer, pin, SKU } from './testing/sample-offers.ts';

describe('a quote', () => {
  const kit = makeKit({ trust: [merchant.trusted] });
  offer(kit, sampleBundle);
  kit.commit((tx) => kit.pricing.override(tx, pin(1900)));

  it('keeps every line, coupons and quantities included, at or above its floor', () => {
    const quote = kit.pricing.quote([
      { sku: SKU, qty: 3, couponMinor: 100 },
      { gtin: '5012345678900', qty: 2, couponMinor: 1_000_000 },
    ]);
    expect(quote.lines).toMatchObject([
      { sku: SKU, qty: 3, unitMinor: 1900, lineMinor: 5600, couponMinor: 100, discountMinor: 1900, boundBy: ['pin'] },
      { sku: SKU, qty: 2, unitMinor: 1900, lineMinor: 3500, couponMinor: 300, discountMinor: 1500 },
    ]);
    expect(quote.lines[1]!.boundBy).toEqual(['category', 'kit', 'marginFloor', 'pin']);
    expect(quote).toMatchObject({ currency: 'GBP', totalMinor: 9100, discountMinor: 3400 });
    expect(quote.quoteId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it.each([
    [[], 'quote-invalid'],
    [[{ sku: SKU, qty: 0 }], 'quote-invalid'],
    [[{ sku: SKU, qty: 1.5 }], 'quote-invalid'],
    [[{ sku: SKU, qty: 1, couponMinor: -1 }], 'quote-invalid'],
    [[{ sku: SKU, qty: Number.MAX_SAFE_INTEGER }], 'quote-invalid'],
    [[{ sku: '__proto__', qty: 1 }], 'unknown-sku'],
    [[{ qty: 1 }], 'unknown-sku'],
  ] as const)('refuses %j', (lines, code) => {
    expect(() => kit.pricing.quote(lines)).toThrow(expect.objectContaining({ code }));
  });
});
