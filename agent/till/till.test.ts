import { describe, expect, test } from 'vitest';
import { scriptedKit } from '../../scripts/lib/scripted-kit.ts';
import { codeOf, sales, TEE } from '../../scripts/lib/booked.ts';

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
    kit.clock.trusted = 'unset';
    kit.till.sale({ lines: [TEE] }, null);
    expect(sales(kit)[0]!.data['businessDay']).toBeUndefined();
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
