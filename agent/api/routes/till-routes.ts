import type { ZodType } from 'zod';
import type { Till, TillOutcome } from '../../till/till.ts';
import { basketInput, stockInput, voidInput } from '../../till/till-schema.ts';
import { tillAnswerSchema } from '../answer-schemas.ts';
import { jsonAnswer } from '../answer.ts';
import type { Call, Route } from '../route.ts';

const SALE_ID = 'k3f9x2/sale/42';

function answerExample(type: string, more: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    eventId: SALE_ID,
    epoch: 'k3f9x2',
    stream: 'sale',
    sequence: '42',
    type,
    recordedAt: '2026-11-27T10:15:30.123Z',
    ...more,
  };
}

/** Sales, returns, voids and stock: 201 once the event is on disk. */
export function tillRoutes(till: Till): readonly Route[] {
  const route = (
    path: string,
    summary: string,
    schema: ZodType,
    example: unknown,
    answered: unknown,
    book: (body: unknown, key: string | null) => TillOutcome,
  ): Route => ({
    method: 'POST',
    path,
    summary,
    idempotency: 'own',
    body: { schema, example },
    answers: [{ status: 201, description: 'The event is on disk', schema: tillAnswerSchema, example: answered }],
    handle: (call: Call) => {
      const { answer, replayed } = book(call.body, call.idempotencyKey);
      return jsonAnswer(201, answer, replayed ? { 'idempotency-replayed': 'true' } : {});
    },
  });
  const money = { currency: 'GBP', totalMinor: 2499, discountMinor: 501 };
  return [
    route(
      '/v1/sales',
      'Record a sale',
      basketInput,
      {
        lines: [{ sku: 'TEE-BLK-M', qty: 1, listUnitMinor: 3000, unitMinor: 2499, packagingVariantId: 'tube' }],
        tenders: [{ method: 'card', amountMinor: 2499 }],
        totalMinor: 2499,
      },
      answerExample('barrow.sale.v1', money),
      (body, key) => till.sale(body, key),
    ),
    route(
      '/v1/returns',
      'Record goods that came back',
      basketInput,
      {
        originalEventId: SALE_ID,
        lines: [{ sku: 'TEE-BLK-M', qty: 1, originalLineNo: 1, returnReason: 'size', resalable: true }],
      },
      answerExample('barrow.return.v1', { ...money, linked: true }),
      (body, key) => till.refund(body, key),
    ),
    route(
      '/v1/voids',
      'Undo a sale or return',
      voidInput,
      { originalEventId: SALE_ID, reason: 'wrong article' },
      answerExample('barrow.void.v1', { linked: true }),
      (body, key) => till.void(body, key),
    ),
    route(
      '/v1/stock',
      'Record stock opened with, received, counted or transferred out',
      stockInput,
      { kind: 'open', lines: [{ sku: 'TEE-BLK-M', qty: 40, unitCostMinor: 900 }] },
      answerExample('barrow.stock.v1', {}),
      (body, key) => till.stock(body, key),
    ),
  ];
}
