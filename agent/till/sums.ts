import type { JsonObject } from '../../drivers/api/reading.ts';
import type { ArticleFacts, Catalogue } from './catalogue.ts';
import type { BasketInput, DiscountInput, LineInput, TenderInput } from './till-schema.ts';
import { toGtin14 } from './gtin.ts';
import { tillFailure } from './errors.ts';
import { paymentFailure } from './payment-errors.ts';

/** A line with everything derived that can be derived. Amounts are for the whole line unless `unit` stands in the name. */
export interface BookedLine {
  readonly lineNo: number;
  readonly sku: string | null;
  readonly gtin14: string | null;
  readonly qty: number;
  readonly listUnitMinor: number | null;
  readonly unitMinor: number | null;
  readonly netMinor: number;
  readonly discountMinor: number;
  readonly taxMinor: number | null;
  readonly void: boolean;
  readonly originalEventId: string | null;
  readonly originalLineNo: number | null;
  /** The line as it is written into the event. */
  readonly data: JsonObject;
}

export interface Booking {
  readonly lines: readonly BookedLine[];
  readonly tenders: readonly JsonObject[];
  readonly totalMinor: number;
  readonly discountMinor: number;
  readonly taxMinor: number;
}

/** Leaves out what is absent, so that an event says only what is known. */
export function present(fields: Readonly<Record<string, JsonObject[string] | undefined>>): JsonObject {
  const kept: Record<string, JsonObject[string]> = {};
  for (const [key, value] of Object.entries(fields)) if (value !== undefined && value !== null) kept[key] = value;
  return kept;
}

/** The GTIN of a line as GTIN-14. Throws `gtin-invalid`. */
export function lineGtin14(
  line: { readonly gtin?: string | undefined; readonly gtin14?: string | undefined },
  where: string,
): string | null {
  const given = line.gtin14 ?? line.gtin;
  if (given === undefined) return null;
  const gtin14 = toGtin14(given);
  if (gtin14 === null) throw tillFailure('gtin-invalid', { detail: where });
  if (line.gtin !== undefined && toGtin14(line.gtin) !== gtin14)
    throw tillFailure('gtin-invalid', { detail: `${where}: gtin and gtin14 differ` });
  return gtin14;
}

/**
 * Works out lines, totals and tenders of a basket in whole minor units.
 *
 * A line's net amount is `netMinor`, else `qty × unitMinor − Σ discounts`, else `qty × listUnitMinor − Σ discounts`,
 * else what the price on the shelf makes. Where several are given they must agree: with
 * discounts from the list price or from the unit price, whichever the till reckons from.
 * The total is Σ net, or Σ net + Σ tax where a till sends net amounts before tax.
 * Throws `sums-differ`, `price-missing`, `gtin-invalid`, `currency-mismatch`, `body-invalid`.
 */
export function book(input: BasketInput, kitCurrency: string, catalogue: Catalogue): Booking {
  if ((input.currency ?? kitCurrency) !== kitCurrency)
    throw paymentFailure('currency-mismatch', { detail: `${input.currency ?? ''} where ${kitCurrency} is due` });
  const numbers = new Set<number>();
  const lines = input.lines.map((line, index) => {
    const booked = bookLine(line, index, catalogue);
    if (numbers.has(booked.lineNo))
      throw tillFailure('body-invalid', { detail: `lines.${index}.lineNo is used twice` });
    numbers.add(booked.lineNo);
    return booked;
  });
  const counted = lines.filter((line) => !line.void);
  const net = sum(counted, (line) => line.netMinor);
  const tax = sum(counted, (line) => line.taxMinor ?? 0);
  const discount = sum(counted, (line) => line.discountMinor);
  const total = input.totalMinor ?? net;
  if (total !== net && total !== net + tax)
    throw tillFailure('sums-differ', { detail: `totalMinor ${total} where the lines make ${net}` });
  if (input.taxMinor !== undefined && counted.some((line) => line.taxMinor !== null) && input.taxMinor !== tax)
    throw tillFailure('sums-differ', { detail: `taxMinor ${input.taxMinor} where the lines make ${tax}` });
  if (input.discountMinor !== undefined && input.discountMinor !== discount)
    throw tillFailure('sums-differ', {
      detail: `discountMinor ${input.discountMinor} where the lines make ${discount}`,
    });
  return {
    lines,
    tenders: bookTenders(input, kitCurrency, total),
    totalMinor: total,
    discountMinor: discount,
    taxMinor: input.taxMinor ?? tax,
  };
}

function bookLine(line: LineInput, index: number, catalogue: Catalogue): BookedLine {
  const where = `lines.${index}`;
  const lineNo = line.lineNo ?? index + 1;
  const gtin = lineGtin14(line, where);
  const article =
    (line.sku !== undefined ? catalogue.bySku(line.sku) : undefined) ??
    (line.sku === undefined && gtin !== null ? catalogue.byGtin14(gtin) : undefined);
  const sku = line.sku ?? article?.sku ?? null;
  if (sku === null && gtin === null)
    throw tillFailure('body-invalid', { detail: `${where} names neither sku nor gtin` });
  const list = line.listUnitMinor ?? article?.listMinor ?? null;
  const net = netOf(line, where, article);
  const unit = line.unitMinor ?? (net % line.qty === 0 ? net / line.qty : null);
  // A price on the shelf that the customer paid to the penny was paid because of that decision.
  const fromShelf = article !== undefined && unit === article.priceMinor;
  const discountMinor = list === null ? explained(line) : Math.max(0, line.qty * list - net);
  const taxRateBp = line.taxRateBp ?? line.taxRate;
  const data = present({
    lineNo,
    sku,
    gtin14: gtin ?? article?.gtin14,
    description: line.description,
    packagingVariantId: line.packagingVariantId,
    lot: line.lot ?? line.batch,
    serial: line.serial,
    qty: line.qty,
    uom: line.uom,
    listUnitMinor: list,
    unitMinor: unit,
    unitCostMinor: line.unitCostMinor,
    costVersion: line.costVersion,
    discounts: line.discounts?.map((discount: DiscountInput) => present({ ...discount })),
    discountMinor,
    netMinor: net,
    taxRateBp,
    taxMinor: line.taxMinor,
    decision: line.decision ?? (fromShelf ? article.decision : null),
    ruleId: line.ruleId ?? (fromShelf ? article.ruleId : null),
    returnReason: line.returnReason ?? line.reason,
    resalable: line.resalable,
    originalEventId: line.originalEventId,
    originalLineNo: line.originalLineNo,
    void: line.void === true ? true : undefined,
  });
  return {
    lineNo,
    sku,
    gtin14: gtin ?? article?.gtin14 ?? null,
    qty: line.qty,
    listUnitMinor: list,
    unitMinor: unit,
    netMinor: net,
    discountMinor,
    taxMinor: line.taxMinor ?? null,
    void: line.void === true,
    originalEventId: line.originalEventId ?? null,
    originalLineNo: line.originalLineNo ?? null,
    data,
  };
}

function netOf(line: LineInput, where: string, article: ArticleFacts | undefined): number {
  const discounts = explained(line);
  const fromUnit = line.unitMinor === undefined ? null : line.qty * line.unitMinor;
  const fromList = line.listUnitMinor === undefined ? null : line.qty * line.listUnitMinor;
  if (line.netMinor !== undefined) {
    const agrees =
      fromUnit === line.netMinor ||
      fromUnit === line.netMinor + discounts ||
      (fromList !== null && fromUnit === null && (discounts === 0 || fromList === line.netMinor + discounts)) ||
      (fromUnit === null && fromList === null);
    if (!agrees || (fromList !== null && fromUnit !== null && fromUnit > fromList))
      throw tillFailure('sums-differ', {
        detail: `${where}.netMinor ${line.netMinor} is not what quantity, price and discounts make`,
      });
    return line.netMinor;
  }
  const reckoned =
    fromUnit !== null
      ? // A unit price that has the discounts in it already is not discounted once more.
        fromList !== null && fromList - discounts === fromUnit
        ? fromUnit
        : fromUnit - discounts
      : fromList !== null
        ? fromList - discounts
        : article === undefined
          ? null
          : line.qty * article.priceMinor - discounts;
  if (reckoned === null) throw tillFailure('price-missing', { detail: where });
  if (reckoned < 0) throw tillFailure('sums-differ', { detail: `${where}: the discounts are more than the price` });
  return reckoned;
}

/** What the till itself says was taken off the line. */
function explained(line: LineInput): number {
  const listed = sum(line.discounts ?? [], (discount) => discount.amountMinor);
  if (line.discounts !== undefined && line.discountMinor !== undefined && listed !== line.discountMinor)
    throw tillFailure('sums-differ', {
      detail: `discountMinor ${line.discountMinor} where the discounts make ${listed}`,
    });
  return line.discounts === undefined ? (line.discountMinor ?? 0) : listed;
}

function bookTenders(input: BasketInput, kitCurrency: string, totalMinor: number): readonly JsonObject[] {
  const given = tendersOf(input);
  const dueMinor = totalMinor + (input.roundingMinor ?? 0) + (input.changeMinor ?? 0);
  const tenders = given.map((tender, index) => {
    if ((tender.currency ?? kitCurrency) !== kitCurrency)
      throw paymentFailure('currency-mismatch', { detail: `tenders.${index}` });
    const amountMinor = tender.amountMinor ?? (given.length === 1 ? dueMinor : null);
    if (amountMinor === null) throw tillFailure('body-invalid', { detail: `tenders.${index} has no amountMinor` });
    return { ...tender, amountMinor, state: tender.state ?? ('approved' as const) };
  });
  // A declined try stays on record beside the tender that paid; an unknown one counts until it is resolved.
  const paid = tenders.filter((tender) => tender.state !== 'declined' && tender.state !== 'reversed');
  const paidMinor = sum(paid, (tender) => tender.amountMinor);
  if (paid.length > 0 && paidMinor !== dueMinor)
    throw tillFailure('sums-differ', { detail: `the tenders make ${paidMinor} where ${dueMinor} is due` });
  return tenders.map(({ pan6x4, maskedPan, ...tender }) => present({ ...tender, maskedPan: maskedPan ?? pan6x4 }));
}

function tendersOf(input: BasketInput): readonly TenderInput[] {
  const single = input.tender;
  if (single !== undefined && input.tenders !== undefined)
    throw tillFailure('body-invalid', { detail: 'tender and tenders are given both' });
  const list: readonly TenderInput[] =
    input.tenders ??
    (single === undefined
      ? []
      : typeof single === 'string'
        ? [{ method: single }]
        : Array.isArray(single)
          ? (single as readonly TenderInput[])
          : [single as TenderInput]);
  if (input.intentId === undefined || list.some((tender) => tender.intentId !== undefined)) return list;
  if (list.length === 0) return [{ method: 'card', intentId: input.intentId }];
  const card = list.findIndex((tender) => tender.method === 'card');
  return list.map((tender, index) => (index === Math.max(0, card) ? { ...tender, intentId: input.intentId } : tender));
}

function sum<T>(items: readonly T[], amount: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += amount(item);
  if (!Number.isSafeInteger(total)) throw tillFailure('sums-differ', { detail: 'a sum is beyond what money can be' });
  return total;
}
