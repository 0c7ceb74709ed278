import { afterEach, describe, expect, test } from 'vitest';
import type { PaymentShop } from '../../firmware-sim/devices/zvt-terminal/payment-shop.ts';
import { asked, openPaymentShop, outcomes, paymentShop, sale } from '../../scripts/lib/open-payment-shop.ts';

const never = new AbortController().signal;

let shop: PaymentShop;
afterEach(() => shop.close());

async function openShop(): Promise<void> {
  shop = await openPaymentShop();
}

/** Pulls the plug at one step of the next payment and plugs in again after a while. */
function cutOnceAt(step: string, awayMs = 2_000): void {
  shop.onStep = async (now) => {
    if (now !== step) return;
    shop.onStep = () => Promise.resolve();
    shop.pull();
    void shop.clock.sleep(awayMs, never).then(() => shop.plug());
  };
}

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
    expect(asked(shop)).toBe(2);
    expect(await shop.ready()).toBe(true);
  });

  test('after the acknowledged status information is approved at once, before the terminal is back', async () => {
    await openShop();
    cutOnceAt('acknowledged', 3_600_000);
    const { intentId } = shop.till.desk.start(sale(1250), null);
    expect(await shop.settled(intentId, 6_000)).toMatchObject({ outcome: 'approved', receiptNo: 1 });
  });

  test('before anything was ever booked is unknown only where the terminal shows a booking that may be it', async () => {
    shop = paymentShop();
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
    expect(outcomes(shop)).toEqual(['unknown', 'declined', 'approved']);
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
    expect(outcomes(shop)).toEqual(['approved']);
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
      expect(asked(shop)).toBe(2);
      expect(shop.till.desk.start(sale(1250), 'once').intentId).toBe(intentId);
      expect(asked(shop)).toBe(2);
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
    expect(outcomes(shop)).toEqual(['approved', 'declined']);
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
    expect(outcomes(shop)).toEqual(['approved', 'reversed']);
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
    expect(outcomes(shop)).toEqual(['approved']);
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
    expect(asked(shop)).toBe(1);
  });
});
