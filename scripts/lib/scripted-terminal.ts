import { strictEqual } from 'node:assert/strict';
import { seededChance } from '../../agent/contract/fake-world.ts';
import type { DeviceLine } from '../../firmware-sim/devices/device-line.ts';
import { MemoryPort } from '../../firmware-sim/devices/zvt-terminal/memory-port.ts';
import { VirtualClock } from '../../firmware-sim/devices/zvt-terminal/virtual-clock.ts';
import type { DriverIo, DriverSession } from '../../drivers/api/driver.ts';
import type { OpenPayment, PaymentIntent, PaymentJournal, PaymentResult } from '../../drivers/api/payment.ts';
import type { Json, Reading } from '../../drivers/api/reading.ts';
import { encodeFrame } from '../../drivers/zvt-terminal/frame.ts';
import { driver } from '../../drivers/zvt-terminal/index.ts';

const never = new AbortController().signal;
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

export const ACK: string = '06';
export const NAK: string = '15';
export const OK: string = '10028000001003f51f';
export const REGISTRATION: string = '1002060006123456ba0978100324c3';
export const REGISTERED: string = '060f0a19002929001006490978';
export const SALE: string = '100206010a040000000012504909781003131d';
export const STATUS: string =
  '1002040f2a2700040000000012504909780c101015000d112322f0f8541333eeeeee123429000000010b00004287004210039159';
export const COMPLETION: string = '1002060f001003c633';
export const frame = (apdu: string): string => hexOf(encodeFrame(bytes(apdu)));

/** A terminal that says what it is told to say, byte for byte, and expects bytes in return. */
export class ScriptedTerminal {
  readonly clock: VirtualClock = new VirtualClock(() => new Promise((resolve) => setImmediate(resolve)));
  readonly port: MemoryPort = new MemoryPort();
  /** All that the till did, in order: bytes on the line and entries in the journal. */
  readonly log: string[] = [];
  readonly states: Reading[] = [];
  #heard = '';
  #line: DeviceLine | null = null;
  #session: DriverSession | null = null;
  open: readonly OpenPayment[] = [];
  readonly memory: Map<string, Json> = new Map();
  readonly #stop = new AbortController();

  get session(): DriverSession {
    if (this.#session === null) throw new Error('the session is not open');
    return this.#session;
  }

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
    const session = await driver.open(config, io, this.#stop.signal);
    this.#session = session;
    void (async () => {
      for await (const reading of session.readings(this.#stop.signal)) this.states.push(reading);
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
    strictEqual(this.#heard.slice(0, wanted.length), wanted);
    this.#heard = this.#heard.slice(wanted.length);
  }

  async register(): Promise<void> {
    await this.hears(REGISTRATION);
    await this.say(ACK, OK);
    await this.hears(ACK);
    await this.say(frame(REGISTERED));
    await this.hears(ACK, OK);
    await this.say(ACK);
    strictEqual(this.session.terminal?.status, 'ready');
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
    await this.#session?.[Symbol.asyncDispose]();
    this.#stop.abort();
  }
}
