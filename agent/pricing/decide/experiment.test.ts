import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Cell } from '../bundle/bundle.ts';
import { sampleBundle, sampleInputs } from '../testing/samples.ts';
import { decide } from './decide.ts';
import { bucketOf, cellOf } from './experiment.ts';

interface Vector {
  readonly salt: string;
  readonly unit: string;
  readonly bucket: number;
  readonly cells: readonly Cell[];
  readonly cell: string;
}

const { vectors } = JSON.parse(readFileSync(new URL('./experiment-vectors.json', import.meta.url), 'utf8')) as {
  readonly vectors: readonly Vector[];
};

describe('an experiment', () => {
  it.each(vectors)('puts $unit under $salt into $cell', ({ salt, unit, bucket, cells, cell }) => {
    expect(bucketOf(salt, unit)).toBe(bucket);
    expect(cellOf({ id: 'x', salt, unit: 'kit-category-day', cells }, unit).name).toBe(cell);
  });

  it('spreads units evenly and independently of other salts', () => {
    const counts = Array.from({ length: 10 }, () => 0);
    let together = 0;
    for (let kit = 0; kit < 20_000; kit += 1) {
      const unit = `kit-${kit}/tees/2026-11-27`;
      counts[Math.floor(bucketOf('a1', unit) / 1000)]! += 1;
      if (bucketOf('a1', unit) < 5000 === bucketOf('a2', unit) < 5000) together += 1;
    }
    // χ² with 9 degrees of freedom stays below 27.9 in 999 of 1,000 runs; these numbers are fixed.
    expect(counts.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0)).toBeLessThan(27.9);
    expect(Math.abs(together / 20_000 - 0.5)).toBeLessThan(0.02);
  });

  it('takes the local date of the kit, and deepens only where a rule fires', () => {
    const cells = [
      { name: 'control', weightBp: 0 },
      { name: 'deep', weightBp: 10_000, addRungs: 9 },
    ];
    const experiment = { id: 'depth', salt: 'a1', unit: 'kit-category-day' as const, cells };
    const bundle = { ...sampleBundle, experiments: [experiment] };
    const standing = { rung: 1, priceMinor: 2250, changedAt: null, changesToday: 0 };
    const at = { ...sampleInputs, state: { 'TEE-BLK-M': standing } };
    expect(decide(bundle, at).decisions[0]).toMatchObject({ cell: 'deep', priceMinor: 2050 });
    expect(decide(bundle, { ...at, facts: {} }).decisions[0]).toMatchObject({ cell: 'deep', priceMinor: 2250 });
    expect(decide(sampleBundle, at).decisions[0]).toMatchObject({ cell: null, priceMinor: 2250 });
    const half = {
      ...experiment,
      cells: [
        { name: 'a', weightBp: 5000 },
        { name: 'b', weightBp: 5000 },
      ],
    };
    const cellAt = (now: string, timezone: string): string | null =>
      decide({ ...sampleBundle, experiments: [half] }, { ...sampleInputs, now, kit: { id: 'popup-014', timezone } })
        .decisions[0]!.cell;
    const expected = (date: string): string => cellOf(half, `popup-014/tees/${date}`).name;
    const days = ['2026-11-27', '2026-11-28', '2026-11-29', '2026-11-30'];
    for (const day of days) {
      const next = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
      expect(cellAt(`${day}T23:30:00Z`, 'Europe/London')).toBe(expected(day));
      expect(cellAt(`${day}T23:30:00Z`, 'Europe/Berlin')).toBe(expected(next));
    }
  });
});
