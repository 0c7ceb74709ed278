import { emptySku, MAX_KPI_SKUS, type KpiSums, type SkuSums } from './kpi.ts';

export interface SkuKpi {
  readonly sku: string;
  readonly soldQty: number;
  readonly returnedQty: number;
  readonly netMinor: number;
  /** (sold − returned) / (opening + received − transferred out). */
  readonly sellThroughBp: number | null;
  /** Σ q(list − paid) / Σ q·list. */
  readonly markdownDepthBp: number | null;
  /** Σ q(paid − cost) / Σ opening(list − cost); `null` unless cost is known for every unit sold. */
  readonly marginRecoveryBp: number | null;
}

export interface Kpis {
  readonly baskets: number;
  readonly netMinor: number;
  readonly discountMinor: number;
  readonly sellThroughBp: number | null;
  readonly markdownDepthBp: number | null;
  readonly marginRecoveryBp: number | null;
  readonly footfall: { readonly in: number; readonly out: number };
  /** Baskets per hundred hundredths of people who came in. */
  readonly conversionBp: number | null;
  /** Linked returns only: a return that goes back to no sale says nothing about a packaging. */
  readonly returnsByPackaging: readonly {
    readonly packagingVariantId: string;
    readonly soldQty: number;
    readonly returnedQty: number;
    readonly returnRateBp: number | null;
  }[];
  /** First-seen pseudonyms among identified baskets, beside the share that stayed unidentified. */
  readonly customers: {
    readonly newShareBp: number | null;
    readonly unidentifiedShareBp: number | null;
  };
  readonly skus: readonly SkuKpi[];
  /** False when older events had been dropped before they could be counted. */
  readonly complete: boolean;
}

/** The figures from the sums. Ratios are basis points, rounded half up; `null` where the divisor is not positive. */
export function kpiReport(sums: KpiSums, complete: boolean): Kpis {
  const skus = [...sums.skus].map(([sku, sku1]) => skuKpi(sku, sku1));
  const total = [...sums.skus.values()].reduce(addSums, emptySku());
  const all = skuKpi('', total);
  return {
    baskets: sums.basketCount,
    netMinor: total.netMinor,
    discountMinor: total.discountMinor,
    sellThroughBp: all.sellThroughBp,
    markdownDepthBp: all.markdownDepthBp,
    marginRecoveryBp: all.marginRecoveryBp,
    footfall: { in: sums.inCount, out: sums.outCount },
    conversionBp: ratioBp(sums.basketCount, sums.inCount),
    returnsByPackaging: [...sums.packaging].map(([packagingVariantId, one]) => ({
      packagingVariantId,
      soldQty: one.soldQty,
      returnedQty: one.returnedQty,
      returnRateBp: ratioBp(one.returnedQty, one.soldQty),
    })),
    customers: {
      newShareBp: ratioBp(sums.newCustomers, sums.identifiedBaskets),
      unidentifiedShareBp: ratioBp(sums.basketCount - sums.identifiedBaskets, sums.basketCount),
    },
    skus,
    complete: complete && sums.forgottenBaskets === 0 && sums.skus.size < MAX_KPI_SKUS,
  };
}

function skuKpi(sku: string, sums: SkuSums): SkuKpi {
  const netQty = sums.soldQty - sums.returnedQty;
  const costKnown = sums.costedQty === netQty;
  return {
    sku,
    soldQty: sums.soldQty,
    returnedQty: sums.returnedQty,
    netMinor: sums.netMinor,
    sellThroughBp: ratioBp(netQty, sums.openedQty + sums.receivedQty - sums.transferredQty),
    markdownDepthBp: ratioBp(sums.discountMinor, sums.listMinor),
    marginRecoveryBp: costKnown ? ratioBp(sums.costedNetMinor - sums.costedCostMinor, plannedMargin(sums)) : null,
  };
}

function plannedMargin(sums: SkuSums): number {
  if (sums.plannedMarginMinor > 0) return sums.plannedMarginMinor;
  const known = sums.listUnitMinor !== null && sums.openCostedQty === sums.openedQty;
  return !known ? 0 : sums.openedQty * (sums.listUnitMinor ?? 0) - sums.openCostMinor;
}

function ratioBp(part: number, whole: number): number | null {
  return whole > 0 ? Math.round((part * 10_000) / whole) : null;
}

function addSums(left: SkuSums, right: SkuSums): SkuSums {
  return {
    openedQty: left.openedQty + right.openedQty,
    receivedQty: left.receivedQty + right.receivedQty,
    transferredQty: left.transferredQty + right.transferredQty,
    soldQty: left.soldQty + right.soldQty,
    returnedQty: left.returnedQty + right.returnedQty,
    netMinor: left.netMinor + right.netMinor,
    listMinor: left.listMinor + right.listMinor,
    discountMinor: left.discountMinor + right.discountMinor,
    costedNetMinor: left.costedNetMinor + right.costedNetMinor,
    costedCostMinor: left.costedCostMinor + right.costedCostMinor,
    costedQty: left.costedQty + right.costedQty,
    plannedMarginMinor: left.plannedMarginMinor + plannedMargin(right),
    openCostedQty: 0,
    openCostMinor: 0,
    listUnitMinor: null,
  };
}
