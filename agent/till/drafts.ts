import type { JsonObject } from '../../drivers/api/reading.ts';
import { catalogueOf } from './catalogue.ts';
import { tillFailure } from './errors.ts';
import type { Original, Originals } from './originals.ts';
import { giveBack, linkReturn } from './returns.ts';
import { book, lineGtin14, present, type Booking } from './sums.ts';
import type { TillAnswer, TillParts } from './till-parts.ts';
import type { BasketInput, HeadInput, StockInput, StockKind, VoidInput } from './till-schema.ts';

/** One message of a till, checked, and what it does to the ledger. */
export interface Draft {
  readonly type: string;
  readonly head: HeadInput;
  /** Works the request out inside the transaction. */
  prepare(memory: Originals): {
    readonly data: JsonObject;
    readonly answer: Partial<TillAnswer>;
    /** References that must not lie in this ledger. */
    readonly elsewhere: readonly string[];
    /** After the event has its identity. */
    settle(memory: Originals, id: string): void;
  };
}

function basketData(input: BasketInput, booking: Booking, currency: string): JsonObject {
  return present({
    currency,
    lines: booking.lines.map((line) => line.data),
    tenders: booking.tenders,
    totalMinor: booking.totalMinor,
    discountMinor: booking.discountMinor,
    taxMinor: booking.taxMinor,
    changeMinor: input.changeMinor,
    roundingMinor: input.roundingMinor,
    quoteId: input.quoteId,
    intentId: input.intentId,
    originalEventId: input.originalEventId,
    correctsEventId: input.correctsEventId,
    returnReason: input.returnReason ?? input.reason,
  });
}

function remembered(kind: Original['kind'], booking: Booking, gaveBack: Original['gaveBack']): Original {
  return {
    kind,
    voided: false,
    lines: booking.lines
      .filter((line) => !line.void)
      .map((line) => [line.lineNo, line.qty, 0, line.netMinor, line.sku ?? line.gtin14 ?? '']),
    gaveBack,
  };
}

export function saleDraft(parts: TillParts, input: BasketInput): Draft {
  return {
    type: 'barrow.sale.v1',
    head: input,
    prepare: () => {
      const booking = book(input, parts.kit.currency, catalogueOf(parts.pricing));
      return {
        data: basketData(input, booking, parts.kit.currency),
        answer: moneyOf(parts, booking),
        elsewhere: [],
        settle: (memory, id) => memory.remember(id, input.eventId ?? null, remembered('sale', booking, [])),
      };
    },
  };
}

export function returnDraft(parts: TillParts, given: BasketInput): Draft {
  return {
    type: 'barrow.return.v1',
    head: given,
    prepare: (memory) => {
      const catalogue = catalogueOf(parts.pricing);
      const { input, unknown } = linkReturn(given, memory, catalogue);
      const booking = book(input, parts.kit.currency, catalogue);
      const live = booking.lines.filter((line) => !line.void);
      const gaveBack = live.flatMap(({ originalEventId, originalLineNo, qty }): Original['gaveBack'] =>
        originalEventId === null || originalLineNo === null || memory.find(originalEventId) === undefined
          ? []
          : [[originalEventId, originalLineNo, qty]],
      );
      const linked = live.length > 0 && gaveBack.length === live.length;
      giveBack(memory, gaveBack, 1);
      return {
        data: { ...basketData(input, booking, parts.kit.currency), linked },
        answer: { ...moneyOf(parts, booking), linked },
        elsewhere: unknown,
        settle: (after, id) => after.remember(id, given.eventId ?? null, remembered('return', booking, gaveBack)),
      };
    },
  };
}

export function voidDraft(input: VoidInput): Draft {
  return {
    type: 'barrow.void.v1',
    head: input,
    prepare: (memory) => {
      const reference = input.correctsEventId ?? input.originalEventId ?? '';
      const hit = memory.find(reference);
      if (hit?.original.voided === true) throw tillFailure('original-voided', { detail: reference });
      if (hit !== undefined && hit.original.lines.some(([, , returned]) => returned > 0))
        throw tillFailure('original-returned', { detail: reference });
      const linked = hit !== undefined;
      return {
        data: present({
          originalEventId: hit?.eventId ?? reference,
          voids: hit?.original.kind,
          reason: input.reason,
          linked,
        }),
        answer: { linked },
        elsewhere: linked ? [] : [reference],
        settle: (after) => {
          if (hit === undefined) return;
          giveBack(after, hit.original.gaveBack, -1);
          after.update(hit.eventId, { ...hit.original, voided: true });
        },
      };
    },
  };
}

export function stockDraft(parts: TillParts, input: StockInput): Draft {
  const kind = input.kind ?? ((input.type ?? '').slice('stock'.length).toLowerCase() as StockKind);
  return {
    type: 'barrow.stock.v1',
    head: input,
    prepare: () => {
      const catalogue = catalogueOf(parts.pricing);
      const lines = input.lines.map((line, index) => {
        const gtin14 = lineGtin14(line, `lines.${index}`);
        const sku = line.sku ?? (gtin14 === null ? undefined : catalogue.byGtin14(gtin14)?.sku);
        if (sku === undefined && gtin14 === null)
          throw tillFailure('body-invalid', { detail: `lines.${index} names neither sku nor gtin` });
        const { gtin: _given, ...rest } = line;
        return present({ ...rest, sku, gtin14 });
      });
      return {
        data: present({ kind, lines, reason: input.reason }),
        answer: {},
        elsewhere: [],
        settle: () => undefined,
      };
    },
  };
}

function moneyOf(parts: TillParts, booking: Booking): Partial<TillAnswer> {
  return {
    currency: parts.kit.currency,
    totalMinor: booking.totalMinor,
    discountMinor: booking.discountMinor,
  };
}
