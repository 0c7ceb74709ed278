import { afterEach, describe, expect, test } from 'vitest';
import type { PaymentIntent } from '../api/payment.ts';
import {
  ACK,
  COMPLETION,
  frame,
  NAK,
  OK,
  REGISTERED,
  REGISTRATION,
  SALE,
  ScriptedTerminal,
  STATUS,
} from '../../scripts/lib/scripted-terminal.ts';

let script: ScriptedTerminal;
afterEach(() => script.close());

async function registered(timers = {}): Promise<void> {
  script = new ScriptedTerminal();
  await script.start(timers);
  await script.register();
}

describe('transcripts', () => {
  test('an approved sale, byte for byte, with the outcome on disk before it is acknowledged', async () => {
    await registered();
    const payment = script.pay();
    await script.sold();
    await script.exchange('04ff010a');
    await script.exchange('04ff010e');
    await script.say(STATUS);
    await script.hears(ACK, OK);
    expect(payment.result()).toBeUndefined();
    await script.say(ACK);
    expect(payment.result()).toMatchObject({
      outcome: 'approved',
      receiptNo: 42,
      trace: 42,
      terminalId: '00000001',
      maskedPan: '541333******1234',
      reason: null,
    });
    await script.say(COMPLETION);
    await script.hears(ACK, OK);
    await script.say(ACK);
    expect(script.log).toEqual([
      'journal sent',
      SALE,
      ACK,
      'journal accepted',
      ACK,
      OK,
      ACK,
      OK,
      ACK,
      'journal accepted',
      'journal approved',
      OK,
      'journal done',
      ACK,
      OK,
    ]);
    expect(script.session.terminal?.status).toBe('ready');
  });

  test('a sale that the customer breaks off', async () => {
    await registered();
    const payment = script.pay();
    await script.sold();
    await script.exchange('040f02276c');
    await script.exchange('061e016c');
    expect(payment.result()).toMatchObject({ outcome: 'declined', reason: 'abort-key' });
  });

  test('a terminal that is busy, and the same sale two seconds later', async () => {
    await registered();
    const payment = script.pay();
    await script.hears(SALE);
    await script.say(ACK, '1002849c001003c341');
    await script.hears(ACK);
    const atMono = script.clock.monoMs();
    await script.hears(SALE);
    expect(script.clock.monoMs() - atMono).toBe(2_000);
    await script.say(ACK, OK);
    await script.hears(ACK);
    await script.exchange('061e0105');
    expect(payment.result()).toMatchObject({ outcome: 'declined', reason: 'host-declined-05' });
  });

  test('two blocks and an ACK that come in one piece', async () => {
    await registered();
    script.pay();
    await script.hears(SALE);
    await script.say(ACK + OK + frame('04ff010a'));
    await script.hears(ACK, ACK, OK);
  });
});

describe('a booking', () => {
  test('whose 80 00 the terminal refused is not told approved when the terminal breaks it off', async () => {
    await registered();
    const payment = script.pay();
    await script.sold();
    await script.say(STATUS);
    for (let sends = 1; sends <= 3; sends += 1) {
      await script.hears(...(sends === 1 ? [ACK, OK] : [OK]));
      await script.say(NAK);
    }
    await script.exchange('061e01ff');
    expect(payment.result()).toBeUndefined();
    expect(script.log).not.toContain('journal done');
  });

  test('stands once the terminal prints its receipt, although the ACK of our 80 00 was lost', async () => {
    await registered();
    const payment = script.pay();
    await script.sold();
    await script.say(STATUS);
    await script.hears(ACK, OK);
    expect(payment.result()).toBeUndefined();
    await script.say(frame('06d1024142'));
    await script.hears(ACK, OK);
    expect(payment.result()).toMatchObject({ outcome: 'approved', receiptNo: 42 });
  });
});

describe('the terminal of itself', () => {
  test('gets its messages answered while nothing is asked of it, and refusals for what a till cannot do', async () => {
    await registered();
    await script.exchange('06d10140');
    await script.exchange('040108aa2611270c101500');
    await script.say(frame('06d800'));
    await script.hears(ACK, frame('848300'));
    await script.say(ACK, frame('040f0527'));
    await script.hears(ACK, frame('849a00'));
  });

  test('is not thanked for a booking that nobody asked for, except for the last one again', async () => {
    await registered();
    const payment = script.pay();
    await script.sold();
    await script.say(STATUS);
    await script.hears(ACK, OK);
    await script.say(ACK);
    await script.exchange('060f00');
    expect(payment.result()?.outcome).toBe('approved');
    await script.say(STATUS);
    await script.hears(ACK, OK);
    await script.say(ACK, frame('040f142700040000000077774909788700432900000001'));
    await script.hears(ACK, frame('848300'));
  });

  test('says at registration that it works in another currency or wants a diagnosis', async () => {
    script = new ScriptedTerminal();
    await script.start();
    await script.hears(REGISTRATION);
    await script.say(ACK, OK, frame('060f0a19002929001006490826'));
    await script.hears(ACK, ACK, OK);
    await script.say(ACK);
    expect(script.states.at(-1)).toMatchObject({ state: 'degraded', code: 'zvt-currency' });
  });

  test('that refuses the registration is asked again, and its state says so', async () => {
    script = new ScriptedTerminal();
    await script.start();
    await script.hears(REGISTRATION);
    await script.say(ACK, frame('848300'));
    await script.hears(ACK);
    expect(script.states.at(-1)).toMatchObject({ state: 'failed', code: 'zvt-refused' });
    expect(script.session.terminal?.status).toBe('away');
    await script.hears(REGISTRATION);
  });
});

describe('what a crash left open', () => {
  const intent: PaymentIntent = { intentId: 'i1', kind: 'sale', amountMinor: 1250, currency: 'EUR' };

  test('before anything was sent ends declined without a word to the terminal', async () => {
    script = new ScriptedTerminal();
    script.open = [{ intent, step: 'intent', facts: {} }];
    await script.start();
    await script.hears(REGISTRATION);
    expect(script.log.slice(0, 2)).toEqual(['journal declined', 'journal done']);
  });

  test('is concluded from the terminal itself, where that is still at it, and registered after that', async () => {
    script = new ScriptedTerminal();
    script.open = [{ intent, step: 'accepted', facts: { before: null } }];
    await script.start();
    await script.hears(REGISTRATION);
    await script.say(ACK, STATUS);
    await script.hears(ACK, OK);
    await script.say(ACK);
    await script.exchange('060f00');
    await script.hears(REGISTRATION);
    await script.say(ACK, OK, frame(REGISTERED));
    await script.hears(ACK, ACK, OK);
    await script.say(ACK);
    expect(script.log.filter((entry) => entry.startsWith('journal'))).toEqual([
      'journal accepted',
      'journal approved',
      'journal done',
    ]);
    expect(script.session.terminal?.status).toBe('ready');
  });

  test('is asked of the terminal, once it is registered, and concluded from its answer', async () => {
    script = new ScriptedTerminal();
    const before = {
      terminalId: '00000001',
      receiptNo: 41,
      trace: 41,
      time: '101000',
      date: '1123',
      amountMinor: 1250,
    };
    script.open = [{ intent, step: 'accepted', facts: { before } }];
    await script.start();
    await script.hears(REGISTRATION);
    await script.say(ACK, OK, frame(REGISTERED));
    await script.hears(ACK, ACK, OK);
    await script.say(ACK);
    await script.hears('1002062005123456030310037038');
    await script.say(ACK, OK);
    await script.hears(ACK);
    await script.say(STATUS);
    await script.hears(ACK, OK);
    await script.say(ACK);
    await script.exchange('060f00');
    expect(script.log.filter((entry) => entry.startsWith('journal'))).toEqual(['journal approved', 'journal done']);
    expect(script.session.terminal?.status).toBe('ready');
  });
});
