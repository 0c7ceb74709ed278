import { afterEach, describe, expect, test } from 'vitest';
import { PAYING_CUSTOMER, TEST_CARD } from '../../firmware-sim/devices/zvt-terminal/customer.ts';
import type { PaymentShop } from '../../firmware-sim/devices/zvt-terminal/payment-shop.ts';
import { COMMAND } from '../../drivers/zvt-terminal/protocol.ts';
import { asked, openPaymentShop, outcomes, sale } from '../../scripts/lib/open-payment-shop.ts';

const never = new AbortController().signal;

let shop: PaymentShop;
afterEach(() => shop.close());

async function openShop(): Promise<void> {
  shop = await openPaymentShop();
}

describe('a payment', () => {
  test('is approved once, with the intent on disk before the first byte', async () => {
    await openShop();
    const before = shop.sent.length;
    const started = shop.till.desk.start(sale(1250), 'k1');
    expect(started.outcome).toBe('pending');
    expect(shop.sent.length).toBe(before);
    expect(await shop.settled(started.intentId)).toMatchObject({
      outcome: 'approved',
      amountMinor: 1250,
      receiptNo: 1,
      maskedPan: '411111******1111',
      terminalId: '29000042',
      reason: null,
    });
    expect(outcomes(shop)).toEqual(['approved']);
    expect(shop.events[0]).toMatchObject({ type: 'barrow.payment.v1', stream: 'sale', subject: 'terminal' });
    expect(shop.terminal.book.totalMinor()).toBe(1250);
  });

  test.each([
    ['decline', { ...PAYING_CUSTOMER, issuer: 'decline' as const }, 'host-declined-05'],
    ['cancel', { ...PAYING_CUSTOMER, does: 'cancel' as const }, 'abort-key'],
    ['walk away', { ...PAYING_CUSTOMER, does: 'nothing' as const }, 'abort-key'],
  ])('is declined where customer or issuer %s', async (_what, customer, reason) => {
    await openShop();
    shop.terminal.customers.splice(0, 1, customer);
    const { intentId } = shop.till.desk.start(sale(500), null);
    expect(await shop.settled(intentId)).toMatchObject({ outcome: 'declined', reason });
    expect(shop.terminal.book.totalMinor()).toBe(0);
    expect(outcomes(shop)).toEqual(['declined']);
  });

  test('is stopped by the till while the customer hesitates', async () => {
    await openShop();
    shop.terminal.customers.splice(0, 1, { ...PAYING_CUSTOMER, hesitatesMs: 30_000 });
    const { intentId } = shop.till.desk.start(sale(500), null);
    await shop.clock.until(() => false, 2_000);
    await shop.till.desk.abort(intentId);
    expect(await shop.settled(intentId, 5_000)).toMatchObject({ outcome: 'declined', reason: 'abort-key' });
  });

  test('is one payment although its status information comes twice', async () => {
    await openShop();
    shop.terminal.faults.duplicateStatus = 1;
    const { intentId } = shop.till.desk.start(sale(700), null);
    expect(await shop.settled(intentId)).toMatchObject({ outcome: 'approved' });
    await shop.ready();
    expect(outcomes(shop)).toEqual(['approved']);
    expect(shop.terminal.book.totalMinor()).toBe(700);
  });

  test('waits two seconds after 84 9C and is asked for again', async () => {
    await openShop();
    shop.terminal.faults.busy = 3;
    const startMono = shop.clock.monoMs();
    const { intentId } = shop.till.desk.start(sale(700), null);
    expect(await shop.settled(intentId)).toMatchObject({ outcome: 'approved' });
    expect(asked(shop)).toBe(4);
    expect(shop.clock.monoMs() - startMono).toBeGreaterThanOrEqual(6_000);
  });

  test('gives up on a terminal that stays busy, and nothing was charged', async () => {
    await openShop();
    shop.terminal.faults.busy = 1_000;
    const { intentId } = shop.till.desk.start(sale(700), null);
    expect(await shop.settled(intentId)).toMatchObject({ outcome: 'declined', reason: 'terminal-busy' });
    expect(asked(shop)).toBe(30);
  });

  test.each([1, 2])('survives %i wrong checksums and as many refused blocks in a row', async (count) => {
    await openShop();
    shop.terminal.faults.wrongCrc = count;
    shop.terminal.faults.nak = count;
    const { intentId } = shop.till.desk.start(sale(700), null);
    expect(await shop.settled(intentId)).toMatchObject({ outcome: 'approved' });
    expect(asked(shop)).toBe(1);
  });

  test('ends after three refused blocks: nothing was asked, the line is told to be disturbed', async () => {
    await openShop();
    shop.terminal.faults.nak = 3;
    const { intentId } = shop.till.desk.start(sale(700), null);
    expect(await shop.settled(intentId)).toMatchObject({ outcome: 'declined', reason: 'line-disturbed' });
    expect(asked(shop)).toBe(0);
    expect(shop.till.readings).toContainEqual({ kind: 'state', state: 'degraded', code: 'zvt-noise' });
  });

  test('reverses and refunds', async () => {
    await openShop();
    const first = shop.till.desk.start(sale(900), null);
    await shop.settled(first.intentId);
    await shop.ready();
    const back = shop.till.desk.start({ amountMinor: 900, currency: 'EUR', kind: 'reversal', receiptNo: 1 }, null);
    expect(await shop.settled(back.intentId)).toMatchObject({ outcome: 'reversed' });
    await shop.ready();
    const again = shop.till.desk.start({ amountMinor: 900, currency: 'EUR', kind: 'reversal', receiptNo: 1 }, null);
    expect(await shop.settled(again.intentId)).toMatchObject({ outcome: 'reversed' });
    await shop.ready();
    expect(shop.terminal.book.totalMinor()).toBe(0);
    const refund = shop.till.desk.start({ amountMinor: 300, currency: 'EUR', kind: 'refund' }, null);
    expect(await shop.settled(refund.intentId)).toMatchObject({ outcome: 'refunded' });
    expect(shop.terminal.book.totalMinor()).toBe(-300);
  });
});

describe('the desk', () => {
  test('takes the next payment while the terminal still prints the receipt of the one before', async () => {
    await openShop();
    const first = shop.till.desk.start(sale(100), null);
    let second: string | undefined;
    shop.onStep = async (step) => {
      if (step !== 'acknowledged' || second !== undefined) return;
      await shop.clock.sleep(100, never);
      second = shop.till.desk.start(sale(200), null).intentId;
    };
    await shop.settled(first.intentId);
    await shop.clock.until(() => second !== undefined, 1_000);
    expect(await shop.settled(second ?? '')).toMatchObject({ outcome: 'approved', amountMinor: 200 });
    expect(shop.terminal.book.totalMinor()).toBe(300);
  });

  test('stops a payment that waits behind another, and no other', async () => {
    await openShop();
    const first = shop.till.desk.start(sale(100), null);
    let second = '';
    shop.onStep = async (step) => {
      if (step !== 'acknowledged' || second !== '') return;
      await shop.clock.sleep(100, never);
      second = shop.till.desk.start(sale(200), null).intentId;
      await shop.till.desk.abort(second);
    };
    await shop.settled(first.intentId);
    await shop.clock.until(() => second !== '', 1_000);
    expect(await shop.settled(second)).toMatchObject({ outcome: 'declined', reason: 'abort-till' });
    await shop.ready();
    const third = shop.till.desk.start(sale(300), null);
    expect(await shop.settled(third.intentId)).toMatchObject({ outcome: 'approved' });
    expect(shop.terminal.book.totalMinor()).toBe(400);
  });

  test('gives the same intent for the same key, in flight, done and after a restart', async () => {
    await openShop();
    const first = shop.till.desk.start(sale(1250), 'key');
    expect(shop.till.desk.start(sale(1250), 'key')).toEqual(first);
    await shop.settled(first.intentId);
    expect(shop.till.desk.start(sale(1250), 'key')).toMatchObject({ intentId: first.intentId, outcome: 'approved' });
    await shop.restartTill();
    expect(shop.till.desk.start(sale(1250), 'key').intentId).toBe(first.intentId);
    expect(() => shop.till.desk.start(sale(1251), 'key')).toThrow(
      expect.objectContaining({ code: 'idempotency-mismatch' }),
    );
    expect(asked(shop)).toBe(1);
  });

  test('refuses what no terminal can be asked', async () => {
    await openShop();
    const start = (request: Parameters<typeof shop.till.desk.start>[0]) => () => shop.till.desk.start(request, null);
    expect(start({ ...sale(10), currency: 'GBP' })).toThrow(expect.objectContaining({ code: 'currency-mismatch' }));
    expect(start(sale(0))).toThrow(expect.objectContaining({ code: 'amount-invalid' }));
    expect(start(sale(1.5))).toThrow(expect.objectContaining({ code: 'amount-invalid' }));
    expect(start({ ...sale(10), kind: 'reversal' })).toThrow(expect.objectContaining({ code: 'receipt-missing' }));
    expect(start({ ...sale(10), terminal: 'other' })).toThrow(expect.objectContaining({ code: 'terminal-absent' }));
    shop.terminal.customers.splice(0, 1, { ...PAYING_CUSTOMER, hesitatesMs: 10_000 });
    start(sale(10))();
    expect(start(sale(10))).toThrow(expect.objectContaining({ code: 'terminal-busy' }));
    expect(shop.events).toEqual([]);
  });

  test('says that the terminal is absent while it is unplugged', async () => {
    await openShop();
    shop.pull();
    await shop.clock.until(() => shop.till.terminal.status === 'away', 5_000);
    expect(() => shop.till.desk.start(sale(10), null)).toThrow(expect.objectContaining({ code: 'terminal-absent' }));
    shop.plug();
    expect(await shop.ready(3_000)).toBe(true);
  });

  test('holds a waiting call until the outcome or the end of its patience', async () => {
    await openShop();
    shop.terminal.customers.splice(0, 1, { ...PAYING_CUSTOMER, card: TEST_CARD, hesitatesMs: 5_000 });
    const { intentId } = shop.till.desk.start(sale(10), null);
    let early: string | undefined;
    let late: string | undefined;
    void shop.till.desk.wait(intentId, 1_000, never).then((view) => (early = view?.outcome));
    void shop.till.desk.wait(intentId, 60_000, never).then((view) => (late = view?.outcome));
    await shop.clock.until(() => early !== undefined, 2_000);
    expect([early, late]).toEqual(['pending', undefined]);
    await shop.clock.until(() => late !== undefined, 20_000);
    expect(late).toBe('approved');
    expect(await shop.till.desk.wait('missing', 10, never)).toBeUndefined();
  });

  test('asks the terminal for its end of day, diagnosis and state', async () => {
    await openShop();
    for (const ask of ['endOfDay', 'diagnosis', 'enquiry'] as const) {
      let answer: unknown;
      void shop.till.terminal[ask]?.(never).then((told) => (answer = told));
      await shop.clock.until(() => answer !== undefined, 20_000);
      expect(answer).toMatchObject(ask === 'enquiry' ? { softwareVersion: '1.0.0', terminalStatus: 0 } : { text: '' });
    }
    expect(shop.terminal.commands).toContain(COMMAND.endOfDay);
  });
});
