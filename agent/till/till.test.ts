import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scriptedKit, type ScriptedKit } from '../../scripts/lib/scripted-kit.ts';
import { originals } from './originals.ts';
import { tillEmissions } from './till-events.ts';
import { addToKpi, newKpiSums } from './kpi.ts';
import { kpiReport } from './kpi-report.ts';
import { eventId, type StoredEvent } from '../core/event.ts';

const TEE = { sku: 'TEE-X', qty: 1, unitMinor: 2500 };

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'no error';
}

function sales(kit: ScriptedKit): readonly StoredEvent[] {
  const events = kit.ledger.range('sale', 1, 10_000, 10_000);
  const schemas = new Map(tillEmissions.map((emission) => [emission.type, emission.data]));
  for (const event of events) schemas.get(event.type)!.parse(event.data);
  return events;
}

describe('a sale', () => {
  test('needs no more than a line with its price', () => {
    const kit = scriptedKit();
    const { answer } = kit.till.sale({ lines: [TEE] }, null);
    expect(answer).toMatchObject({ stream: 'sale', sequence: '1', type: 'barrow.sale.v1', totalMinor: 2500 });
    expect(answer.eventId).toBe(`${answer.epoch}/sale/1`);
    expect(sales(kit)[0]!.data).toMatchObject({
      currency: 'GBP',
      businessDay: '2026-11-27',
      offline: false,
      totalMinor: 2500,
      lines: [{ lineNo: 1, sku: 'TEE-X', qty: 1, unitMinor: 2500, netMinor: 2500 }],
      tenders: [],
    });
  });

  test('keeps every field of the till', () => {
    const kit = scriptedKit();
    const line = {
      lineNo: 7,
      gtin14: '05012345678900',
      sku: 'TEE-X',
      description: 'Tee, black',
      packagingVariantId: 'tube',
      lot: 'L1',
      serial: 'S1',
      qty: 2,
      uom: 'EA',
      listUnitMinor: 3000,
      unitMinor: 2500,
      unitCostMinor: 900,
      costVersion: 'c3',
      discounts: [{ reason: 'markdown', promoId: 'p1', decision: 'k/price/1', ruleId: 'r1', amountMinor: 1000 }],
      discountMinor: 1000,
      netMinor: 5000,
      taxRateBp: 2000,
      taxMinor: 833,
      decision: 'k/price/1',
      ruleId: 'r1',
    };
    kit.till.sale(
      {
        eventId: '01933f5c-7a10-7c3e-9a51-0d5e4f1b2a77',
        type: 'sale',
        schemaVersion: 1,
        kitId: 'popup-014',
        bootId: 'b',
        seq: 12,
        businessDay: '2026-11-26',
        occurredAt: '2026-11-26T23:59:59+00:00',
        tzOffsetMin: 0,
        monotonicMs: 5,
        clockQuality: 'synced',
        sessionId: 's',
        tillId: 't1',
        operatorRef: 'o1',
        offline: true,
        customerRef: { keyId: 'k1', pseudonym: 'abcdefgh' },
        currency: 'GBP',
        lines: [line],
        tenders: [
          {
            method: 'card',
            amountMinor: 3000,
            state: 'approved',
            intentId: 'i1',
            pan6x4: '476173******0119',
            receiptNo: '0231',
            trace: 482,
            terminalId: '52500041',
            authCode: 'A1',
          },
          { method: 'cash', amountMinor: 2500 },
        ],
        totalMinor: 5000,
        changeMinor: 500,
        taxMinor: 833,
        quoteId: 'q1',
      },
      'k',
    );
    const { data } = sales(kit)[0]!;
    expect(data).toMatchObject({
      eventId: '01933f5c-7a10-7c3e-9a51-0d5e4f1b2a77',
      businessDay: '2026-11-26',
      offline: true,
      tillSeq: 12,
      customerRef: { keyId: 'k1', pseudonym: 'abcdefgh' },
    });
    expect((data['lines'] as unknown[])[0]).toEqual(line);
    expect(data['tenders']).toMatchObject([
      { maskedPan: '476173******0119', receiptNo: 231 },
      { method: 'cash', state: 'approved' },
    ]);
  });

  test('takes price, list price, GTIN and decision from the rules where the till leaves them out', () => {
    const kit = scriptedKit();
    kit.till.sale({ lines: [{ gtin: '5012345678900', qty: 2 }] }, null);
    expect((sales(kit)[0]!.data['lines'] as unknown[])[0]).toMatchObject({
      sku: 'TEE-BLK-M',
      gtin14: '05012345678900',
      listUnitMinor: 3000,
      unitMinor: 2499,
      netMinor: 4998,
      discountMinor: 1002,
      decision: 'k3f9x2/price/17',
      ruleId: 'slow-movers',
    });
  });

  test.each<[string, unknown, string]>([
    ['no lines', { lines: [] }, 'body-invalid'],
    ['an unknown key', { lines: [TEE], totl: 1 }, 'body-invalid'],
    ['an unknown key in a line', { lines: [{ ...TEE, cost: 1 }] }, 'body-invalid'],
    ['negative money', { lines: [{ ...TEE, unitMinor: -1 }] }, 'body-invalid'],
    ['a fraction of a penny', { lines: [{ ...TEE, unitMinor: 1.5 }] }, 'body-invalid'],
    ['no quantity', { lines: [{ ...TEE, qty: 0 }] }, 'body-invalid'],
    ['a negative quantity', { lines: [{ ...TEE, qty: -1 }] }, 'body-invalid'],
    ['neither sku nor gtin', { lines: [{ qty: 1, unitMinor: 5 }] }, 'body-invalid'],
    ['another type', { type: 'return', lines: [TEE] }, 'body-invalid'],
    [
      'the same line number twice',
      {
        lines: [
          { ...TEE, lineNo: 1 },
          { ...TEE, lineNo: 1 },
        ],
      },
      'body-invalid',
    ],
    ['a wrong check digit', { lines: [{ ...TEE, gtin: '5012345678901' }] }, 'gtin-invalid'],
    ['two GTINs', { lines: [{ ...TEE, gtin: '5012345678900', gtin14: '05012345678917' }] }, 'gtin-invalid'],
    ['another currency', { currency: 'EUR', lines: [TEE] }, 'currency-mismatch'],
    [
      'a tender in another currency',
      { lines: [TEE], tender: { method: 'cash', currency: 'EUR' } },
      'currency-mismatch',
    ],
    ['another kit', { kitId: 'popup-015', lines: [TEE] }, 'kit-mismatch'],
    ['a wrong total', { lines: [TEE], totalMinor: 2499 }, 'sums-differ'],
    ['a wrong net', { lines: [{ ...TEE, netMinor: 2499 }] }, 'sums-differ'],
    ['more off than it costs', { lines: [{ ...TEE, discounts: [{ amountMinor: 2501 }] }] }, 'sums-differ'],
    ['tenders that pay less', { lines: [TEE], tenders: [{ method: 'cash', amountMinor: 2400 }] }, 'sums-differ'],
    [
      'discounts that differ from their sum',
      { lines: [{ ...TEE, discountMinor: 5, discounts: [{ amountMinor: 4 }] }] },
      'sums-differ',
    ],
    ['no price and no rules for it', { lines: [{ sku: 'NOPE', qty: 1 }] }, 'price-missing'],
    ['a card number in a note', { note: '4111 1111 1111 1111', lines: [TEE] }, 'card-data'],
    [
      'a card number for a masked one',
      { lines: [TEE], tender: { method: 'card', pan6x4: '4111111111111111' } },
      'card-data',
    ],
    ['a card number as a counter', { seq: 4111111111111111, lines: [TEE] }, 'card-data'],
  ])('is refused with %s', (_what, body, code) => {
    const kit = scriptedKit();
    expect(codeOf(() => kit.till.sale(body, null))).toBe(code);
    expect(sales(kit)).toEqual([]);
  });

  test('may be paid with a declined try beside the tender that paid', () => {
    const kit = scriptedKit();
    kit.till.sale(
      {
        lines: [TEE],
        tenders: [
          { method: 'card', amountMinor: 2500, state: 'declined' },
          { method: 'cash', amountMinor: 2500 },
        ],
      },
      null,
    );
    expect(sales(kit)).toHaveLength(1);
  });

  test('says no trading day while the clock is unset', () => {
    const kit = scriptedKit();
    kit.clock.known = 'unset';
    kit.till.sale({ lines: [TEE] }, null);
    expect(sales(kit)[0]!.data['businessDay']).toBeUndefined();
  });
});

describe('a repeated request', () => {
  test('gets the first answer again, also after a restart, and nothing is booked twice', () => {
    const kit = scriptedKit();
    const first = kit.till.sale({ lines: [TEE] }, 'key-1');
    expect(kit.till.sale({ lines: [{ unitMinor: 2500, qty: 1, sku: 'TEE-X' }] }, 'key-1')).toEqual({
      answer: first.answer,
      replayed: true,
    });
    kit.restart();
    expect(kit.till.sale({ lines: [TEE] }, 'key-1')).toEqual({ answer: first.answer, replayed: true });
    expect(sales(kit)).toHaveLength(1);
  });

  test('with another body is refused', () => {
    const kit = scriptedKit();
    kit.till.sale({ lines: [TEE] }, 'key-1');
    expect(codeOf(() => kit.till.sale({ lines: [{ ...TEE, qty: 2 }] }, 'key-1'))).toBe('idempotency-mismatch');
    expect(sales(kit)).toHaveLength(1);
  });

  test('is known by the till’s own event id too', () => {
    const kit = scriptedKit();
    const body = { eventId: '01933f5c-7a10-7c3e-9a51-0d5e4f1b2a77', lines: [TEE] };
    const first = kit.till.sale(body, null);
    expect(kit.till.sale(body, 'another-key')).toEqual({ answer: first.answer, replayed: true });
    expect(codeOf(() => kit.till.sale({ ...body, note: 'x' }, null))).toBe('idempotency-mismatch');
  });

  test('under one key a sale and a return are two things', () => {
    const kit = scriptedKit();
    kit.till.sale({ lines: [TEE] }, 'checkout-1');
    expect(kit.till.refund({ lines: [TEE] }, 'checkout-1').replayed).toBe(false);
  });

  test('after a refused one is a new one', () => {
    const kit = scriptedKit();
    expect(codeOf(() => kit.till.sale({ lines: [TEE], totalMinor: 1 }, 'key-1'))).toBe('sums-differ');
    expect(kit.till.sale({ lines: [TEE] }, 'key-1').replayed).toBe(false);
  });
});

describe('a return', () => {
  const basket = {
    lines: [
      { sku: 'TEE-X', qty: 3, netMinor: 1000 },
      { sku: 'CAP-X', qty: 1, unitMinor: 500 },
    ],
  };

  test('goes back to its sale and is worth its share of it', () => {
    const kit = scriptedKit();
    const sale = kit.till.sale(basket, null).answer;
    const answer = kit.till.refund(
      {
        originalEventId: sale.eventId,
        lines: [{ sku: 'TEE-X', qty: 2, originalLineNo: 1, returnReason: 'size', resalable: true }],
      },
      null,
    ).answer;
    expect(answer).toMatchObject({ linked: true, totalMinor: 666 });
  });

  test('never takes back more than was sold, in one go or in several', () => {
    const kit = scriptedKit();
    const { eventId: originalEventId } = kit.till.sale(basket, null).answer;
    const back = (qty: number, originalLineNo = 1): string =>
      codeOf(() => kit.till.refund({ originalEventId, lines: [{ sku: 'TEE-X', qty, originalLineNo }] }, null));
    expect(back(4)).toBe('return-exceeds-sale');
    expect(back(2)).toBe('no error');
    expect(back(2)).toBe('return-exceeds-sale');
    expect(back(1)).toBe('no error');
    expect(back(1)).toBe('return-exceeds-sale');
    expect(back(1, 3)).toBe('return-exceeds-sale');
    expect(sales(kit)).toHaveLength(3);
  });

  test('finds its line by the article, and by the line number alone', () => {
    const kit = scriptedKit();
    const { eventId: originalEventId } = kit.till.sale(basket, null).answer;
    expect(kit.till.refund({ originalEventId, lines: [{ sku: 'CAP-X', qty: 1 }] }, null).answer.totalMinor).toBe(500);
    expect(kit.till.refund({ originalEventId, lines: [{ originalLineNo: 1, qty: 3 }] }, null).answer.totalMinor).toBe(
      1000,
    );
    const wrong = { originalEventId, lines: [{ sku: 'TEE-X', qty: 1, originalLineNo: 2 }] };
    expect(codeOf(() => kit.till.refund(wrong, null))).toBe('return-exceeds-sale');
    const never = { originalEventId, lines: [{ sku: 'HAT-X', qty: 1 }] };
    expect(codeOf(() => kit.till.refund(never, null))).toBe('return-exceeds-sale');
  });

  test('that would have to be of this ledger and is not is refused; one from elsewhere is taken unlinked', () => {
    const kit = scriptedKit();
    const { epoch } = kit.till.sale(basket, null).answer;
    const back = (originalEventId: string) => kit.till.refund({ originalEventId, lines: [TEE] }, null);
    expect(codeOf(() => back(`${epoch}/sale/999`))).toBe('original-unknown');
    expect(sales(kit)).toHaveLength(1);
    expect(back('otherepoch/sale/9').answer.linked).toBe(false);
    expect(back('paper receipt 17').answer.linked).toBe(false);
    expect(kit.till.refund({ lines: [TEE] }, null).answer.linked).toBe(false);
  });

  test('is known by the till’s own event id of the sale', () => {
    const kit = scriptedKit();
    kit.till.sale({ ...basket, eventId: '01933f5c-7a10-7c3e' }, null);
    expect(
      kit.till.refund({ originalEventId: '01933f5c-7a10-7c3e', lines: [{ sku: 'TEE-X', qty: 1 }] }, null).answer.linked,
    ).toBe(true);
  });
});

describe('a void', () => {
  test('undoes a sale once', () => {
    const kit = scriptedKit();
    const { eventId: originalEventId } = kit.till.sale({ lines: [TEE] }, null).answer;
    expect(kit.till.void({ originalEventId, reason: 'wrong article' }, null).answer.linked).toBe(true);
    expect(codeOf(() => kit.till.void({ originalEventId }, null))).toBe('original-voided');
    expect(codeOf(() => kit.till.refund({ originalEventId, lines: [TEE] }, null))).toBe('original-voided');
  });

  test('of a sale whose goods came back waits for the return’s void, which gives the quantity free again', () => {
    const kit = scriptedKit();
    const sale = kit.till.sale({ lines: [TEE] }, null).answer;
    const back = kit.till.refund({ originalEventId: sale.eventId, lines: [TEE] }, null).answer;
    expect(codeOf(() => kit.till.void({ originalEventId: sale.eventId }, null))).toBe('original-returned');
    kit.till.void({ correctsEventId: back.eventId }, null);
    expect(kit.till.void({ originalEventId: sale.eventId }, null).answer.linked).toBe(true);
  });

  test('names what it voids', () => {
    const kit = scriptedKit();
    expect(codeOf(() => kit.till.void({ reason: 'x' }, null))).toBe('body-invalid');
    const { epoch } = kit.till.sale({ lines: [TEE] }, null).answer;
    expect(codeOf(() => kit.till.void({ originalEventId: `${epoch}/sale/2` }, null))).toBe('original-unknown');
    expect(kit.till.void({ originalEventId: 'elsewhere/sale/2' }, null).answer.linked).toBe(false);
  });
});

describe('stock', () => {
  test.each([
    [{ kind: 'open' }, 'open'],
    [{ type: 'stockReceive' }, 'receive'],
    [{ kind: 'count' }, 'count'],
  ])('%j is recorded', (head, kind) => {
    const kit = scriptedKit();
    kit.till.stock({ ...head, lines: [{ gtin: '5012345678900', qty: 40, unitCostMinor: 900 }] }, null);
    expect(sales(kit)[0]!.data).toMatchObject({
      kind,
      lines: [{ sku: 'TEE-BLK-M', gtin14: '05012345678900', qty: 40 }],
    });
  });

  test('without a kind is refused', () => {
    expect(codeOf(() => scriptedKit().till.stock({ lines: [{ sku: 'A', qty: 1 }] }, null))).toBe('body-invalid');
  });
});

describe('whatever a till sends', () => {
  const line = fc.record(
    {
      sku: fc.constantFrom('A', 'B', 'TEE-BLK-M'),
      qty: fc.integer({ min: 1, max: 20 }),
      unitMinor: fc.integer({ min: 0, max: 5_000 }),
      listUnitMinor: fc.integer({ min: 0, max: 5_000 }),
      discounts: fc.array(fc.record({ amountMinor: fc.integer({ min: 0, max: 500 }) }), { maxLength: 3 }),
      void: fc.boolean(),
    },
    { requiredKeys: ['sku', 'qty'] },
  );

  test('what is booked adds up, is never negative and fits its schema', () => {
    const kit = scriptedKit();
    let booked = 0;
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), (lines) => {
        const code = codeOf(() => kit.till.sale({ lines }, null));
        expect(['no error', 'sums-differ', 'price-missing']).toContain(code);
        if (code === 'no error') booked += 1;
      }),
      { numRuns: 300 },
    );
    expect(booked).toBeGreaterThan(30);
    const events = sales(kit);
    expect(events).toHaveLength(booked);
    for (const { data } of events) {
      const live = (data['lines'] as { netMinor: number; discountMinor: number; void?: boolean }[]).filter(
        (one) => one.void !== true,
      );
      expect(data['totalMinor']).toBe(live.reduce((sum, one) => sum + one.netMinor, 0));
      expect(data['discountMinor']).toBe(live.reduce((sum, one) => sum + one.discountMinor, 0));
    }
  });

  test('any JSON is answered with a code, never with a crash', () => {
    const kit = scriptedKit();
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        for (const route of ['sale', 'refund', 'void', 'stock'] as const)
          expect(codeOf(() => kit.till[route](body, null))).toMatch(/^[a-z-]+$/);
      }),
    );
    expect(sales(kit)).toEqual([]);
  });

  test('sales, returns and voids in any order leave no line returned beyond what was sold, and the figures agree', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('sale' as const), qty: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant('return' as const), of: fc.nat(9), qty: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant('void' as const), of: fc.nat(9) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const kit = scriptedKit();
        // The model: what each accepted event left standing.
        const done: { id: string; kind: 'sale' | 'return'; qty: number; of?: number; voided: boolean }[] = [];
        for (const one of steps) {
          if (one.kind === 'sale') {
            const { eventId: id } = kit.till.sale({ lines: [{ sku: 'A', qty: one.qty, unitMinor: 100 }] }, null).answer;
            done.push({ id, kind: 'sale', qty: one.qty, voided: false });
            continue;
          }
          const target = done[one.of];
          if (target === undefined) continue;
          const back = done
            .filter((other) => other.of === one.of && !other.voided)
            .reduce((sum, other) => sum + other.qty, 0);
          if (one.kind === 'return') {
            const allowed = target.kind === 'sale' && !target.voided && back + one.qty <= target.qty;
            const body = { originalEventId: target.id, lines: [{ sku: 'A', qty: one.qty }] };
            const code = codeOf(() =>
              done.push({
                id: kit.till.refund(body, null).answer.eventId,
                kind: 'return',
                qty: one.qty,
                of: one.of,
                voided: false,
              }),
            );
            expect(code === 'no error').toBe(allowed);
          } else {
            const allowed = !target.voided && (target.kind === 'return' || back === 0);
            expect(codeOf(() => kit.till.void({ originalEventId: target.id }, null)) === 'no error').toBe(allowed);
            if (allowed) target.voided = true;
          }
        }
        const sums = newKpiSums();
        for (const event of kit.ledger.range('sale', 1, 1_000, 1_000))
          addToKpi(sums, { id: eventId(event), type: event.type, data: event.data });
        const figures = kpiReport(sums, true).skus.find((sku) => sku.sku === 'A');
        const standing = (kind: string): number =>
          done.filter((one) => one.kind === kind && !one.voided).reduce((sum, one) => sum + one.qty, 0);
        expect(figures?.soldQty ?? 0).toBe(standing('sale'));
        expect(figures?.returnedQty ?? 0).toBe(standing('return'));
        expect(figures?.netMinor ?? 0).toBe(100 * (standing('sale') - standing('return')));
      }),
      { numRuns: 60 },
    );
  });
});

test('the memory of originals forgets the oldest at its bound and then says that it is not complete', () => {
  const kit = scriptedKit();
  kit.parts.commit((tx) => {
    const memory = originals(tx, 3);
    for (let n = 1; n <= 3; n += 1)
      memory.remember(`e/sale/${n}`, `till-${n}`, { kind: 'sale', voided: false, lines: [], gaveBack: [] });
    expect(memory.complete()).toBe(true);
    memory.remember('e/sale/4', null, { kind: 'sale', voided: false, lines: [], gaveBack: [] });
    expect(memory.complete()).toBe(false);
    expect(memory.find('e/sale/1')).toBeUndefined();
    expect(memory.find('till-1')).toBeUndefined();
    expect(memory.find('till-2')?.eventId).toBe('e/sale/2');
    expect(memory.find('e/sale/4')).toBeDefined();
  });
});
