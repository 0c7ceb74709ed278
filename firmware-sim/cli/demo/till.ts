import { randomUUID } from 'node:crypto';
import type { DeviceHands } from '../../kit/virtual-device.ts';
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
/** How often and how long a cashier asks again before the customer goes without. */
const ASK_AGAIN_MS = 2_000;
const PATIENCE_MS = 240_000;

export interface DemoTillOptions {
  /** The terminal's slips; `null` where the kit has none and all is paid in cash. */
  readonly charges: DeviceHands['charges'] | null;
  readonly priced: boolean;
  pause(ms: number): Promise<void>;
}

/** A till whose cashier asks again while a terminal is away, and looks at its slips when nobody knows the outcome. */
export function demoTill(
  baseUrl: string,
  currency: string,
  list: ReadonlyMap<string, number>,
  options: DemoTillOptions,
): DemoTill {
  let sales = 0;
  let declined = 0;
  const post = async <T>(path: string, body: unknown): Promise<T> =>
    call<T>(`${baseUrl}${path}`, posting(body, randomUUID()));
  const quote = async (basket: readonly BasketLine[]): Promise<QuoteAnswer> => {
    if (options.priced) return post<QuoteAnswer>('/v1/quotes', { lines: basket.map(({ sku, qty }) => ({ sku, qty })) });
    const lines = basket.map(({ sku, qty }) => {
      const unitMinor = list.get(sku) ?? 0;
      return { sku, qty, listMinor: unitMinor, unitMinor, lineMinor: unitMinor * qty, decision: null, ruleId: null };
    });
    return { quoteId: '', totalMinor: lines.reduce((sum, { lineMinor }) => sum + lineMinor, 0), lines };
  };
  const resolve = async (intentId: string, slip: 'held' | 'booked' | 'reversed' | undefined): Promise<void> => {
    if (slip === 'held') return;
    const outcome = slip === 'booked' ? 'approved' : slip === 'reversed' ? 'reversed' : 'declined';
    const word = { outcome, actor: 'cashier', reason: 'looked at the slip' };
    // 409: the kit has found out meanwhile.
    await ask(`${baseUrl}/v1/payments/${intentId}/resolve`, posting(word, randomUUID()));
  };
  const pay = async (amountMinor: number, charges: NonNullable<DeviceHands['charges']>): Promise<PaymentAnswer> => {
    const key = randomUUID();
    const earlier = charges().length;
    let answer: PaymentAnswer | null = null;
    for (const untilMs = performance.now() + PATIENCE_MS; performance.now() < untilMs;) {
      answer =
        answer === null
          ? await ask<PaymentAnswer>(`${baseUrl}/v1/payments`, posting({ amountMinor, currency }, key))
          : await call<PaymentAnswer>(`${baseUrl}/v1/payments/${answer.intentId}?waitS=${WAIT_S}`, {});
      if (answer?.outcome === 'unknown') await resolve(answer.intentId, charges()[earlier]);
      else if (answer !== null && answer.outcome !== 'pending') return answer;
      if (answer?.outcome !== 'pending') await options.pause(ASK_AGAIN_MS);
    }
    throw new Error(`a payment has no outcome after ${PATIENCE_MS / 1_000} s`);
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
      const payment = options.charges == null ? null : await pay(totalMinor, options.charges);
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

function posting(body: unknown, key: string): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  };
}

/** As {@link call}; `null` when the terminal is away or busy, which is worth asking again. */
async function ask<T>(url: string, init: RequestInit): Promise<T | null> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout((WAIT_S + 10) * 1_000) });
  if (response.status !== 409 && response.status !== 503) return answerOf<T>(url, init, response);
  await response.body?.cancel();
  return null;
}

async function call<T>(url: string, init: RequestInit): Promise<T> {
  return answerOf<T>(url, init, await fetch(url, { ...init, signal: AbortSignal.timeout((WAIT_S + 10) * 1_000) }));
}

async function answerOf<T>(url: string, init: RequestInit, response: Response): Promise<T> {
  const text = await response.text();
  if (!response.ok)
    throw new Error(
      `${init.method ?? 'GET'} ${new URL(url).pathname} answered ${response.status}: ${text.slice(0, 300)}`,
    );
  return JSON.parse(text) as T;
}
