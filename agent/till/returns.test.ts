import { describe, expect, test } from 'vitest';
import { scriptedKit } from '../../scripts/lib/scripted-kit.ts';
import { codeOf, sales, TEE } from '../../scripts/lib/booked.ts';

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
