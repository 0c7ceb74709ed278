import type { PaymentView } from '../../core/till.ts';
import { doneSchema, openPaymentsSchema, paymentSchema } from '../answer-schemas.ts';
import { jsonAnswer } from '../answer.ts';
import type { ApiParts } from '../api-parts.ts';
import { readBodyAs, readInt } from '../read-request.ts';
import type { Route } from '../route.ts';
import { noInput, paymentInput, resolveInput } from '../schemas.ts';
import { z } from 'zod';
import { paymentFailure } from '../../till/payment-errors.ts';

/** The longest that one long poll is held; proxies and phones cut at a minute or two. */
export const MAX_WAIT_S = 60;

const EXAMPLE: PaymentView = {
  intentId: '01933f5c-7a10-7c3e-9a51-0d5e4f1b2a77',
  deviceId: 'terminal',
  amountMinor: 2499,
  currency: 'GBP',
  outcome: 'pending',
  terminalId: null,
  receiptNo: null,
  trace: null,
  maskedPan: null,
  reason: null,
};
const APPROVED: PaymentView = {
  ...EXAMPLE,
  outcome: 'approved',
  terminalId: '52500041',
  receiptNo: 231,
  trace: 482,
  maskedPan: '476173******0119',
};

type Parts = Pick<ApiParts, 'desk' | 'kit' | 'ledger' | 'view'>;

/** Card payments: an intent on disk first, the outcome by asking. */
export function paymentRoutes(parts: Parts): readonly Route[] {
  return [start(parts), open(parts), find(parts), resolve(parts), abort(parts)];
}

function start({ desk, kit }: Parts): Route {
  return {
    method: 'POST',
    path: '/v1/payments',
    summary: 'Take a card payment; answers once the intent is on disk',
    idempotency: 'own',
    body: { schema: paymentInput, example: { amountMinor: 2499, currency: 'GBP' } },
    answers: [
      { status: 202, description: 'The terminal is at work', schema: paymentSchema, example: EXAMPLE },
      { status: 200, description: 'This key’s payment has its outcome', schema: paymentSchema, example: APPROVED },
    ],
    handle: ({ body, idempotencyKey }) => {
      const { currency = kit.currency, kind = 'sale', ...rest } = readBodyAs(paymentInput, body);
      if (currency !== kit.currency)
        throw paymentFailure('currency-mismatch', { detail: `${currency} where ${kit.currency} is due` });
      const view = desk.start(
        {
          amountMinor: rest.amountMinor,
          currency,
          kind,
          ...(rest.receiptNo === undefined ? {} : { receiptNo: rest.receiptNo }),
          ...(rest.quoteId === undefined ? {} : { quoteId: rest.quoteId }),
          ...(rest.terminal === undefined ? {} : { terminal: rest.terminal }),
        },
        idempotencyKey,
      );
      return jsonAnswer(view.outcome === 'pending' ? 202 : 200, view, {
        location: `/v1/payments/${encodeURIComponent(view.intentId)}`,
      });
    },
  };
}

function open({ desk, ledger, view }: Parts): Route {
  return {
    method: 'GET',
    path: '/v1/payments',
    summary: 'Payments that are not settled: under way, or with an outcome that waits for an operator',
    answers: [
      {
        status: 200,
        description: 'The payments, oldest first by terminal',
        schema: openPaymentsSchema,
        example: { payments: [EXAMPLE] },
      },
    ],
    handle: () => {
      const drivers = view.status().drivers.map((driver) => driver.id);
      const rows = ledger?.transaction((tx) => drivers.flatMap((id) => tx.tables.payments.unsettled(id))) ?? [];
      const payments = rows
        .map((row) => desk.find(row.intentId))
        .filter((view) => view?.outcome === 'pending' || view?.outcome === 'unknown');
      return jsonAnswer(200, { payments });
    },
  };
}

function find({ desk }: Parts): Route {
  return {
    method: 'GET',
    path: '/v1/payments/{intentId}',
    summary: 'What became of a payment; with waitS the answer waits for the outcome',
    query: {
      waitS: {
        description: `Seconds to wait for the outcome, at most ${MAX_WAIT_S}`,
        schema: z.int().min(0).max(MAX_WAIT_S),
      },
    },
    answers: [{ status: 200, description: 'The payment', schema: paymentSchema, example: APPROVED }],
    handle: async ({ request, params, signal }) => {
      const waitS = readInt(request.query, 'waitS', { fallback: 0, min: 0, max: MAX_WAIT_S });
      const intentId = params['intentId'] ?? '';
      const view = waitS === 0 ? desk.find(intentId) : await desk.wait(intentId, waitS * 1_000, signal);
      if (view === undefined) throw paymentFailure('payment-unknown');
      return jsonAnswer(200, view);
    },
  };
}

function resolve({ desk }: Parts): Route {
  return {
    method: 'POST',
    path: '/v1/payments/{intentId}/resolve',
    summary: 'An operator’s word on a payment whose outcome is unknown; frees the terminal',
    idempotency: 'api',
    body: {
      schema: resolveInput,
      example: { outcome: 'approved', actor: 'm.lee', reason: 'receipt 231 printed by the terminal' },
    },
    answers: [{ status: 200, description: 'The payment', schema: paymentSchema, example: APPROVED }],
    handle: ({ params, body }) => {
      const word = readBodyAs(resolveInput, body);
      const intentId = params['intentId'] ?? '';
      if (desk.find(intentId) === undefined) throw paymentFailure('payment-unknown');
      return jsonAnswer(200, desk.resolve(intentId, word));
    },
  };
}

function abort({ desk }: Parts): Route {
  return {
    method: 'POST',
    path: '/v1/payments/{intentId}/abort',
    summary: 'Ask the terminal to stop; the outcome still comes from it',
    idempotency: 'api',
    body: { schema: noInput, example: {} },
    answers: [{ status: 202, description: 'The terminal has been asked', schema: doneSchema, example: { ok: true } }],
    handle: async ({ params, body }) => {
      readBodyAs(noInput, body);
      const intentId = params['intentId'] ?? '';
      if (desk.find(intentId) === undefined) throw paymentFailure('payment-unknown');
      await desk.abort(intentId);
      return jsonAnswer(202, { ok: true });
    },
  };
}
