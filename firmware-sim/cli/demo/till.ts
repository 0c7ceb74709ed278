import { randomUUID } from 'node:crypto';
import type { BasketLine } from '../../shop/shop.ts';

/** The till of the demo: quotes, card payments and sales through the agent's own API. */
export interface DemoTill {
  checkout(basket: readonly BasketLine[]): Promise<boolean>;
  readonly sales: number;
  readonly declined: number;
}

interface QuoteAnswer {
  readonly quoteId: string;
  readonly totalMinor: number;
  readonly lines: readonly {
    readonly sku: string;
    readonly qty: number;
    readonly listMinor: number;
    readonly unitMinor: number;
    readonly lineMinor: number;
    readonly decision: string | null;
    readonly ruleId: string | null;
  }[];
}

interface PaymentAnswer {
  readonly intentId: string;
  readonly outcome: string;
  readonly terminalId: string | null;
  readonly receiptNo: number | null;
  readonly trace: number | null;
  readonly maskedPan: string | null;
}

const WAIT_S = 25;

/** A till that takes cards when `card` is true and cash otherwise. */
export function demoTill(
  baseUrl: string,
  currency: string,
  list: ReadonlyMap<string, number>,
  options: { readonly card: boolean; readonly priced: boolean },
): DemoTill {
  let sales = 0;
  let declined = 0;
  const post = async <T>(path: string, body: unknown): Promise<T> =>
    call<T>(`${baseUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body: JSON.stringify(body),
    });
  const quote = async (basket: readonly BasketLine[]): Promise<QuoteAnswer> => {
    if (options.priced) return post<QuoteAnswer>('/v1/quotes', { lines: basket.map(({ sku, qty }) => ({ sku, qty })) });
    const lines = basket.map(({ sku, qty }) => {
      const unitMinor = list.get(sku) ?? 0;
      return { sku, qty, listMinor: unitMinor, unitMinor, lineMinor: unitMinor * qty, decision: null, ruleId: null };
    });
    return { quoteId: '', totalMinor: lines.reduce((sum, { lineMinor }) => sum + lineMinor, 0), lines };
  };
  const pay = async (amountMinor: number): Promise<PaymentAnswer> => {
    const started = await post<PaymentAnswer>('/v1/payments', { amountMinor, currency });
    return call<PaymentAnswer>(`${baseUrl}/v1/payments/${started.intentId}?waitS=${WAIT_S}`, {});
  };
  return {
    get sales() {
      return sales;
    },
    get declined() {
      return declined;
    },
    async checkout(basket) {
      const { quoteId, totalMinor, lines } = await quote(basket);
      const payment = options.card ? await pay(totalMinor) : null;
      if (payment !== null && payment.outcome !== 'approved') {
        declined += 1;
        return false;
      }
      await post('/v1/sales', {
        currency,
        lines: lines.map(({ sku, qty, listMinor, unitMinor, decision, ruleId }) => ({
          sku,
          gtin: basket.find((line) => line.sku === sku)?.gtin,
          qty,
          listUnitMinor: listMinor,
          unitMinor,
          ...(decision === null ? {} : { decision }),
          ...(ruleId === null ? {} : { ruleId }),
        })),
        tender: [{ method: payment === null ? 'cash' : 'card', amountMinor: totalMinor }],
        ...(payment === null ? {} : { intentId: payment.intentId }),
        ...(quoteId === '' ? {} : { quoteId }),
      });
      sales += 1;
      return true;
    },
  };
}

async function call<T>(url: string, init: RequestInit): Promise<T> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout((WAIT_S + 10) * 1_000) });
  const text = await response.text();
  if (!response.ok)
    throw new Error(
      `${init.method ?? 'GET'} ${new URL(url).pathname} answered ${response.status}: ${text.slice(0, 300)}`,
    );
  return JSON.parse(text) as T;
}
