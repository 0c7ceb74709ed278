import { afterEach, describe, expect, test } from 'vitest';
import { seededChance } from '../../agent/contract/fake-world.ts';
import type { DeviceLine } from '../../firmware-sim/devices/device-line.ts';
import { MemoryPort } from '../../firmware-sim/devices/zvt-terminal/memory-port.ts';
import { VirtualClock } from '../../firmware-sim/devices/zvt-terminal/virtual-clock.ts';
import type { DriverIo, DriverSession } from '../api/driver.ts';
import type { OpenPayment, PaymentIntent, PaymentJournal, PaymentResult } from '../api/payment.ts';
import type { Json, Reading } from '../api/reading.ts';
import { encodeFrame } from './frame.ts';
import { driver } from './index.ts';

const never = new AbortController().signal;
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

const ACK = '06';
const NAK = '15';
const OK = '10028000001003f51f';
const REGISTRATION = '1002060006123456ba0978100324c3';
const REGISTERED = '060f0a19002929001006490978';
const SALE = '100206010a040000000012504909781003131d';
const STATUS =
  '1002040f2a2700040000000012504909780c101015000d112322f0f8541333eeeeee123429000000010b00004287004210039159';
const COMPLETION = '1002060f001003c633';
const frame = (apdu: string): string => hexOf(encodeFrame(bytes(apdu)));

/** A terminal that says what it is told to say, byte for byte, and expects bytes in return. */
class Script {
  readonly clock = new VirtualClock(() => new Promise((resolve) => setImmediate(resolve)));
  readonly port = new MemoryPort();
  /** All that the till did, in order: bytes on the line and entries in the journal. */
  readonly log: string[] = [];
  readonly states: Reading[] = [];
  #heard = '';
  #line: DeviceLine | null = null;
  session!: DriverSession;
  open: readonly OpenPayment[] = [];
  readonly memory = new Map<string, Json>();
  readonly #stop = new AbortController();

  journal(): PaymentJournal {
    return {
      record: (_id, step) => void this.log.push(`journal ${step}`),
      conclude: (_id, result) => void this.log.push(`journal ${result.outcome}`),
      finish: () => void this.log.push('journal done'),
      open: () => this.open,
      remember: (key, value) => void this.memory.set(key, value),
      recall: (key) => this.memory.get(key),
    };
  }

  plug(): void {
    const line = this.port.plug();
    this.#line = line;
    this.#heard = '';
    void (async () => {
      for await (const chunk of line.chunks(this.#stop.signal)) {
        this.#heard += hexOf(chunk);
        this.log.push(hexOf(chunk));
      }
    })().catch(() => undefined);
  }

  async start(timers = {}): Promise<void> {
    this.plug();
    const absent = (): Promise<never> => Promise.reject(new Error('absent'));
    const io: DriverIo = {
      driverId: 'terminal',
      kit: { id: 'kit', currency: 'EUR' },
      clock: this.clock,
      chance: seededChance(1),
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
      serial: () => this.port.open(),
      tcp: absent,
      radio: absent,
      camera: absent,
      secret: () => Promise.resolve(new TextEncoder().encode('123456')),
      saved: () => undefined,
      payments: this.journal(),
    };
    const config = driver.config.parse({ port: '/dev/t', password: { file: 'pw' }, timers });
    this.session = await driver.open(config, io, this.#stop.signal);
    void (async () => {
      for await (const reading of this.session.readings(this.#stop.signal)) this.states.push(reading);
    })();
  }

  async say(...parts: readonly string[]): Promise<void> {
    for (const part of parts) await this.#line?.write(bytes(part));
    await this.clock.until(() => true, 0);
  }

  /** Waits until the till has sent exactly these bytes next. */
  async hears(...parts: readonly string[]): Promise<void> {
    const wanted = parts.join('');
    await this.clock.until(() => this.#heard.length >= wanted.length, 200_000);
    expect(this.#heard.slice(0, wanted.length)).toBe(wanted);
    this.#heard = this.#heard.slice(wanted.length);
  }

  async register(): Promise<void> {
    await this.hears(REGISTRATION);
    await this.say(ACK, OK);
    await this.hears(ACK);
    await this.say(frame(REGISTERED));
    await this.hears(ACK, OK);
    await this.say(ACK);
    expect(this.session.terminal?.status).toBe('ready');
    this.log.length = 0;
  }

  pay(over: Partial<PaymentIntent> = {}): { result(): PaymentResult | undefined } {
    const intent: PaymentIntent = { intentId: 'i1', kind: 'sale', amountMinor: 1250, currency: 'EUR', ...over };
    let result: PaymentResult | undefined;
    this.session.terminal?.pay(intent, never).then(
      (settled) => (result = settled),
      (error: unknown) => this.log.push(`payment left open: ${String(error)}`),
    );
    return { result: () => result };
  }

  /** Answers the till's block and says one of its own, to which the till answers with ACK and 80 00. */
  async exchange(apdu: string): Promise<void> {
    await this.say(frame(apdu));
    await this.hears(ACK, OK);
    await this.say(ACK);
  }

  async sold(): Promise<void> {
    await this.hears(SALE);
    await this.say(ACK, OK);
    await this.hears(ACK);
  }

  async close(): Promise<void> {
    await this.session[Symbol.asyncDispose]();
    this.#stop.abort();
  }
}

let script: Script;
afterEach(() => script.close());

async function registered(timers = {}): Promise<Script> {
  script = new Script();
  await script.start(timers);
  await script.register();
  return script;
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
    script = new Script();
    await script.start();
    await script.hears(REGISTRATION);
    await script.say(ACK, OK, frame('060f0a19002929001006490826'));
    await script.hears(ACK, ACK, OK);
    await script.say(ACK);
    expect(script.states.at(-1)).toMatchObject({ state: 'degraded', code: 'zvt-currency' });
  });

  test('that refuses the registration is asked again, and its state says so', async () => {
    script = new Script();
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
    script = new Script();
    script.open = [{ intent, step: 'intent', facts: {} }];
    await script.start();
    await script.hears(REGISTRATION);
    expect(script.log.slice(0, 2)).toEqual(['journal declined', 'journal done']);
  });

  test('is concluded from the terminal itself, where that is still at it, and registered after that', async () => {
    script = new Script();
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
    script = new Script();
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
