import { afterEach, describe, expect, test } from 'vitest';
import { seededChance } from '../contract/fake-world.ts';
import { PAYING_CUSTOMER, TEST_CARD } from '../../firmware-sim/devices/zvt-terminal/customer.ts';
import { PaymentShop } from '../../firmware-sim/devices/zvt-terminal/payment-shop.ts';
import { COMMAND } from '../../drivers/zvt-terminal/protocol.ts';

const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const sale = (amountMinor: number) => ({ amountMinor, currency: 'EUR', kind: 'sale' as const });
const never = new AbortController().signal;

let shop: PaymentShop;
afterEach(() => shop.close());

async function openShop(): Promise<PaymentShop> {
  shop = new PaymentShop({ quiet, chance: seededChance(7) });
  shop.plug();
  await shop.startTill();
  expect(await shop.ready()).toBe(true);
  return shop;
}

const outcomes = (): unknown[] => shop.events.map((event) => event.data['outcome']);
const sales = (): number => shop.terminal.commands.filter((command) => command === COMMAND.authorisation).length;

/** Pulls the plug at one step of the next payment and plugs in again after a while. */
function cutOnceAt(step: string, awayMs = 2_000): void {
  shop.onStep = async (now) => {
    if (now !== step) return;
    shop.onStep = () => Promise.resolve();
    shop.pull();
    void shop.clock.sleep(awayMs, never).then(() => shop.plug());
  };
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
    expect(outcomes()).toEqual(['approved']);
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
    expect(outcomes()).toEqual(['declined']);
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
    expect(outcomes()).toEqual(['approved']);
    expect(shop.terminal.book.totalMinor()).toBe(700);
  });

  test('waits two seconds after 84 9C and is asked for again', async () => {
    await openShop();
    shop.terminal.faults.busy = 3;
    const startMono = shop.clock.monoMs();
    const { intentId } = shop.till.desk.start(sale(700), null);
    expect(await shop.settled(intentId)).toMatchObject({ outcome: 'approved' });
    expect(sales()).toBe(4);
    expect(shop.clock.monoMs() - startMono).toBeGreaterThanOrEqual(6_000);
  });

  test('gives up on a terminal that stays busy, and nothing was charged', async () => {
    await openShop();
    shop.terminal.faults.busy = 1_000;
    const { intentId } = shop.till.desk.start(sale(700), null);
    expect(await shop.settled(intentId)).toMatchObject({ outcome: 'declined', reason: 'terminal-busy' });
    expect(sales()).toBe(30);
  });

  test.each([1, 2])('survives %i wrong checksums and as many refused blocks in a row', async (count) => {
    await openShop();
    shop.terminal.faults.wrongCrc = count;
    shop.terminal.faults.nak = count;
    const { intentId } = shop.till.desk.start(sale(700), null);
    expect(await shop.settled(intentId)).toMatchObject({ outcome: 'approved' });
    expect(sales()).toBe(1);
  });

  test('ends after three refused blocks: nothing was asked, the line is told to be disturbed', async () => {
    await openShop();
    shop.terminal.faults.nak = 3;
    const { intentId } = shop.till.desk.start(sale(700), null);
    expect(await shop.settled(intentId)).toMatchObject({ outcome: 'declined', reason: 'line-disturbed' });
    expect(sales()).toBe(0);
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

describe('a cut', () => {
  const cutForTenMinutes = (): void => {
    shop.onStep = () => Promise.resolve();
    shop.onHeard = () => undefined;
    shop.onStored = () => undefined;
    shop.pull();
    void shop.clock.sleep(600_000, never).then(() => shop.plug());
  };

  test.each([
    ['asked', 'declined'],
    ['accepted', 'declined'],
    ['insert-card', 'declined'],
    ['authorised', 'declined'],
    ['acknowledged', 'approved'],
    ['printed', 'approved'],
    ['completed', 'approved'],
  ])('at %s ends %s, as the terminal booked it', async (step, outcome) => {
    await openShop();
    const first = shop.till.desk.start(sale(100), null);
    await shop.settled(first.intentId);
    await shop.ready();
    cutOnceAt(step);
    const { intentId } = shop.till.desk.start(sale(1250), null);
    expect(await shop.settled(intentId)).toMatchObject({ outcome });
    expect(shop.terminal.book.totalMinor()).toBe(outcome === 'approved' ? 1350 : 100);
    expect(sales()).toBe(2);
    expect(await shop.ready()).toBe(true);
  });

  test('after the acknowledged status information is approved at once, before the terminal is back', async () => {
    await openShop();
    cutOnceAt('acknowledged', 3_600_000);
    const { intentId } = shop.till.desk.start(sale(1250), null);
    expect(await shop.settled(intentId, 6_000)).toMatchObject({ outcome: 'approved', receiptNo: 1 });
  });

  test('before anything was ever booked is unknown only where the terminal shows a booking that may be it', async () => {
    shop = new PaymentShop({ quiet, chance: seededChance(7) });
    // A booking from before this kit: the same amount, and nothing in the journal to tell it by.
    shop.terminal.book.hold('sale', 1250, { time: '080000', date: '1127' }).state = 'booked';
    shop.plug();
    await shop.startTill();
    await shop.ready();
    cutOnceAt('accepted');
    const { intentId } = shop.till.desk.start(sale(1250), null);
    expect(await shop.settled(intentId)).toMatchObject({ outcome: 'unknown', reason: 'unclear' });
  });

  test('that the terminal never comes back from is unknown in the end, and blocks until an operator speaks', async () => {
    await openShop();
    cutOnceAt('authorised', 3_600_000);
    const { intentId } = shop.till.desk.start(sale(1250), null);
    expect(await shop.settled(intentId)).toMatchObject({ outcome: 'unknown', reason: 'terminal-away' });
    expect(() => shop.till.desk.start(sale(5), null)).toThrow(expect.objectContaining({ code: 'payment-blocked' }));
    await shop.restartTill();
    await shop.clock.until(() => false, 10_000);
    expect(() => shop.till.desk.start(sale(5), null)).toThrow(expect.objectContaining({ code: 'payment-blocked' }));
    const word = { outcome: 'declined' as const, actor: 'm.lee', reason: 'no receipt' };
    expect(shop.till.desk.resolve(intentId, word)).toMatchObject({ outcome: 'declined', reason: 'no receipt' });
    expect(shop.events.at(-1)?.data).toMatchObject({ outcome: 'declined', actor: 'm.lee', reason: 'no receipt' });
    expect(() => shop.till.desk.resolve(intentId, word)).toThrow(
      expect.objectContaining({ code: 'payment-not-unknown' }),
    );
    shop.plug();
    await shop.ready();
    const next = shop.till.desk.start(sale(5), null);
    expect(await shop.settled(next.intentId)).toMatchObject({ outcome: 'approved' });
    expect(outcomes()).toEqual(['unknown', 'declined', 'approved']);
  });

  test('after the acknowledged booking ends approved with the terminal away, and is checked when it is back', async () => {
    await openShop();
    shop.onStep = async (step) => {
      if (step === 'status-sent') shop.onHeard = (apdu) => void (apdu[0] === 0x80 && cutForTenMinutes());
    };
    const { intentId } = shop.till.desk.start(sale(1250), null);
    expect(await shop.settled(intentId, 15_000)).toMatchObject({ outcome: 'approved', receiptNo: 1 });
    await shop.restartTill();
    expect(shop.till.desk.find(intentId)).toMatchObject({ outcome: 'approved' });
    expect(await shop.ready(1_000_000)).toBe(true);
    await shop.clock.until(() => false, 1_000);
    expect(shop.till.desk.find(intentId)).toMatchObject({ outcome: 'approved' });
    expect(outcomes()).toEqual(['approved']);
    expect(shop.terminal.book.totalMinor()).toBe(1250);
  });

  test.each([
    ['authorised', 'declined'],
    // On disk, and not yet acknowledged: the terminal takes it back, so nobody may be told that it stands.
    ['stored', 'reversed'],
  ])('that made the outcome unknown is cleared up by the terminal when it is back: %s, %s', async (at, outcome) => {
    await openShop();
    const first = shop.till.desk.start(sale(100), null);
    await shop.settled(first.intentId);
    await shop.ready();
    if (at === 'stored') shop.onStored = cutForTenMinutes;
    shop.onStep = async (step) => {
      if (step === at) cutForTenMinutes();
    };
    const { intentId } = shop.till.desk.start(sale(1250), null);
    expect(await shop.settled(intentId, 100_000)).toMatchObject({ outcome: 'unknown', reason: 'terminal-away' });
    await shop.restartTill();
    expect(await shop.ready(1_000_000)).toBe(true);
    await shop.clock.until(() => false, 1_000);
    expect(shop.till.desk.find(intentId)).toMatchObject({ outcome });
    expect(shop.terminal.book.totalMinor()).toBe(100);
  });

  test.each(['asked', 'accepted', 'authorised', 'acknowledged', 'printed'])(
    'of the till itself at %s is settled by the next process, without a second charge',
    async (step) => {
      await openShop();
      const first = shop.till.desk.start(sale(100), null);
      await shop.settled(first.intentId);
      await shop.ready();
      let restarted: Promise<void> | undefined;
      shop.onStep = async (now) => {
        if (now !== step) return;
        shop.onStep = () => Promise.resolve();
        shop.pull();
        restarted = shop.restartTill().then(() => shop.plug());
      };
      const { intentId } = shop.till.desk.start(sale(1250), 'once');
      await shop.clock.until(() => restarted !== undefined, 60_000);
      await restarted;
      const view = await shop.settled(intentId);
      const booked = shop.terminal.book.entries.filter((entry) => entry.state === 'booked').length - 1;
      expect(view?.outcome).toBe(booked === 1 ? 'approved' : 'declined');
      expect(sales()).toBe(2);
      expect(shop.till.desk.start(sale(1250), 'once').intentId).toBe(intentId);
      expect(sales()).toBe(2);
    },
  );

  test('is not taken for booked when the line loses the 80 00 to the question and brings an earlier booking', async () => {
    await openShop();
    const first = shop.till.desk.start(sale(100), null);
    await shop.settled(first.intentId);
    await shop.ready();
    cutOnceAt('accepted');
    shop.onHeard = (apdu) => {
      if (apdu[0] !== 0x06 || apdu[1] !== 0x20) return;
      shop.onHeard = () => undefined;
      shop.terminal.faults.wrongCrc = 3;
    };
    const { intentId } = shop.till.desk.start(sale(100), null);
    expect(await shop.settled(intentId, 600_000)).toMatchObject({ outcome: 'declined' });
    expect(outcomes()).toEqual(['approved', 'declined']);
    expect(shop.terminal.book.totalMinor()).toBe(100);
  });

  test('with the status on disk and the answer lost ends reversed, for the terminal took it back', async () => {
    await openShop();
    shop.onStored = () => {
      shop.onStored = () => undefined;
      shop.pull();
      void shop.clock.sleep(1_000, never).then(() => shop.plug());
    };
    const { intentId } = shop.till.desk.start(sale(1250), null);
    expect(await shop.settled(intentId)).toMatchObject({ outcome: 'reversed', reason: 'auto-reversal' });
    expect(outcomes()).toEqual(['approved', 'reversed']);
    expect(shop.terminal.book.totalMinor()).toBe(0);
  });

  test('with the answer received and its acknowledgement lost ends approved', async () => {
    await openShop();
    shop.onStep = async (step) => {
      if (step !== 'status-sent') return;
      shop.onHeard = (apdu) => {
        if (apdu[0] !== 0x80) return;
        shop.onHeard = () => undefined;
        shop.pull();
        void shop.clock.sleep(1_000, never).then(() => shop.plug());
      };
    };
    const { intentId } = shop.till.desk.start(sale(1250), null);
    expect(await shop.settled(intentId)).toMatchObject({ outcome: 'approved' });
    expect(outcomes()).toEqual(['approved']);
  });
});

describe('a terminal that loses its power while its line stays up', () => {
  test('is registered again when it says that it is not, before and after a payment was sent', async () => {
    await openShop();
    shop.terminal.powerLost();
    const first = shop.till.desk.start(sale(100), null);
    expect(await shop.settled(first.intentId)).toMatchObject({ outcome: 'approved' });
    await shop.ready();
    shop.onStep = async (step) => {
      if (step !== 'authorised') return;
      shop.onStep = () => Promise.resolve();
      shop.terminal.powerLost();
    };
    const second = shop.till.desk.start(sale(1250), null);
    expect(await shop.settled(second.intentId)).toMatchObject({ outcome: 'declined', reason: 'not-charged' });
    expect(shop.terminal.book.totalMinor()).toBe(100);
  });
});

describe('a full disk', () => {
  test('keeps the terminal from being thanked: it takes the payment back, and the till says so once there is room', async () => {
    await openShop();
    const first = shop.till.desk.start(sale(100), null);
    await shop.settled(first.intentId);
    await shop.ready();
    shop.onStep = async (step) => {
      if (step === 'authorised') shop.diskFull = true;
      if (step === 'status-sent') void shop.clock.sleep(20_000, never).then(() => (shop.diskFull = false));
    };
    const { intentId } = shop.till.desk.start(sale(1250), null);
    expect(await shop.settled(intentId)).toMatchObject({ outcome: 'declined', reason: 'not-charged' });
    expect(shop.terminal.book.totalMinor()).toBe(100);
    expect(await shop.ready()).toBe(true);
  });

  test('refuses a payment before the terminal hears of it', async () => {
    await openShop();
    shop.diskFull = true;
    expect(() => shop.till.desk.start(sale(5), 'k')).toThrow(expect.objectContaining({ code: 'ledger-full' }));
    shop.diskFull = false;
    const { intentId } = shop.till.desk.start(sale(5), 'k');
    expect(await shop.settled(intentId)).toMatchObject({ outcome: 'approved' });
    expect(sales()).toBe(1);
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
    expect(sales()).toBe(1);
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
