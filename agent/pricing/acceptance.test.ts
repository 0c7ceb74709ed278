import { describe, expect, it } from 'vitest';
import type { Bundle } from './bundle/bundle.ts';
import { makeKit, makeMerchant } from './testing/kit.ts';
import { sampleBundle } from './testing/samples.ts';
import { merchant, offer, SKU, version } from './testing/sample-offers.ts';

const stranger = makeMerchant();

describe('bundles offered to a kit', () => {
  it('are refused, each with its code and one event however often they come', () => {
    const kit = makeKit({ trust: [merchant.trusted], group: 'southern' });
    const all = { audience: {} };
    const refused: readonly (readonly [string, Bundle])[] = [
      ['audience-other', version(1)],
      ['bundle-expired', version(1, { ...all, expires: '2026-11-27T10:00:00Z' })],
      ['currency-other', version(1, { ...all, currency: 'EUR' })],
      ['outside-rollout', version(1, { ...all, rolloutBp: 0 })],
      ['engine-too-old', version(1, { ...all, minEngine: 2 })],
    ];
    for (const [code, bundle] of refused) {
      expect(offer(kit, bundle)).toBe(code);
      expect(offer(kit, bundle)).toBe(code);
    }
    expect(offer(kit, version(1, all), stranger)).toBe('signature-invalid');
    expect(
      kit.commit((tx) => kit.pricing.offer(tx, new TextEncoder().encode(JSON.stringify(sampleBundle)), 'test')),
    ).toBe('signature-missing');
    expect(kit.commit((tx) => kit.pricing.offer(tx, new Uint8Array([0xff, 0x00]), 'test'))).toBe('bundle-syntax');
    expect(kit.events('barrow.rules.rejected.v1').map((event) => event.data['code'])).toEqual([
      ...refused.map(([code]) => code),
      'signature-invalid',
      'signature-missing',
      'bundle-syntax',
    ]);
    expect(kit.pricing.bundle()).toBeNull();
    expect(() => kit.pricing.quote([{ sku: SKU, qty: 1 }])).toThrow(expect.objectContaining({ code: 'no-rules' }));
  });

  it('only ever rise in version, per key, across restarts; the one in force may come again', () => {
    const second = makeMerchant();
    const kit = makeKit({ trust: [merchant.trusted, second.trusted] });
    expect(offer(kit, version(7))).toBeNull();
    expect(offer(kit, version(7))).toBeNull();
    expect(offer(kit, version(7, { kill: 'list' }))).toBe('version-not-newer');
    kit.restart();
    expect(offer(kit, version(6))).toBe('version-not-newer');
    expect(offer(kit, version(1, { kill: 'list' }), second)).toBeNull();
    expect(offer(kit, version(7))).toBe('version-not-newer');
    expect(offer(kit, version(8))).toBeNull();
    expect(
      kit.events('barrow.rules.activated.v1').map((event) => [event.data['version'], event.data['keyId']]),
    ).toEqual([
      [7, merchant.trusted.keyId],
      [1, second.trusted.keyId],
      [8, merchant.trusted.keyId],
    ]);
  });

  it('decide by their pins at once, with no driver and no fact', () => {
    const kit = makeKit({ trust: [merchant.trusted], counters: [] });
    const overrides = [
      { sku: SKU, pin: { priceMinor: 1900 }, actor: 'm.lee', reason: 'press day', until: '2026-11-28T00:00:00Z' },
    ];
    offer(kit, version(7, { overrides }));
    expect(kit.pricing.price(SKU)).toMatchObject({ priceMinor: 1900, boundBy: ['pin'], announce: true });
  });

  it('give way to the one before when the agent does not stay up with them', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    offer(kit, version(7));
    kit.tick(61_000);
    offer(kit, version(8, { kill: 'list' }));
    expect(kit.pricing.bundle()).toMatchObject({ version: 8, state: 'killed' });
    for (let start = 0; start < 3; start += 1) {
      kit.restart();
      kit.tick();
    }
    expect(kit.pricing.bundle()).toMatchObject({ version: 7, state: 'in-force' });
    expect(kit.events('barrow.rules.rejected.v1').at(-1)!.data).toMatchObject({ code: 'crash-loop', version: 8 });
    expect(offer(kit, version(8, { kill: 'list' }))).toBe('version-not-newer');
    expect(offer(kit, version(9))).toBeNull();
  });

  it('stay when the agent does stay up', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    offer(kit, version(7));
    offer(kit, version(8, { kill: 'list' }));
    for (let start = 0; start < 5; start += 1) {
      kit.restart();
      kit.tick();
      kit.tick(61_000);
    }
    expect(kit.pricing.bundle()).toMatchObject({ version: 8 });
  });
});
