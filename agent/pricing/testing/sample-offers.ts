import type { Bundle } from '../bundle/bundle.ts';
import { makeMerchant, type Merchant, type TestKit } from './kit.ts';
import { sampleBundle } from './samples.ts';

/** The one whose bundles a kit of these tests trusts. */
export const merchant: Merchant = makeMerchant();
export const SKU: string = 'TEE-BLK-M';

export function offer(kit: TestKit, bundle: Bundle, signer: Merchant = merchant): string | null {
  return kit.commit((tx) => kit.pricing.offer(tx, signer.sign(bundle), 'test'));
}

/** Shelf and door say what the sample rule asks for. */
export function busy(kit: TestKit, stock = 25): void {
  kit.put('shelf', 'barrow.shelf.count.v1', {
    sensorId: 's1',
    sku: SKU,
    count: stock,
    delta: 0,
    grams: 0,
    cause: 'first',
  });
  for (let person = 0; person < 30; person += 1)
    kit.put('footfall', 'barrow.footfall.crossing.v1', { counterId: 'door', lineId: 'entrance', direction: 'in' });
}

export const version = (number: number, more: Partial<Bundle> = {}): Bundle => ({
  ...sampleBundle,
  version: number,
  ...more,
});
export const pin = (priceMinor: number, more: object = {}): Parameters<TestKit['pricing']['override']>[1] => ({
  sku: SKU,
  action: { pin: { priceMinor } },
  actor: 'm.lee',
  reason: 'press day',
  until: '2026-11-27T12:00:00Z',
  ...more,
});
