import { z } from 'zod';

const texts = z.array(z.string());
const json = z.record(z.string(), z.unknown());
const nullableText = z.string().nullable();
const nullableInt = z.int().nullable();
const driverState = z.enum(['starting', 'ready', 'degraded', 'silent', 'failed', 'stopped']);
const stream = z.enum(['sale', 'price', 'scan', 'shelf', 'footfall', 'agent']);

export const errorSchema: z.ZodType = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string(), hint: z.string() }),
});

export const healthSchema: z.ZodType = z.strictObject({ status: z.enum(['ok', 'degraded']), reasons: texts });

export const tillAnswerSchema: z.ZodType = z.strictObject({
  eventId: z.string(),
  epoch: z.string(),
  stream: z.literal('sale'),
  sequence: z.string(),
  type: z.string(),
  recordedAt: z.iso.datetime(),
  currency: z.string().optional(),
  totalMinor: z.int().optional(),
  discountMinor: z.int().optional(),
  linked: z.boolean().optional(),
});

export const paymentSchema: z.ZodType = z.strictObject({
  intentId: z.string(),
  deviceId: z.string(),
  amountMinor: z.int(),
  currency: z.string(),
  outcome: z.enum(['pending', 'approved', 'declined', 'unknown', 'reversed', 'refunded']),
  terminalId: nullableText,
  receiptNo: nullableInt,
  trace: nullableInt,
  maskedPan: nullableText,
  reason: nullableText,
});

export const openPaymentsSchema: z.ZodType = z.strictObject({ payments: z.array(paymentSchema) });

export const priceSchema: z.ZodType = z.strictObject({
  sku: z.string(),
  gtin: nullableText,
  priceMinor: z.int(),
  listMinor: z.int(),
  currency: z.string(),
  discountBp: z.int(),
  announce: z.boolean(),
  priorPriceMinor: nullableInt,
  ruleId: nullableText,
  boundBy: texts,
  decision: nullableText,
});

const bundle = z
  .strictObject({
    merchant: z.string(),
    version: z.int(),
    keyId: z.string(),
    expires: z.string(),
    state: z.enum(['in-force', 'not-yet-valid', 'expired', 'killed']),
    rules: z.int(),
  })
  .nullable();

export const pricesSchema: z.ZodType = z.strictObject({
  currency: z.string(),
  prices: z.array(priceSchema),
  rules: bundle,
});

export const quoteSchema: z.ZodType = z.strictObject({
  quoteId: z.string(),
  currency: z.string(),
  lines: z.array(
    z.strictObject({
      sku: z.string(),
      qty: z.int(),
      listMinor: z.int(),
      unitMinor: z.int(),
      lineMinor: z.int(),
      discountMinor: z.int(),
      couponMinor: z.int(),
      announce: z.boolean(),
      ruleId: nullableText,
      decision: nullableText,
      boundBy: texts,
    }),
  ),
  totalMinor: z.int(),
  discountMinor: z.int(),
  boundBy: texts,
});

export const statusSchema: z.ZodType = z.strictObject({
  kit: z.strictObject({
    id: z.string(),
    node: nullableText,
    group: nullableText,
    currency: z.string(),
    timezone: z.string(),
  }),
  version: z.string(),
  startedAt: z.string(),
  now: z.string(),
  uptimeS: z.number(),
  ready: z.boolean(),
  reasons: z.array(
    z.strictObject({ code: z.string(), sentence: z.string(), hint: z.string(), driver: z.string().optional() }),
  ),
  clock: z.strictObject({ trust: z.enum(['synced', 'estimated', 'unset']), bootId: z.string() }),
  ledger: z.strictObject({
    epoch: z.string(),
    streams: z.array(
      z.strictObject({
        stream,
        last: z.int(),
        pendingRows: z.int(),
        pendingBytes: z.int(),
        oldestPendingMono: z.number().nullable(),
        lostRows: z.int(),
      }),
    ),
    bytes: z.int(),
    maxBytes: z.int(),
    accepting: z.boolean(),
    oldestPendingS: z.number().nullable(),
  }),
  uplink: z.strictObject({
    state: z.enum(['off', 'connecting', 'online', 'waiting']),
    url: nullableText,
    protocol: z.enum(['5', '3.1.1']).nullable(),
    code: nullableText,
    detail: nullableText,
    delivered: z.int(),
    duplicatesPossible: z.int(),
    quarantined: z.int(),
    droppedCommands: z.int(),
    drainPerS: z.number().nullable(),
  }),
  drivers: z.array(
    z.strictObject({
      id: z.string(),
      type: z.string(),
      state: driverState,
      code: nullableText,
      detail: nullableText,
      parts: z.array(z.strictObject({ part: z.string(), state: driverState, code: nullableText })),
      events: z.int(),
      restarts: z.int(),
      lastEventAt: nullableText,
      latest: z.array(z.strictObject({ subject: z.string(), type: z.string(), at: z.string(), data: json })),
    }),
  ),
  rules: bundle,
  machine: z.strictObject({
    freeBytes: z.number().nullable(),
    temperatureC: z.number().nullable(),
    throttled: nullableText,
    uptimeS: z.number(),
    rssBytes: z.number(),
    load1: z.number().nullable(),
  }),
});

export const logsSchema: z.ZodType = z.strictObject({ lines: z.array(json) });

const bp = nullableInt;
export const kpiSchema: z.ZodType = z.strictObject({
  baskets: z.int(),
  netMinor: z.int(),
  discountMinor: z.int(),
  sellThroughBp: bp,
  markdownDepthBp: bp,
  marginRecoveryBp: bp,
  footfall: z.strictObject({ in: z.int(), out: z.int() }),
  conversionBp: bp,
  returnsByPackaging: z.array(
    z.strictObject({ packagingVariantId: z.string(), soldQty: z.int(), returnedQty: z.int(), returnRateBp: bp }),
  ),
  customers: z.strictObject({ newShareBp: bp, unidentifiedShareBp: bp }),
  skus: z.array(
    z.strictObject({
      sku: z.string(),
      soldQty: z.int(),
      returnedQty: z.int(),
      netMinor: z.int(),
      sellThroughBp: bp,
      markdownDepthBp: bp,
      marginRecoveryBp: bp,
    }),
  ),
  complete: z.boolean(),
});

export const doneSchema: z.ZodType = z.strictObject({ ok: z.literal(true) });
export const reloadSchema: z.ZodType = z.strictObject({ restarted: texts });

export const weightSchema: z.ZodType = z.strictObject({
  sensorId: z.string(),
  grams: z.number(),
  noiseGrams: z.number(),
  weights: z.array(z.number()),
});

export const calibrationSchema: z.ZodType = z.strictObject({
  unitGrams: z.number(),
  emptyGrams: z.number(),
  noiseGrams: z.number(),
  quantumGrams: z.number(),
  countable: z.boolean(),
});

export const aimSchema: z.ZodType = z.strictObject({ url: z.string(), endsAt: z.iso.datetime() });
