import { z } from 'zod';

/** Largest amount of money in minor units; the same bound as for price rules, and no card number fits below it. */
export const MAX_MONEY_MINOR = 900_000_000_000;
export const MAX_LINES = 500;
export const MAX_TENDERS = 20;
export const MAX_DISCOUNTS = 20;
export const MAX_QTY = 1_000_000;

export type TenderState = 'approved' | 'declined' | 'unknown' | 'reversed' | 'refunded';

export interface DiscountInput {
  readonly reason?: string | undefined;
  readonly promoId?: string | undefined;
  /** Event id of the price decision behind it. */
  readonly decision?: string | undefined;
  readonly ruleId?: string | undefined;
  /** For the whole line. */
  readonly amountMinor: number;
}

export interface LineInput {
  readonly lineNo?: number | undefined;
  readonly sku?: string | undefined;
  readonly gtin?: string | undefined;
  readonly gtin14?: string | undefined;
  readonly description?: string | undefined;
  readonly packagingVariantId?: string | undefined;
  readonly batch?: string | undefined;
  readonly lot?: string | undefined;
  readonly serial?: string | undefined;
  readonly qty: number;
  readonly uom?: string | undefined;
  readonly listUnitMinor?: number | undefined;
  readonly unitMinor?: number | undefined;
  readonly unitCostMinor?: number | undefined;
  readonly costVersion?: string | undefined;
  readonly discounts?: readonly DiscountInput[] | undefined;
  readonly discountMinor?: number | undefined;
  readonly netMinor?: number | undefined;
  /** Basis points. */
  readonly taxRate?: number | undefined;
  readonly taxRateBp?: number | undefined;
  readonly taxMinor?: number | undefined;
  /** Event id of the price decision that the customer paid. */
  readonly decision?: string | undefined;
  readonly ruleId?: string | undefined;
  readonly returnReason?: string | undefined;
  /** The same as `returnReason`. */
  readonly reason?: string | undefined;
  readonly resalable?: boolean | undefined;
  readonly originalEventId?: string | undefined;
  readonly originalLineNo?: number | undefined;
  /** Struck off before the basket was paid: kept for the record, in no sum. */
  readonly void?: boolean | undefined;
}

export interface TenderInput {
  readonly method: string;
  readonly amountMinor?: number | undefined;
  readonly currency?: string | undefined;
  readonly exponent?: number | undefined;
  readonly state?: TenderState | undefined;
  readonly intentId?: string | undefined;
  readonly terminalId?: string | undefined;
  readonly receiptNo?: number | undefined;
  readonly trace?: number | undefined;
  readonly authCode?: string | undefined;
  readonly pan6x4?: string | undefined;
  readonly maskedPan?: string | undefined;
  readonly terminalTime?: string | undefined;
}

export interface CustomerRef {
  readonly keyId: string;
  readonly pseudonym: string;
}

/** What every message of a till may carry in its head. */
export interface HeadInput {
  readonly eventId?: string | undefined;
  readonly type?: string | undefined;
  readonly schemaVersion?: number | undefined;
  readonly kitId?: string | undefined;
  readonly bootId?: string | undefined;
  readonly seq?: number | undefined;
  readonly businessDay?: string | undefined;
  readonly occurredAt?: string | undefined;
  readonly recordedAt?: string | undefined;
  readonly tzOffsetMin?: number | undefined;
  readonly monotonicMs?: number | undefined;
  readonly clockQuality?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly tillId?: string | undefined;
  readonly operatorRef?: string | undefined;
  readonly offline?: boolean | undefined;
  readonly customerRef?: CustomerRef | 'none' | null | undefined;
  readonly note?: string | undefined;
}

/** A sale or a return. A minimal one is `{"lines":[{"sku":"TEE-BLK-M","qty":1,"unitMinor":2500}]}`. */
export interface BasketInput extends HeadInput {
  readonly currency?: string | undefined;
  readonly lines: readonly LineInput[];
  readonly tenders?: readonly TenderInput[] | undefined;
  readonly tender?: string | TenderInput | readonly TenderInput[] | undefined;
  readonly totalMinor?: number | undefined;
  readonly taxMinor?: number | undefined;
  readonly discountMinor?: number | undefined;
  readonly changeMinor?: number | undefined;
  /** Cash rounding of the total: what was asked less what the lines say. */
  readonly roundingMinor?: number | undefined;
  readonly quoteId?: string | undefined;
  readonly intentId?: string | undefined;
  readonly originalEventId?: string | undefined;
  readonly correctsEventId?: string | undefined;
  readonly returnReason?: string | undefined;
  /** The same as `returnReason`. */
  readonly reason?: string | undefined;
}

export interface VoidInput extends HeadInput {
  readonly originalEventId?: string | undefined;
  readonly correctsEventId?: string | undefined;
  readonly reason?: string | undefined;
}

export type StockKind = 'open' | 'receive' | 'count' | 'transfer';

export interface StockLineInput {
  readonly sku?: string | undefined;
  readonly gtin?: string | undefined;
  readonly gtin14?: string | undefined;
  readonly qty: number;
  readonly unitCostMinor?: number | undefined;
  readonly costVersion?: string | undefined;
  readonly packagingVariantId?: string | undefined;
  readonly lot?: string | undefined;
}

export interface StockInput extends HeadInput {
  readonly kind?: StockKind | undefined;
  readonly lines: readonly StockLineInput[];
  readonly reason?: string | undefined;
}

const money = z.int().min(0).max(MAX_MONEY_MINOR);
const label = z.string().min(1).max(128);
const text = z.string().max(500);
const currency = z.string().regex(/^[A-Z]{3}$/);
const eventReference = z.string().min(1).max(200);
const gtin = z.string().regex(/^(\d{8}|\d{12,14})$/);
// A counter of a till; below the smallest card number so that none hides in it.
const counter = z.int().min(0).max(99_999_999_999);
const maskedPan = z.string().regex(/^\d{6}[*xX.•]{2,9}\d{4}$/);

const discount = z.strictObject({
  reason: text.optional(),
  promoId: label.optional(),
  decision: eventReference.optional(),
  ruleId: label.optional(),
  amountMinor: money,
});

const line = z.strictObject({
  lineNo: z.int().min(1).max(9999).optional(),
  sku: label.optional(),
  gtin: gtin.optional(),
  gtin14: gtin.optional(),
  description: text.optional(),
  packagingVariantId: label.optional(),
  batch: label.optional(),
  lot: label.optional(),
  serial: label.optional(),
  qty: z.int().min(1).max(MAX_QTY),
  uom: z.string().min(1).max(16).optional(),
  listUnitMinor: money.optional(),
  unitMinor: money.optional(),
  unitCostMinor: money.optional(),
  costVersion: label.optional(),
  discounts: z.array(discount).max(MAX_DISCOUNTS).optional(),
  discountMinor: money.optional(),
  netMinor: money.optional(),
  taxRate: z.int().min(0).max(10_000).optional(),
  taxRateBp: z.int().min(0).max(10_000).optional(),
  taxMinor: money.optional(),
  decision: eventReference.optional(),
  ruleId: label.optional(),
  returnReason: text.optional(),
  reason: text.optional(),
  resalable: z.boolean().optional(),
  originalEventId: eventReference.optional(),
  originalLineNo: z.int().min(1).max(9999).optional(),
  void: z.boolean().optional(),
});

/** A number of the terminal; its slips print leading zeros, and tills copy what they read. */
const slipNumber = z.union([
  z.int().min(0).max(99_999_999),
  z
    .string()
    .regex(/^\d{1,8}$/, 'at most eight digits')
    .transform(Number),
]);

const tender = z.strictObject({
  method: z.string().min(1).max(32),
  amountMinor: money.optional(),
  currency: currency.optional(),
  exponent: z.int().min(0).max(4).optional(),
  state: z.enum(['approved', 'declined', 'unknown', 'reversed', 'refunded']).optional(),
  intentId: label.optional(),
  terminalId: label.optional(),
  receiptNo: slipNumber.optional(),
  trace: slipNumber.optional(),
  authCode: z.string().max(16).optional(),
  pan6x4: maskedPan.optional(),
  maskedPan: maskedPan.optional(),
  terminalTime: z.string().max(40).optional(),
});

const head = {
  eventId: z.string().min(8).max(64).optional(),
  type: z.string().min(1).max(40).optional(),
  schemaVersion: z.int().min(1).max(1).optional(),
  kitId: label.optional(),
  bootId: label.optional(),
  seq: counter.optional(),
  businessDay: z.iso.date().optional(),
  occurredAt: z.iso.datetime({ offset: true }).optional(),
  recordedAt: z.iso.datetime({ offset: true }).optional(),
  tzOffsetMin: z.int().min(-900).max(900).optional(),
  monotonicMs: counter.optional(),
  clockQuality: z.string().max(32).optional(),
  sessionId: label.optional(),
  tillId: label.optional(),
  operatorRef: label.optional(),
  offline: z.boolean().optional(),
  customerRef: z
    .union([z.strictObject({ keyId: label, pseudonym: z.string().min(8).max(128) }), z.literal('none'), z.null()])
    .optional(),
  note: text.optional(),
};

export const basketInput: z.ZodType<BasketInput> = z.strictObject({
  ...head,
  currency: currency.optional(),
  lines: z.array(line).min(1).max(MAX_LINES),
  tenders: z.array(tender).max(MAX_TENDERS).optional(),
  tender: z.union([z.string().min(1).max(32), tender, z.array(tender).max(MAX_TENDERS)]).optional(),
  totalMinor: money.optional(),
  taxMinor: money.optional(),
  discountMinor: money.optional(),
  changeMinor: money.optional(),
  roundingMinor: z.int().min(-99).max(99).optional(),
  quoteId: label.optional(),
  intentId: label.optional(),
  originalEventId: eventReference.optional(),
  correctsEventId: eventReference.optional(),
  returnReason: text.optional(),
  reason: text.optional(),
});

export const voidInput: z.ZodType<VoidInput> = z
  .strictObject({
    ...head,
    originalEventId: eventReference.optional(),
    correctsEventId: eventReference.optional(),
    reason: text.optional(),
  })
  .refine((input) => input.originalEventId !== undefined || input.correctsEventId !== undefined, {
    message: 'name what is voided',
    path: ['originalEventId'],
  });

export const stockInput: z.ZodType<StockInput> = z
  .strictObject({
    ...head,
    kind: z.enum(['open', 'receive', 'count', 'transfer']).optional(),
    lines: z
      .array(
        z.strictObject({
          sku: label.optional(),
          gtin: gtin.optional(),
          gtin14: gtin.optional(),
          qty: z.int().min(0).max(MAX_QTY),
          unitCostMinor: money.optional(),
          costVersion: label.optional(),
          packagingVariantId: label.optional(),
          lot: label.optional(),
        }),
      )
      .min(1)
      .max(MAX_LINES),
    reason: text.optional(),
  })
  .refine((input) => input.kind !== undefined || /^stock(Open|Receive|Count|Transfer)$/.test(input.type ?? ''), {
    message: 'one of open, receive, count, transfer',
    path: ['kind'],
  });
