import { afterEach, describe, expect, test } from 'vitest';
import { ACK, NAK, OK, SALE, ScriptedTerminal } from '../../scripts/lib/scripted-terminal.ts';

let script: ScriptedTerminal;
afterEach(() => script.close());

async function registered(timers = {}): Promise<void> {
  script = new ScriptedTerminal();
  await script.start(timers);
  await script.register();
}

describe('the line', () => {
  test('is answered with NAK where a block is wrong, and with ACK when it comes again', async () => {
    await registered();
    script.pay();
    await script.hears(SALE);
    await script.say(ACK, '10028000001003f51e');
    await script.hears(NAK);
    await script.say('1002800000104103f51f');
    await script.hears(NAK);
    await script.clock.until(() => false, 500);
    await script.say(OK);
    await script.hears(ACK);
  });

  test('is answered with NAK 200 ms after a block that stops', async () => {
    await registered();
    script.pay();
    await script.hears(SALE);
    await script.say(ACK, OK.slice(0, 8));
    const atMono = script.clock.monoMs();
    await script.hears(NAK);
    expect(script.clock.monoMs() - atMono).toBe(200);
    await script.clock.until(() => false, 200);
    await script.say(OK);
    await script.hears(ACK);
  });

  test('carries a block again after NAK and after 5 s of silence, three times in all', async () => {
    await registered();
    const payment = script.pay();
    await script.hears(SALE);
    await script.say(NAK);
    await script.hears(SALE);
    const atMono = script.clock.monoMs();
    await script.hears(SALE);
    expect(script.clock.monoMs() - atMono).toBe(5_000);
    // The terminal may have it: what became of it is asked, and nothing is sent again.
    await script.clock.until(() => script.session.terminal?.status === 'busy', 0);
    await script.hears('1002062005123456030310037038');
    expect(payment.result()).toBeUndefined();
  });

  test('takes 80 00 as the proof that a command arrived whose ACK was lost', async () => {
    await registered();
    script.pay();
    await script.hears(SALE);
    await script.say(OK);
    await script.hears(ACK);
    await script.exchange('04ff010a');
    expect(script.log.filter((entry) => entry === SALE)).toHaveLength(1);
  });

  test('that is cut in the middle of a block is used again when it is back', async () => {
    await registered();
    await script.say(OK.slice(0, 8));
    script.port.pull();
    await script.clock.until(() => script.session.terminal?.status === 'away', 1_000);
    expect(script.states.at(-1)).toMatchObject({ state: 'failed', code: 'port-lost' });
    script.plug();
    await script.register();
    expect(script.states.at(-1)).toMatchObject({ state: 'ready', code: null });
  });
});

describe('the timers', () => {
  test('wait 5 s for 80 00, then ask what became of it', async () => {
    await registered();
    script.pay();
    await script.hears(SALE);
    await script.say(ACK);
    const atMono = script.clock.monoMs();
    await script.hears('1002062005123456030310037038');
    expect(script.clock.monoMs() - atMono).toBeGreaterThanOrEqual(5_000);
  });

  test('wait 180 s for the completion, or as many minutes as an intermediate status wants', async () => {
    await registered();
    script.pay();
    await script.sold();
    await script.exchange('04ff020a05');
    await script.clock.until(() => false, 299_000);
    await script.exchange('04ff010a');
    const atMono = script.clock.monoMs();
    await script.hears('1002062005123456030310037038');
    expect(script.clock.monoMs() - atMono).toBeGreaterThanOrEqual(180_000);
    expect(script.clock.monoMs() - atMono).toBeLessThan(190_000);
  });
});
