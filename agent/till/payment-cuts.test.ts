import { expect, test } from 'vitest';
import { seededChance } from '../contract/fake-world.ts';
import { PAYING_CUSTOMER, type Customer } from '../../firmware-sim/devices/zvt-terminal/customer.ts';
import { PaymentShop } from '../../firmware-sim/devices/zvt-terminal/payment-shop.ts';
import { STEPS } from '../../firmware-sim/devices/zvt-terminal/terminal.ts';

const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const never = new AbortController().signal;
const PAYMENTS = 1_000;
const AMOUNTS = [1250, 1250, 999] as const;

interface Tally {
  readonly doubles: string[];
  readonly lost: string[];
  readonly phantoms: string[];
  readonly unsettled: string[];
  readonly outcomes: Map<string, number>;
}

/** Cuts the next payment: the plug, the terminal's power or the till itself, at a step, a moment or a commit. */
function planCut(shop: PaymentShop, float: () => number): { done(): Promise<void> } {
  const what = float() < 0.34 ? 'plug' : float() < 0.5 ? 'power' : 'till';
  const awayMs = float() < 0.1 ? 30_000 : Math.floor(float() * 4_000);
  const working: Promise<void>[] = [];
  let struck = false;
  const strike = (): void => {
    if (struck) return;
    struck = true;
    shop.pull();
    if (what === 'power') shop.terminal.powerLost();
    if (what === 'till') working.push(shop.restartTill());
    working.push(shop.clock.sleep(awayMs, never).then(() => shop.plug()));
  };
  const where = float();
  const step = STEPS[Math.floor(float() * STEPS.length)];
  if (where < 0.4)
    shop.onStep = async (now) => {
      if (now === step) strike();
    };
  else if (where < 0.5) shop.onStored = strike;
  else if (where < 0.75) {
    // Between what the terminal has and what the till knows that it has.
    let blocks = Math.floor(float() * 8);
    shop.onHeard = () => {
      blocks -= 1;
      if (blocks < 0) strike();
    };
  } else {
    // Between any two writes of the till, bytes on the line included.
    let writes = Math.floor(float() * 24);
    shop.onSent = () => {
      writes -= 1;
      if (writes < 0) strike();
    };
  }
  return {
    async done() {
      shop.onStep = () => Promise.resolve();
      shop.onStored = () => undefined;
      shop.onSent = () => undefined;
      shop.onHeard = () => undefined;
      let over = false;
      void Promise.all(working).then(() => (over = true));
      await shop.clock.until(() => over, 120_000);
    },
  };
}

function customer(float: () => number): Customer {
  const roll = float();
  if (roll < 0.08) return { ...PAYING_CUSTOMER, issuer: 'decline' };
  if (roll < 0.12) return { ...PAYING_CUSTOMER, does: 'cancel' };
  return { ...PAYING_CUSTOMER, hesitatesMs: Math.floor(float() * 3_000) };
}

function annoy(shop: PaymentShop, float: () => number): void {
  const { faults } = shop.terminal;
  faults.wrongCrc = float() < 0.1 ? 1 : 0;
  faults.nak = float() < 0.1 ? 1 : 0;
  faults.busy = float() < 0.1 ? 2 : 0;
  faults.duplicateStatus = float() < 0.1 ? 1 : 0;
}

/** From a random block on, the terminal refuses up to three good ones in a row, our 80 00 to its booking among them. */
function refuseLater(shop: PaymentShop, float: () => number): void {
  if (float() >= 0.3) return;
  const cut = shop.onHeard;
  const refused = 1 + Math.floor(float() * 3);
  let blocks = Math.floor(float() * 8);
  shop.onHeard = (apdu) => {
    cut(apdu);
    blocks -= 1;
    if (blocks === 0) shop.terminal.faults.nak = refused;
  };
}

/**
 * 3: a booking stood while its terminal was away, and the next one was sent before it was asked about. 1084427201: the
 * booking of a payment that an operator had resolved was taken for the next one of the same amount.
 */
const SEEDS: readonly number[] = [20_261_127, 3, 1_084_427_201, Math.floor(Math.random() * 2 ** 31)];

test.each(SEEDS)(
  'a thousand payments, each cut somewhere, charge nobody twice and lose no approval (seed %i)',
  { timeout: 120_000 },
  async (seed) => {
    const { float } = seededChance(seed);
    const shop = new PaymentShop({ quiet, chance: seededChance(3) });
    const tally: Tally = { doubles: [], lost: [], phantoms: [], unsettled: [], outcomes: new Map() };
    shop.plug();
    await shop.startTill();
    for (let payment = 1; payment <= PAYMENTS; payment += 1) {
      if (!(await shop.ready())) throw new Error(`no terminal before payment ${payment}`);
      const booksBefore = shop.terminal.book.entries.length;
      shop.terminal.customers.splice(0, shop.terminal.customers.length, customer(float));
      annoy(shop, float);
      const cut = planCut(shop, float);
      refuseLater(shop, float);
      const amountMinor = AMOUNTS[Math.floor(float() * AMOUNTS.length)] ?? 1;
      const { intentId } = shop.till.desk.start({ amountMinor, currency: 'EUR', kind: 'sale' }, `pay-${payment}`);
      await shop.settled(intentId);
      await cut.done();
      const told = (await shop.settled(intentId))?.outcome;
      await shop.ready();
      // A booking that stood while its terminal was away is confirmed or taken back now.
      await shop.clock.until(
        () =>
          shop.ledger.transaction((tx) =>
            tx.tables.payments.unsettled('terminal').every((row) => row.step === 'done' || row.outcome === 'unknown'),
          ),
        60_000,
      );
      const outcome = shop.till.desk.find(intentId)?.outcome ?? 'missing';
      const charges = shop.terminal.book.entries.slice(booksBefore).filter((entry) => entry.state === 'booked').length;
      tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
      if (told === 'approved' && charges === 0) tally.phantoms.push(`${payment} told`);
      if (charges > 1) tally.doubles.push(intentId);
      if (outcome === 'pending' || outcome === 'missing') tally.unsettled.push(`${payment} ${outcome}`);
      if (charges === 1 && outcome !== 'approved' && outcome !== 'unknown') tally.lost.push(`${payment} ${outcome}`);
      if (charges === 0 && outcome === 'approved') tally.phantoms.push(`${payment}`);
      if (outcome === 'unknown')
        shop.till.desk.resolve(intentId, {
          outcome: charges === 1 ? 'approved' : 'declined',
          actor: 'operator',
          reason: 'receipt',
        });
    }
    // The last word of each payment's events, added up, is what the terminal charged.
    const last = new Map(shop.events.map((event) => [event.data['intentId'], event.data] as const));
    const approvedMinor = [...last.values()]
      .filter((data) => data['outcome'] === 'approved')
      .reduce((sum, data) => sum + Number(data['amountMinor']), 0);
    expect(tally).toMatchObject({ doubles: [], lost: [], phantoms: [], unsettled: [] });
    expect(last.size).toBe(PAYMENTS);
    expect(approvedMinor).toBe(shop.terminal.book.totalMinor());
    expect(tally.outcomes.get('approved')).toBeGreaterThan(PAYMENTS / 5);
    expect(tally.outcomes.get('declined')).toBeGreaterThan(PAYMENTS / 5);
    await shop.close();
  },
);
