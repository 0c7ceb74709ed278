import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { correct, predict, startMotion } from './motion.ts';

describe('the motion of one coordinate', () => {
  test('learns a constant speed and foretells it', () => {
    let motion = startMotion(0, 2, 50);
    for (let step = 1; step <= 20; step += 1) motion = correct(predict(motion, 0.2, 5), step * 8, 2);
    expect(motion.velocity).toBeCloseTo(40, 0);
    expect(predict(motion, 1, 5).position).toBeCloseTo(200, -1);
  });

  test('means the same whether a second is one step or ten', () => {
    let many = startMotion(10, 1, 30);
    for (let step = 0; step < 10; step += 1) many = predict(many, 0.1, 0);
    const one = predict(startMotion(10, 1, 30), 1, 0);
    expect(many.pp).toBeCloseTo(one.pp, 6);
    expect(many.vv).toBeCloseTo(one.vv, 6);
  });

  test('is never surer of itself than allowed: its covariance stays positive', () => {
    const step = fc.record({
      dt: fc.double({ min: 0.01, max: 3, noNaN: true }),
      measured: fc.double({ min: -1e4, max: 1e4, noNaN: true }),
      sigma: fc.double({ min: 0.1, max: 50, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let motion = startMotion(0, 3, 80);
        for (const { dt, measured, sigma } of steps) motion = correct(predict(motion, dt, 60), measured, sigma);
        expect(motion.pp > 0 && motion.vv > 0).toBe(true);
        expect(motion.pp * motion.vv).toBeGreaterThanOrEqual(motion.pv * motion.pv * (1 - 1e-6));
        expect(Number.isFinite(motion.position + motion.velocity)).toBe(true);
      }),
    );
  });
});
