import { describe, expect, test } from 'vitest';
import { scriptedKit } from '../../scripts/lib/scripted-kit.ts';
import { codeOf, sales, TEE } from '../../scripts/lib/booked.ts';

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
