import { describe, expect, it } from 'vitest';
import { loadBundle } from '../bundle/load.ts';
import { keptBundles, readKept } from '../bundle/bundle-store.ts';
import { replay } from './replay.ts';
import { makeKit } from '../testing/kit.ts';
import { sampleBundle } from '../testing/samples.ts';
import { busy, merchant, offer, pin, version } from '../testing/sample-offers.ts';

describe('a replay', () => {
  it('comes to the same bytes for every recorded decision, and tells one that was changed', () => {
    const kit = makeKit({ trust: [merchant.trusted] });
    offer(
      kit,
      version(7, {
        experiments: [
          {
            id: 'depth',
            salt: 'a1',
            unit: 'kit-category-day',
            cells: [{ name: 'deep', weightBp: 10_000, addRungs: 1 }],
          },
        ],
      }),
    );
    for (let hour = 0; hour < 5; hour += 1) {
      busy(kit, 25 - hour);
      kit.tick();
      kit.tick(3_600_000);
      kit.commit((tx) => kit.pricing.override(tx, pin(1800 + hour, { until: '2026-11-27T23:00:00Z' })));
      kit.commit((tx) =>
        kit.pricing.override(tx, { ...pin(0), action: { release: true }, until: '2026-11-27T23:00:00Z' }),
      );
    }
    const bundles = new Map(
      keptBundles(kit.ledger).map((kept) => {
        const loaded = loadBundle(readKept(kit.ledger, kept)!, { sources: false });
        return [kept.hash, loaded.ok ? loaded.bundle : sampleBundle];
      }),
    );
    const records = kit
      .events('barrow.price.decided.v1')
      .map((event) => ({ id: String(event.sequence), data: JSON.stringify(event.data), wallMs: event.wallMs }));
    expect(records.length).toBeGreaterThan(8);
    expect(replay(records, bundles)).toEqual({
      records: records.length,
      identical: records.length,
      differing: [],
      withoutBundle: 0,
    });
    const changed = records.map((record, index) =>
      index === 3 ? { ...record, data: record.data.replace(/"discountBp":\d+/, '"discountBp":1') } : record,
    );
    expect(replay(changed, bundles)).toMatchObject({ identical: records.length - 1 });
    expect(replay(records, new Map())).toMatchObject({ identical: 0, withoutBundle: records.length });
  });
});
