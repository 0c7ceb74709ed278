import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Governor } from './governor.ts';

const calm = { temperatureC: 50, loadPerCore: 0.3 };

describe('the frame-rate governor', () => {
  test('gives what is wanted while the machine is cool and idle, or cannot tell', () => {
    expect(new Governor(5).allow(calm)).toBe(5);
    expect(new Governor(5).allow({ temperatureC: null, loadPerCore: null })).toBe(5);
  });

  test('halves the rate when hot, quarters it when very hot, and comes back only when it has cooled', () => {
    const governor = new Governor(8);
    const at = (temperatureC: number): number => governor.allow({ ...calm, temperatureC });
    expect([77, 78, 74, 72, 78, 83, 79, 77, 74, 72].map(at)).toEqual([8, 4, 4, 8, 4, 2, 2, 4, 4, 8]);
  });

  test('halves the rate under load but not below what walkers need', () => {
    const under = (fps: number): number => new Governor(fps).allow({ ...calm, loadPerCore: 3 });
    expect([10, 5, 3, 2].map(under)).toEqual([5, 3, 3, 2]);
  });

  test('never gives more than is wanted nor nothing at all', () => {
    const strain = fc.record({
      temperatureC: fc.option(fc.double({ min: -40, max: 120, noNaN: true })),
      loadPerCore: fc.option(fc.double({ min: 0, max: 100, noNaN: true })),
    });
    fc.assert(
      fc.property(fc.double({ min: 0.2, max: 60, noNaN: true }), fc.array(strain), (fps, strains) => {
        const governor = new Governor(fps);
        for (const now of strains) {
          const allowed = governor.allow(now);
          expect(allowed).toBeLessThanOrEqual(fps);
          expect(allowed).toBeGreaterThanOrEqual(fps / 4);
        }
      }),
    );
  });
});
