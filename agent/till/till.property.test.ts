import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scriptedKit } from '../../scripts/lib/scripted-kit.ts';
import { addToKpi, newKpiSums } from './kpi.ts';
import { kpiReport } from './kpi-report.ts';
import { eventId } from '../core/event.ts';
import { codeOf, sales } from '../../scripts/lib/booked.ts';

describe('whatever a till sends', () => {
  const line = fc.record(
    {
      sku: fc.constantFrom('A', 'B', 'TEE-BLK-M'),
      qty: fc.integer({ min: 1, max: 20 }),
      unitMinor: fc.integer({ min: 0, max: 5_000 }),
      listUnitMinor: fc.integer({ min: 0, max: 5_000 }),
      discounts: fc.array(fc.record({ amountMinor: fc.integer({ min: 0, max: 500 }) }), { maxLength: 3 }),
      void: fc.boolean(),
    },
    { requiredKeys: ['sku', 'qty'] },
  );

  test('what is booked adds up, is never negative and fits its schema', () => {
    const kit = scriptedKit();
    let booked = 0;
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), (lines) => {
        const code = codeOf(() => kit.till.sale({ lines }, null));
        expect(['no error', 'sums-differ', 'price-missing']).toContain(code);
        if (code === 'no error') booked += 1;
      }),
      { numRuns: 300 },
    );
    expect(booked).toBeGreaterThan(30);
    const events = sales(kit);
    expect(events).toHaveLength(booked);
    for (const { data } of events) {
      const live = (data['lines'] as { netMinor: number; discountMinor: number; void?: boolean }[]).filter(
        (one) => one.void !== true,
      );
      expect(data['totalMinor']).toBe(live.reduce((sum, one) => sum + one.netMinor, 0));
      expect(data['discountMinor']).toBe(live.reduce((sum, one) => sum + one.discountMinor, 0));
    }
  });

  test('any JSON is answered with a code, never with a crash', () => {
    const kit = scriptedKit();
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        for (const route of ['sale', 'refund', 'void', 'stock'] as const)
          expect(codeOf(() => kit.till[route](body, null))).toMatch(/^[a-z-]+$/);
      }),
    );
    expect(sales(kit)).toEqual([]);
  });

  test('sales, returns and voids in any order leave no line returned beyond what was sold, and the figures agree', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('sale' as const), qty: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant('return' as const), of: fc.nat(9), qty: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant('void' as const), of: fc.nat(9) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const kit = scriptedKit();
        // The model: what each accepted event left standing.
        const done: { id: string; kind: 'sale' | 'return'; qty: number; of?: number; voided: boolean }[] = [];
        for (const one of steps) {
          if (one.kind === 'sale') {
            const { eventId: id } = kit.till.sale({ lines: [{ sku: 'A', qty: one.qty, unitMinor: 100 }] }, null).answer;
            done.push({ id, kind: 'sale', qty: one.qty, voided: false });
            continue;
          }
          const target = done[one.of];
          if (target === undefined) continue;
          const back = done
            .filter((other) => other.of === one.of && !other.voided)
            .reduce((sum, other) => sum + other.qty, 0);
          if (one.kind === 'return') {
            const allowed = target.kind === 'sale' && !target.voided && back + one.qty <= target.qty;
            const body = { originalEventId: target.id, lines: [{ sku: 'A', qty: one.qty }] };
            const code = codeOf(() =>
              done.push({
                id: kit.till.refund(body, null).answer.eventId,
                kind: 'return',
                qty: one.qty,
                of: one.of,
                voided: false,
              }),
            );
            expect(code === 'no error').toBe(allowed);
          } else {
            const allowed = !target.voided && (target.kind === 'return' || back === 0);
            expect(codeOf(() => kit.till.void({ originalEventId: target.id }, null)) === 'no error').toBe(allowed);
            if (allowed) target.voided = true;
          }
        }
        const sums = newKpiSums();
        for (const event of kit.ledger.range('sale', 1, 1_000, 1_000))
          addToKpi(sums, { id: eventId(event), type: event.type, data: event.data });
        const figures = kpiReport(sums, true).skus.find((sku) => sku.sku === 'A');
        const standing = (kind: string): number =>
          done.filter((one) => one.kind === kind && !one.voided).reduce((sum, one) => sum + one.qty, 0);
        expect(figures?.soldQty ?? 0).toBe(standing('sale'));
        expect(figures?.returnedQty ?? 0).toBe(standing('return'));
        expect(figures?.netMinor ?? 0).toBe(100 * (standing('sale') - standing('return')));
      }),
      { numRuns: 60 },
    );
  });
});
