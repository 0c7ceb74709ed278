import type { JsonObject } from '../../drivers/api/reading.ts';

/** What the figures are made from: the type, the data and when it happened. */
export interface KpiEvent {
  readonly id: string;
  readonly type: string;
  readonly data: JsonObject;
}

export interface SkuSums {
  openedQty: number;
  receivedQty: number;
  transferredQty: number;
  soldQty: number;
  returnedQty: number;
  netMinor: number;
  listMinor: number;
  discountMinor: number;
  /** Of lines whose cost was known when they were sold. */
  costedNetMinor: number;
  costedCostMinor: number;
  costedQty: number;
  /** Σ opening × (list − cost), where both are known. */
  plannedMarginMinor: number;
  openCostedQty: number;
  openCostMinor: number;
  listUnitMinor: number | null;
}

interface PackagingSums {
  soldQty: number;
  returnedQty: number;
}

/** Running sums; {@link addToKpi} changes them in place, so that a day's events are read once. */
export interface KpiSums {
  readonly skus: Map<string, SkuSums>;
  readonly packaging: Map<string, PackagingSums>;
  /** Lines of baskets that may still be voided or returned, by event id; the oldest go first. */
  readonly baskets: Map<string, KpiEvent>;
  forgottenBaskets: number;
  basketCount: number;
  inCount: number;
  outCount: number;
  identifiedBaskets: number;
  newCustomers: number;
  readonly pseudonyms: Set<string>;
}

export const MAX_KPI_SKUS = 10_000;
export const MAX_KPI_BASKETS = 20_000;
export const MAX_KPI_PSEUDONYMS = 50_000;

export function newKpiSums(): KpiSums {
  return {
    skus: new Map(),
    packaging: new Map(),
    baskets: new Map(),
    forgottenBaskets: 0,
    basketCount: 0,
    inCount: 0,
    outCount: 0,
    identifiedBaskets: 0,
    newCustomers: 0,
    pseudonyms: new Set(),
  };
}

/** Adds one event of stream `sale` or `footfall`; others change nothing. */
export function addToKpi(sums: KpiSums, event: KpiEvent): void {
  switch (event.type) {
    case 'barrow.sale.v1':
      addBasket(sums, event, 1);
      addCustomer(sums, event.data);
      keepBasket(sums, event);
      break;
    case 'barrow.return.v1':
      addBasket(sums, event, 1);
      keepBasket(sums, event);
      break;
    case 'barrow.void.v1':
      undoBasket(sums, event.data);
      break;
    case 'barrow.stock.v1':
      addStock(sums, event.data);
      break;
    case 'barrow.footfall.crossing.v1':
      if (event.data['direction'] === 'in') sums.inCount += 1;
      else sums.outCount += 1;
      break;
    default:
  }
}

export function emptySku(): SkuSums {
  return {
    openedQty: 0,
    receivedQty: 0,
    transferredQty: 0,
    soldQty: 0,
    returnedQty: 0,
    netMinor: 0,
    listMinor: 0,
    discountMinor: 0,
    costedNetMinor: 0,
    costedCostMinor: 0,
    costedQty: 0,
    plannedMarginMinor: 0,
    openCostedQty: 0,
    openCostMinor: 0,
    listUnitMinor: null,
  };
}

function skuOf(sums: KpiSums, line: JsonObject): SkuSums | null {
  const name = text(line['sku']) ?? text(line['gtin14']);
  if (name === null) return null;
  const known = sums.skus.get(name);
  if (known !== undefined) return known;
  if (sums.skus.size >= MAX_KPI_SKUS) return null;
  const fresh = emptySku();
  sums.skus.set(name, fresh);
  return fresh;
}

/** @param times 1 when a basket is rung up, −1 when it is voided */
function addBasket(sums: KpiSums, event: KpiEvent, times: 1 | -1): void {
  const isReturn = event.type === 'barrow.return.v1';
  if (!isReturn) sums.basketCount += times;
  const sign = isReturn ? -times : times;
  for (const line of linesOf(event.data)) {
    const sku = line['void'] === true ? null : skuOf(sums, line);
    if (sku === null) continue;
    const qty = whole(line['qty']);
    const net = whole(line['netMinor']);
    sku[isReturn ? 'returnedQty' : 'soldQty'] += times * qty;
    sku.netMinor += sign * net;
    // Without a list price nothing is known of a markdown: the line counts with neither side.
    const unitList = line['listUnitMinor'];
    if (typeof unitList === 'number') {
      sku.listUnitMinor = unitList;
      sku.listMinor += sign * qty * unitList;
      sku.discountMinor += sign * (qty * unitList - net);
    }
    // A return says what came back, seldom what it once cost: the sale knows.
    const unitCost = line['unitCostMinor'] ?? soldLine(sums, event, line)?.['unitCostMinor'];
    if (typeof unitCost === 'number') {
      sku.costedQty += sign * qty;
      sku.costedNetMinor += sign * net;
      sku.costedCostMinor += sign * qty * unitCost;
    }
    addPackaging(sums, event, line, times * qty);
  }
}

function addPackaging(sums: KpiSums, event: KpiEvent, line: JsonObject, qty: number): void {
  const isReturn = event.type === 'barrow.return.v1';
  // A return that goes back to no sale says nothing about a packaging.
  if (isReturn && event.data['linked'] !== true) return;
  const variant = text(soldLine(sums, event, line)?.['packagingVariantId']) ?? text(line['packagingVariantId']);
  if (variant === null) return;
  const known = sums.packaging.get(variant);
  if (known === undefined && sums.packaging.size >= MAX_KPI_SKUS) return;
  const packaging = known ?? { soldQty: 0, returnedQty: 0 };
  packaging[isReturn ? 'returnedQty' : 'soldQty'] += qty;
  sums.packaging.set(variant, packaging);
}

/** The line of the sale that a line of a return goes back to. */
function soldLine(sums: KpiSums, event: KpiEvent, line: JsonObject): JsonObject | undefined {
  if (event.type !== 'barrow.return.v1') return undefined;
  const sale = sums.baskets.get(text(line['originalEventId']) ?? text(event.data['originalEventId']) ?? '');
  const lineNo = line['originalLineNo'] ?? line['lineNo'];
  return sale === undefined ? undefined : linesOf(sale.data).find((sold) => sold['lineNo'] === lineNo);
}

function addCustomer(sums: KpiSums, data: JsonObject): void {
  const pseudonym = pseudonymOf(data);
  if (pseudonym === null) return;
  sums.identifiedBaskets += 1;
  if (sums.pseudonyms.has(pseudonym) || sums.pseudonyms.size >= MAX_KPI_PSEUDONYMS) return;
  sums.pseudonyms.add(pseudonym);
  sums.newCustomers += 1;
}

function keepBasket(sums: KpiSums, event: KpiEvent): void {
  sums.baskets.set(event.id, event);
  if (sums.baskets.size <= MAX_KPI_BASKETS) return;
  const oldest = sums.baskets.keys().next();
  if (oldest.done !== true) sums.baskets.delete(oldest.value);
  sums.forgottenBaskets += 1;
}

function undoBasket(sums: KpiSums, data: JsonObject): void {
  const basket = sums.baskets.get(text(data['originalEventId']) ?? '');
  if (basket === undefined) return;
  sums.baskets.delete(basket.id);
  addBasket(sums, basket, -1);
  if (basket.type === 'barrow.sale.v1' && pseudonymOf(basket.data) !== null) sums.identifiedBaskets -= 1;
}

function pseudonymOf(data: JsonObject): string | null {
  const customer = data['customerRef'];
  if (typeof customer !== 'object' || customer === null || Array.isArray(customer)) return null;
  return text((customer as JsonObject)['pseudonym']);
}

function addStock(sums: KpiSums, data: JsonObject): void {
  for (const line of linesOf(data)) {
    const sku = skuOf(sums, line);
    if (sku === null) continue;
    const qty = whole(line['qty']);
    if (data['kind'] === 'open') {
      sku.openedQty += qty;
      const unitCost = line['unitCostMinor'];
      if (typeof unitCost === 'number') {
        sku.openCostedQty += qty;
        sku.openCostMinor += qty * unitCost;
      }
    } else if (data['kind'] === 'receive') sku.receivedQty += qty;
    else if (data['kind'] === 'transfer') sku.transferredQty += qty;
  }
}

function linesOf(data: JsonObject): readonly JsonObject[] {
  const lines = data['lines'];
  return Array.isArray(lines) ? (lines as readonly JsonObject[]) : [];
}

function text(value: JsonObject[string] | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function whole(value: JsonObject[string] | undefined): number {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : 0;
}
