import { z } from 'zod';
import type { PaymentRequest } from '../core/till.ts';
import type { LocalOverride, QuoteRequestLine } from '../core/pricing.ts';
import { MAX_LINES, MAX_MONEY_MINOR, MAX_QTY } from '../till/till-schema.ts';

const money = z.int().min(0).max(MAX_MONEY_MINOR);
const name = z.string().min(1).max(128);
const currency = z.string().regex(/^[A-Z]{3}$/, 'three capital letters of ISO 4217');

export interface QuoteInput {
  readonly currency?: string | undefined;
  readonly lines: readonly {
    readonly sku?: string | undefined;
    readonly gtin?: string | undefined;
    readonly gtin14?: string | undefined;
    readonly qty: number;
    readonly couponMinor?: number | undefined;
  }[];
}

export const quoteInput: z.ZodType<QuoteInput> = z.strictObject({
  currency: currency.optional(),
  lines: z
    .array(
      z
        .strictObject({
          sku: name.optional(),
          gtin: z.string().min(8).max(14).optional(),
          gtin14: z.string().min(8).max(14).optional(),
          qty: z.int().min(1).max(MAX_QTY),
          couponMinor: money.optional(),
        })
        .refine((line) => line.sku !== undefined || line.gtin !== undefined || line.gtin14 !== undefined, {
          message: 'name the article by sku or gtin',
        }),
    )
    .min(1)
    .max(MAX_LINES),
});

export function quoteLines(input: QuoteInput): readonly QuoteRequestLine[] {
  return input.lines.map((line) => {
    const gtin = line.gtin ?? line.gtin14;
    return {
      qty: line.qty,
      ...(line.sku === undefined ? {} : { sku: line.sku }),
      ...(gtin === undefined ? {} : { gtin }),
      ...(line.couponMinor === undefined ? {} : { couponMinor: line.couponMinor }),
    };
  });
}

export interface PaymentInput {
  readonly amountMinor: number;
  readonly currency?: string | undefined;
  readonly kind?: PaymentRequest['kind'] | undefined;
  readonly receiptNo?: number | undefined;
  readonly quoteId?: string | undefined;
  readonly terminal?: string | undefined;
}

export const paymentInput: z.ZodType<PaymentInput> = z
  .strictObject({
    amountMinor: z.int().min(1).max(MAX_MONEY_MINOR),
    currency: currency.optional(),
    kind: z.enum(['sale', 'refund', 'reversal']).optional(),
    receiptNo: z.int().min(0).max(9_999).optional(),
    quoteId: name.optional(),
    terminal: name.optional(),
  })
  .refine((input) => input.kind !== 'reversal' || input.receiptNo !== undefined, {
    message: 'a reversal names the receipt that it takes back',
    path: ['receiptNo'],
  });

export interface ResolveInput {
  readonly outcome: 'approved' | 'declined' | 'reversed';
  readonly actor: string;
  readonly reason: string;
}

const said = z.string().trim().min(1).max(500);

export const resolveInput: z.ZodType<ResolveInput> = z.strictObject({
  outcome: z.enum(['approved', 'declined', 'reversed']),
  actor: said,
  reason: said,
});

export interface OverrideInput {
  readonly sku: string;
  readonly pin?: { readonly priceMinor: number } | undefined;
  readonly block?: true | undefined;
  readonly release?: true | undefined;
  readonly action?: LocalOverride['action'] | undefined;
  readonly actor: string;
  readonly reason: string;
  readonly until: string;
  readonly secondApprovedBy?: string | undefined;
}

const pin = z.strictObject({ priceMinor: money });

export const overrideInput: z.ZodType<OverrideInput> = z
  .strictObject({
    sku: name,
    pin: pin.optional(),
    block: z.literal(true).optional(),
    release: z.literal(true).optional(),
    action: z
      .union([
        z.strictObject({ pin }),
        z.strictObject({ block: z.literal(true) }),
        z.strictObject({ release: z.literal(true) }),
      ])
      .optional(),
    actor: said,
    reason: said,
    until: z.iso.datetime(),
    secondApprovedBy: said.optional(),
  })
  .refine(
    (input) => [input.pin, input.block, input.release, input.action].filter((one) => one !== undefined).length === 1,
    {
      message: 'exactly one of pin, block and release',
      path: ['pin'],
    },
  )
  .refine((input) => input.secondApprovedBy !== input.actor, {
    message: 'the second approval is another person’s',
    path: ['secondApprovedBy'],
  });

export function toOverride(input: OverrideInput): LocalOverride {
  const action =
    input.action ??
    (input.pin !== undefined
      ? { pin: input.pin }
      : input.block === true
        ? { block: true as const }
        : { release: true as const });
  return {
    sku: input.sku,
    action,
    actor: input.actor,
    reason: input.reason,
    until: input.until,
    ...(input.secondApprovedBy === undefined ? {} : { secondApprovedBy: input.secondApprovedBy }),
  };
}

export const noInput: z.ZodType<Record<string, never>> = z.strictObject({});
