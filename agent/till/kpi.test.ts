import { expect, test } from 'vitest';
import type { JsonObject } from '../../drivers/api/reading.ts';
import { addToKpi, newKpiSums, MAX_KPI_BASKETS, type KpiSums } from './kpi.ts';
import { kpiReport } from './kpi-report.ts';

function fed(...events: readonly (readonly [type: string, data: JsonObject])[]): KpiSums {
  const sums = newKpiSums();
  for (const [index, [type, data]] of events.entries())
    addToKpi(sums, { id: `e/sale/${index + 1}`, type: `barrow.${type}.v1`, data });
  return sums;
}

const line = (more: JsonObject): JsonObject => ({
  lineNo: 1,
  sku: 'A',
  qty: 1,
  netMinor: 800,
  listUnitMinor: 1000,
  unitCostMinor: 400,
  ...more,
});

test('follows the published formulas', () => {
  const report = kpiReport(
    fed(
      ['stock', { kind: 'open', lines: [{ sku: 'A', qty: 10, unitCostMinor: 400 }] }],
      ['stock', { kind: 'receive', lines: [{ sku: 'A', qty: 4 }] }],
      ['stock', { kind: 'transfer', lines: [{ sku: 'A', qty: 4 }] }],
      ['stock', { kind: 'count', lines: [{ sku: 'A', qty: 9 }] }],
      ['footfall.crossing', { direction: 'in' }],
      ['footfall.crossing', { direction: 'in' }],
      ['footfall.crossing', { direction: 'out' }],
      [
        'sale',
        {
          lines: [line({ qty: 4, netMinor: 3200, packagingVariantId: 'tube' })],
          customerRef: { keyId: 'k', pseudonym: 'one' },
        },
      ],
      [
        'return',
        { linked: true, originalEventId: 'e/sale/8', lines: [line({ qty: 1, netMinor: 800, unitCostMinor: null })] },
      ],
    ),
    true,
  );
  expect(report).toMatchObject({
    baskets: 1,
    netMinor: 2400,
    // (4 − 1) / (10 + 4 − 4)
    sellThroughBp: 3000,
    // (3 × 1000 − 2400) / 3000
    markdownDepthBp: 2000,
    // (2400 − 3 × 400) / (10 × 600)
    marginRecoveryBp: 2000,
    footfall: { in: 2, out: 1 },
    conversionBp: 5000,
    returnsByPackaging: [{ packagingVariantId: 'tube', soldQty: 4, returnedQty: 1, returnRateBp: 2500 }],
    customers: { newShareBp: 10_000, unidentifiedShareBp: 0 },
    complete: true,
  });
});

test('a return that goes back to no sale counts for no packaging', () => {
  const report = kpiReport(
    fed(
      ['sale', { lines: [line({ packagingVariantId: 'tube' })] }],
      ['return', { linked: false, lines: [line({ packagingVariantId: 'tube' })] }],
    ),
    true,
  );
  expect(report.returnsByPackaging).toMatchObject([{ soldQty: 1, returnedQty: 0 }]);
});

test('a figure whose divisor is unknown is null, not nought', () => {
  expect(kpiReport(fed(['sale', { lines: [line({ listUnitMinor: null, unitCostMinor: null })] }]), true)).toMatchObject(
    {
      sellThroughBp: null,
      markdownDepthBp: null,
      marginRecoveryBp: null,
      conversionBp: null,
    },
  );
});

test('a customer who comes back is no new one', () => {
  const customerRef = { keyId: 'k', pseudonym: 'one' };
  const { customers } = kpiReport(
    fed(
      ['sale', { lines: [line({})], customerRef }],
      ['sale', { lines: [line({})], customerRef }],
      ['sale', { lines: [line({})] }],
    ),
    true,
  );
  expect(customers).toEqual({ newShareBp: 5000, unidentifiedShareBp: 3333 });
});

test('beyond its bound the oldest basket can no longer be voided and the figures say so', () => {
  const sums = newKpiSums();
  for (let n = 0; n <= MAX_KPI_BASKETS; n += 1)
    addToKpi(sums, { id: `e/sale/${n}`, type: 'barrow.sale.v1', data: { lines: [] } });
  expect(sums.baskets.size).toBe(MAX_KPI_BASKETS);
  expect(kpiReport(sums, true).complete).toBe(false);
});
