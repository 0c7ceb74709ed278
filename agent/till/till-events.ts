import { z, type ZodType } from 'zod';
import type { Emission } from '../../drivers/api/driver.ts';
import type { JsonObject } from '../../drivers/api/reading.ts';

const money = z.int().min(0);
const text = z.string();

const head = {
  schemaVersion: z.literal(1),
  eventId: text.optional(),
  tillSeq: z.int().optional(),
  tillBootId: text.optional(),
  businessDay: z.iso.date().optional(),
  occurredAt: text.optional(),
  tillRecordedAt: text.optional(),
  tzOffsetMin: z.int().optional(),
  tillMonotonicMs: z.int().optional(),
  clockQuality: text.optional(),
  sessionId: text.optional(),
  tillId: text.optional(),
  operatorRef: text.optional(),
  offline: z.boolean(),
  customerRef: z.strictObject({ keyId: text, pseudonym: text }).optional(),
  note: text.optional(),
};

const line = z.strictObject({
  lineNo: z.int().min(1),
  sku: text.optional(),
  gtin14: z
    .string()
    .regex(/^\d{14}$/)
    .optional(),
  description: text.optional(),
  packagingVariantId: text.optional(),
  lot: text.optional(),
  serial: text.optional(),
  qty: z.int().min(1),
  uom: text.optional(),
  listUnitMinor: money.optional(),
  unitMinor: money.optional(),
  unitCostMinor: money.optional(),
  costVersion: text.optional(),
  discounts: z
    .array(
      z.strictObject({
        reason: text.optional(),
        promoId: text.optional(),
        decision: text.optional(),
        ruleId: text.optional(),
        amountMinor: money,
      }),
    )
    .optional(),
  discountMinor: money,
  netMinor: money,
  taxRateBp: z.int().optional(),
  taxMinor: money.optional(),
  decision: text.optional(),
  ruleId: text.optional(),
  returnReason: text.optional(),
  resalable: z.boolean().optional(),
  originalEventId: text.optional(),
  originalLineNo: z.int().optional(),
  void: z.literal(true).optional(),
});

const tender = z.strictObject({
  method: text,
  amountMinor: money,
  currency: text.optional(),
  exponent: z.int().optional(),
  state: z.enum(['approved', 'declined', 'unknown', 'reversed', 'refunded']),
  intentId: text.optional(),
  terminalId: text.optional(),
  receiptNo: z.int().optional(),
  trace: z.int().optional(),
  authCode: text.optional(),
  maskedPan: text.optional(),
  terminalTime: text.optional(),
});

const basket = {
  ...head,
  currency: text,
  lines: z.array(line).min(1),
  tenders: z.array(tender),
  totalMinor: money,
  discountMinor: money,
  taxMinor: money,
  changeMinor: money.optional(),
  roundingMinor: z.int().optional(),
  quoteId: text.optional(),
  intentId: text.optional(),
  originalEventId: text.optional(),
  correctsEventId: text.optional(),
  returnReason: text.optional(),
};

const stock = z.strictObject({
  ...head,
  kind: z.enum(['open', 'receive', 'count', 'transfer']),
  lines: z.array(
    z.strictObject({
      sku: text.optional(),
      gtin14: text.optional(),
      qty: z.int().min(0),
      unitCostMinor: money.optional(),
      costVersion: text.optional(),
      packagingVariantId: text.optional(),
      lot: text.optional(),
    }),
  ),
  reason: text.optional(),
});

function emission(type: string, data: ZodType): Emission {
  return { type, stream: 'sale', data: data as ZodType<JsonObject> };
}

/**
 * What the till's feed becomes. Quantities are positive, the type gives the direction; amounts are for the whole line
 * unless `Unit` stands in the name.
 */
export const tillEmissions: readonly Emission[] = [
  emission('barrow.sale.v1', z.strictObject(basket)),
  emission('barrow.return.v1', z.strictObject({ ...basket, linked: z.boolean() })),
  emission(
    'barrow.void.v1',
    z.strictObject({
      ...head,
      originalEventId: text,
      voids: z.enum(['sale', 'return']).optional(),
      reason: text.optional(),
      linked: z.boolean(),
    }),
  ),
  emission('barrow.stock.v1', stock),
];
