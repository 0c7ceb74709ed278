import type { ApiRequest, ApiResponse } from '../../agent/core/host.ts';
import { apiRequest } from './api-request.ts';
import { FIRST_AMOUNT_MINOR, type PaymentTruth } from './payment-truth.ts';
import type { Scheduler } from './scheduler.ts';
import type { SeededChance } from './seeded-chance.ts';
import type { SimTerminal } from './sim-terminal.ts';
import type { Trace } from './trace.ts';

/** How often the cashier asks again, and looks. */
const ASK_MS = 2_000;

export interface CheckoutParts {
  readonly scheduler: Scheduler;
  readonly chance: SeededChance;
  readonly terminal: SimTerminal;
  readonly truth: PaymentTruth;
  readonly trace: Trace;
  /** The running process's API, `null` while none listens. */
  readonly api: () => ((request: ApiRequest) => Promise<ApiResponse>) | null;
}

/** The cashier and the card terminal: one payment at a time, each under one key until its outcome is known. */
export interface Checkout {
  open(untilMs: number): void;
  /** A payment is under way. */
  busy(): boolean;
}

export function checkout(parts: CheckoutParts): Checkout {
  const { scheduler, chance, truth, trace } = parts;
  let under: { readonly key: string; readonly amountMinor: number; intentId: string | null } | null = null;

  const ask = (method: string, path: string, body: object | null): Promise<ApiResponse> | null => {
    const api = parts.api();
    return api === null || under === null ? null : api(apiRequest(method, path, body, under.key));
  };

  const settle = (outcome: string): void => {
    if (under === null) return;
    trace.note('paid', `${under.key} ${outcome}`);
    truth.told.push({ ...under, outcome });
    under = null;
  };

  /** Unknown to the kit: the cashier looks at the terminal, once that is at rest. */
  const resolve = async (intentId: string, amountMinor: number): Promise<void> => {
    const entry = parts.terminal.book.entries.find((each) => each.amountMinor === amountMinor);
    if (entry?.state === 'held') return;
    const outcome = entry?.state === 'booked' ? 'approved' : entry?.state === 'reversed' ? 'reversed' : 'declined';
    await ask('POST', `/v1/payments/${intentId}/resolve`, { outcome, actor: 'cashier', reason: 'looked at the slip' });
  };

  const look = async (): Promise<void> => {
    if (under === null) return;
    const { intentId, amountMinor } = under;
    const answer = await (intentId === null
      ? ask('POST', '/v1/payments', { amountMinor, currency: 'GBP' })
      : ask('GET', `/v1/payments/${intentId}`, null));
    if (answer === null) return;
    const body = JSON.parse(textOf(answer)) as { intentId?: string; outcome?: string };
    trace.note('pay', `${under.key} ${answer.status} ${body.outcome ?? ''}`);
    if (intentId !== null && answer.status === 404) {
      truth.forgotten.push({ key: under.key, intentId });
      under = null;
      return;
    }
    if (answer.status !== 200 && answer.status !== 202) return;
    under.intentId = body.intentId ?? null;
    if (body.outcome === 'unknown') await resolve(body.intentId ?? '', amountMinor);
    else if (body.outcome !== 'pending') settle(body.outcome ?? '');
  };

  const tick = (key: string): void => {
    if (under?.key !== key) return;
    void look();
    scheduler.after(ASK_MS, () => tick(key));
  };

  return {
    open(untilMs) {
      let count = 0;
      const next = (): void => {
        if (scheduler.nowMs >= untilMs) return;
        scheduler.after(chance.int(5_000, 60_000), next);
        if (under !== null) return;
        count += 1;
        const key = `payment-${String(count).padStart(6, '0')}`;
        under = { key, amountMinor: FIRST_AMOUNT_MINOR + count, intentId: null };
        truth.asked.push(key);
        tick(key);
      };
      scheduler.after(chance.int(2_000, 20_000), next);
    },
    busy: () => under !== null,
  };
}

function textOf({ body }: ApiResponse): string {
  if (typeof body !== 'string') throw new TypeError('the cashier’s answer is JSON text');
  return body;
}
