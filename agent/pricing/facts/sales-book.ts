import type { Json, JsonObject } from '../../../drivers/api/reading.ts';
import type { StoredEvent } from '../../core/event.ts';
import type { LedgerTx } from '../../core/ledger.ts';

const OWNER = 'pricing';

/** What the till has said of one item. Kept across restarts, because sales outlive the ledger's retention here. */
export interface SalesCount {
  /** Local date that `soldToday` belongs to. */
  readonly date: string;
  readonly soldToday: number;
  /** Sold less returned. */
  readonly sold: number;
  /** Opened with, received and counted up, less what went out; null until the till has said anything of stock. */
  readonly brought: number | null;
}

export interface DayBudget {
  readonly date: string;
  /** Discount given, returns taken back. */
  readonly usedMinor: number;
}

/** A line of a sale or return, as far as prices care. */
export interface SoldLine {
  readonly sku: string;
  readonly qty: number;
  readonly discountMinor: number;
}

export interface SalesBookParts {
  readonly skuOf: (gtin14: string) => string | undefined;
  /** The sale or return that a void undoes, if the ledger still has it. */
  readonly find: (eventId: string) => StoredEvent | undefined;
  readonly today: () => string;
}

const NONE: SalesCount = { date: '', soldToday: 0, sold: 0, brought: null };

/** Counts what the till reports. Reads and writes within the transaction, so a rolled back one leaves no trace. */
export class SalesBook {
  readonly #parts: SalesBookParts;

  constructor(parts: SalesBookParts) {
    this.#parts = parts;
  }

  /** Takes one event of stream `sale` in. Returns the items that it touched and whether it was a sale at the till. */
  fold(tx: LedgerTx, event: StoredEvent): readonly string[] {
    if (event.type === 'barrow.sale.v1') return this.#sold(tx, event.data, 1);
    if (event.type === 'barrow.return.v1') return this.#sold(tx, event.data, -1);
    if (event.type === 'barrow.stock.v1') return this.#stock(tx, event.data);
    if (event.type !== 'barrow.void.v1') return [];
    const original = this.#parts.find(textOf(event.data['originalEventId']) ?? '');
    if (original === undefined) return [];
    return this.#sold(tx, original.data, original.type === 'barrow.return.v1' ? 1 : -1);
  }

  count(read: Pick<LedgerTx, 'saved'>, sku: string): SalesCount {
    // Written by this class alone.
    return (read.saved(OWNER, `sold/${sku}`) as SalesCount | undefined) ?? NONE;
  }

  soldToday(read: Pick<LedgerTx, 'saved'>, sku: string): number {
    const count = this.count(read, sku);
    return count.date === this.#parts.today() ? count.soldToday : 0;
  }

  budgetUsedMinor(read: Pick<LedgerTx, 'saved'>): number {
    const day = read.saved(OWNER, 'day') as DayBudget | undefined;
    return day !== undefined && day.date === this.#parts.today() ? day.usedMinor : 0;
  }

  #sold(tx: LedgerTx, data: JsonObject, sign: 1 | -1): readonly string[] {
    const today = this.#parts.today();
    const lines = this.#lines(data);
    for (const { sku, qty } of lines) {
      const count = this.count(tx, sku);
      const soldToday = (count.date === today ? count.soldToday : 0) + sign * qty;
      this.#save(tx, sku, { ...count, date: today, soldToday, sold: count.sold + sign * qty });
    }
    const discount = lines.reduce((sum, line) => sum + line.discountMinor, 0);
    if (discount !== 0)
      tx.save(OWNER, 'day', { date: today, usedMinor: Math.max(0, this.budgetUsedMinor(tx) + sign * discount) });
    return lines.map((line) => line.sku);
  }

  #stock(tx: LedgerTx, data: JsonObject): readonly string[] {
    const kind = textOf(data['kind']);
    const lines = this.#lines(data);
    for (const { sku, qty } of lines) {
      const count = this.count(tx, sku);
      const before = count.brought ?? 0;
      // A count says what is there now; what was sold must have been brought as well.
      const brought = kind === 'count' ? qty + count.sold : before + (kind === 'transfer' ? -qty : qty);
      this.#save(tx, sku, { ...count, brought });
    }
    return lines.map((line) => line.sku);
  }

  #lines(data: JsonObject): readonly SoldLine[] {
    const lines = Array.isArray(data['lines']) ? (data['lines'] as readonly Json[]) : [];
    return lines.flatMap((line) => {
      if (!isObject(line) || line['void'] === true) return [];
      const gtin14 = textOf(line['gtin14']);
      const sku = textOf(line['sku']) ?? (gtin14 === undefined ? undefined : this.#parts.skuOf(gtin14));
      const qty = line['qty'];
      if (sku === undefined || typeof qty !== 'number') return [];
      const discountMinor = line['discountMinor'];
      return [{ sku, qty: Math.trunc(qty), discountMinor: typeof discountMinor === 'number' ? discountMinor : 0 }];
    });
  }

  #save(tx: LedgerTx, sku: string, count: SalesCount): void {
    tx.save(OWNER, `sold/${sku}`, { ...count });
  }
}

export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
