import type { Pricing } from '../../core/pricing.ts';
import { tillFailure } from '../../till/errors.ts';
import { toGtin14 } from '../../till/gtin.ts';
import { priceSchema, pricesSchema, quoteSchema } from '../answer-schemas.ts';
import { jsonAnswer } from '../answer.ts';
import type { ApiParts } from '../api-parts.ts';
import { apiFailure } from '../errors.ts';
import { readBodyAs } from '../read-request.ts';
import type { Route } from '../route.ts';
import { STATUS_EXAMPLE } from './status-example.ts';
import { overrideInput, quoteInput, quoteLines, toOverride } from '../schemas.ts';
import { paymentFailure } from '../../till/payment-errors.ts';

const PRICE = {
  sku: 'TEE-BLK-M',
  gtin: '05012345678900',
  priceMinor: 2499,
  listMinor: 3000,
  currency: 'GBP',
  discountBp: 1670,
  announce: true,
  priorPriceMinor: 3000,
  ruleId: 'slow-tees',
  boundBy: ['category'],
  decision: 'k3f9x2/price/17',
};
const QUOTE = {
  quoteId: '01933f5c-7a10-7c3e-9a51-0d5e4f1b2a78',
  currency: 'GBP',
  lines: [
    {
      sku: 'TEE-BLK-M',
      qty: 1,
      listMinor: 3000,
      unitMinor: 2499,
      lineMinor: 2499,
      discountMinor: 501,
      couponMinor: 0,
      announce: true,
      ruleId: 'slow-tees',
      decision: 'k3f9x2/price/17',
      boundBy: [],
    },
  ],
  totalMinor: 2499,
  discountMinor: 501,
  boundBy: [],
};

type Parts = Pick<ApiParts, 'pricing' | 'kit' | 'commit'>;

/** Prices on the shelf, quotes for the till and overrides by the merchant’s people. */
export function priceRoutes(parts: Parts): readonly Route[] {
  return [prices(parts), quotes(parts), overrides(parts)];
}

function required(pricing: Pricing | null): Pricing {
  if (pricing === null) throw apiFailure('pricing-off');
  return pricing;
}

function prices({ pricing, kit }: Parts): Route {
  return {
    method: 'GET',
    path: '/v1/prices',
    summary: 'Every price on the shelf with the rule and the caps behind it',
    answers: [
      {
        status: 200,
        description: 'The prices, none where the kit has no rules',
        schema: pricesSchema,
        example: { currency: 'GBP', prices: [PRICE], rules: STATUS_EXAMPLE.rules },
      },
    ],
    handle: () =>
      jsonAnswer(200, {
        currency: kit.currency,
        prices: pricing?.prices() ?? [],
        rules: pricing?.bundle() ?? null,
      }),
  };
}

function quotes({ pricing, kit }: Parts): Route {
  return {
    method: 'POST',
    path: '/v1/quotes',
    summary: 'What a basket costs now, caps applied on the whole of it',
    idempotency: 'api',
    body: { schema: quoteInput, example: { lines: [{ sku: 'TEE-BLK-M', qty: 1 }] } },
    answers: [{ status: 200, description: 'The quote', schema: quoteSchema, example: QUOTE }],
    handle: ({ body }) => {
      const input = readBodyAs(quoteInput, body);
      if ((input.currency ?? kit.currency) !== kit.currency) throw paymentFailure('currency-mismatch');
      for (const [index, line] of input.lines.entries()) {
        const gtin = line.gtin ?? line.gtin14;
        if (gtin !== undefined && toGtin14(gtin) === null)
          throw tillFailure('gtin-invalid', { detail: `lines.${index}` });
      }
      return jsonAnswer(200, required(pricing).quote(quoteLines(input)));
    },
  };
}

function overrides({ pricing, commit }: Parts): Route {
  return {
    method: 'POST',
    path: '/v1/overrides',
    summary: 'Pin, block or release a price on the spot; recorded with who and why',
    idempotency: 'api',
    body: {
      schema: overrideInput,
      example: {
        sku: 'TEE-BLK-M',
        pin: { priceMinor: 2499 },
        actor: 'm.lee',
        reason: 'press day',
        until: '2026-11-27T18:00:00Z',
      },
    },
    answers: [{ status: 200, description: 'The price as it now stands', schema: priceSchema, example: PRICE }],
    handle: ({ body }) => {
      const override = toOverride(readBodyAs(overrideInput, body));
      const rules = required(pricing);
      return jsonAnswer(
        200,
        commit((tx) => rules.override(tx, override)),
      );
    },
  };
}
