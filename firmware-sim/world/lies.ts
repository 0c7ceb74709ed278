/** Lies that can be planted in the world, each to see that the oracle finds it. */
export type Lie = 'disk' | 'broker' | 'terminal' | 'price' | 'decision' | 'salvage';

/** What a subscriber hears through somebody who lies about prices: a price below every floor, or one record less. */
export function told(lie: Lie, payload: string): string | null {
  if (lie === 'decision' && payload.includes('"type":"barrow.price.decided.v1"') && payload.includes('"sequence":"3"'))
    return null;
  return lie === 'price' ? payload.replaceAll(/"priceMinor":\d+/g, '"priceMinor":1') : payload;
}
