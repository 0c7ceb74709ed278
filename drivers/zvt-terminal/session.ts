import { AgentError } from '../api/agent-error.ts';
import type { DriverIo, DriverSession } from '../api/driver.ts';
import type { OpenPayment, PaymentIntent, PaymentResult, PaymentTerminal } from '../api/payment.ts';
import type { JsonObject, Reading } from '../api/reading.ts';
import type { Reopening } from '../lib/reopening-link.ts';
import { keepConnected } from './connection.ts';
import { DIAGNOSIS, endOfDay, NOT_POSSIBLE, registration, statusEnquiry } from './apdu.ts';
import { decodeApdu } from './decode.ts';
import { answer, needsAnswer, runCommand, type CommandEnd, type DialogueHooks, type Happening } from './dialogue.ts';
import { zvtFailure, type zvtErrors } from './errors.ts';
import type { ZvtFields } from './fields.ts';
import { Jobs } from './jobs.ts';
import type { ApduLink, Timers } from './link.ts';
import { createMailbox, type Mailbox } from './mailbox.ts';
import {
  AWAY_GRACE_MS,
  EARLIER_UNKNOWN,
  endWithoutTerminal,
  Payment,
  LAST_BOOKING,
  TERMINAL_AWAY,
  type Counterpart,
  type PaymentParts,
  type StrayHooks,
} from './payment.ts';
import { COMMAND, RESULT } from './protocol.ts';
import { bookingOf, readBooking, sameBooking } from './recovery.ts';
import { resultReason } from './result-codes.ts';
import { StateFeed } from './state-feed.ts';

export interface SessionParts {
  readonly io: DriverIo;
  readonly reopening: Reopening;
  readonly transport: 'serial' | 'tcp';
  readonly timers: Timers;
  readonly recoveryMs: number;
  readonly password: Uint8Array;
  readonly configByte: number;
  readonly currencyNumeric: number;
}

type Code = keyof typeof zvtErrors;

/** Pause before the registration is tried again. */
const REGISTER_AGAIN_MS = 5_000;
/** Pause before a payment that the ledger could not settle is looked at again. */
const SETTLE_AGAIN_MS = 5_000;
const IDLE_MS = 60_000;

/** Bits of the status byte in the completion of a registration (A 2.1): initialisation, diagnosis, OPT action. */
const NEEDS_ATTENTION = 0x07;

/** One terminal, through all its connections. Everything happens in one loop, one thing after the other. */
export class ZvtSession implements DriverSession, PaymentTerminal, Counterpart {
  readonly #parts: SessionParts;
  readonly #mailbox: Mailbox<Happening>;
  readonly #stop = new AbortController();
  readonly #feed = new StateFeed();
  readonly #jobs: Jobs;
  #link: ApduLink | null = null;
  #registered = false;
  #registerAtMono = 0;
  #settleAtMono: number | null = 0;
  #settling = false;
  #stray: StrayHooks | null = null;
  #work: Promise<unknown> = Promise.resolve();
  readonly tellsState = true as const;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#mailbox = createMailbox(parts.io.clock);
    this.#jobs = new Jobs((kind) => void this.#mailbox.push({ kind }, 'must'));
  }

  /** Starts both loops: one holds the connection, the other talks. */
  start(): void {
    const { io, reopening, transport, timers } = this.#parts;
    const connecting = keepConnected(
      {
        reopening,
        transport,
        timers,
        clock: io.clock,
        mailbox: this.#mailbox,
        disturbed: () => this.#feed.say('degraded', 'zvt-noise'),
      },
      this.#stop.signal,
    );
    this.#work = Promise.all([this.#guard(connecting), this.#guard(this.#act())]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(zvtFailure('zvt-away', { detail: 'the driver was stopped' }));
    this.#feed.end();
    await this.#work;
    this.#jobs.failAll(this.#stop.signal.reason);
  }

  get terminal(): PaymentTerminal {
    return this;
  }

  readings(signal: AbortSignal): AsyncIterable<Reading> {
    return this.#feed.read(signal);
  }

  get status(): 'ready' | 'busy' | 'away' {
    if (this.#jobs.busy || this.#settling) return 'busy';
    return this.#registered ? 'ready' : 'away';
  }

  pay(intent: PaymentIntent, signal: AbortSignal): Promise<PaymentResult> {
    return this.#jobs.enqueue<PaymentResult>(intent.intentId, signal, (job, resolve) => async () => {
      const settled = (result: PaymentResult): void => {
        job.undecided = false;
        resolve(result);
      };
      const hindrance = await this.#settleBefore(intent.intentId);
      const payment = new Payment(this.#payment(), intent);
      settled(hindrance === null ? await payment.run(settled) : payment.decline(hindrance));
    });
  }

  /**
   * A booking that stood while its terminal was away is asked about before the next one hides it from the repeated
   * receipt. Returns why the next one cannot be sent, or `null`.
   */
  async #settleBefore(intentId: string): Promise<string | null> {
    const { payments } = this.#parts.io;
    const earlier = (): readonly OpenPayment[] =>
      payments.open().filter(({ intent }) => intent.intentId !== intentId && !this.#jobs.waitsFor(intent.intentId));
    if (earlier().length === 0) return null;
    if (!(await this.ready(AWAY_GRACE_MS))) return TERMINAL_AWAY;
    for (const open of earlier()) await this.#settleOne(open);
    if (earlier().length > 0) return TERMINAL_AWAY;
    return (payments.unknown?.() ?? []).length > 0 ? EARLIER_UNKNOWN : null;
  }

  async abort(): Promise<void> {
    this.#jobs.abort();
  }

  endOfDay(signal: AbortSignal): Promise<JsonObject> {
    return this.#administer(endOfDay(this.#parts.password), signal);
  }

  diagnosis(signal: AbortSignal): Promise<JsonObject> {
    return this.#administer(DIAGNOSIS, signal);
  }

  enquiry(signal: AbortSignal): Promise<JsonObject> {
    return this.#administer(statusEnquiry(this.#parts.password), signal);
  }

  /** Anything but a payment: its fields and the lines it printed. */
  #administer(command: Uint8Array, signal: AbortSignal): Promise<JsonObject> {
    return this.#jobs.enqueue<JsonObject>(null, signal, (_job, resolve) => async () => {
      if (!(await this.ready(this.#parts.timers.t3Ms))) throw zvtFailure('zvt-away');
      const lines: string[] = [];
      let status: ZvtFields = {};
      const end = await this.command(command, {
        status: (fields, accepted) => {
          if (!accepted) return this.#strayStatus(fields);
          status = fields;
          return undefined;
        },
        text: (line) => lines.push(line),
      });
      if (end.kind === 'broken') throw zvtFailure(end.why === 'lost' ? 'zvt-away' : 'zvt-silent');
      if (end.kind !== 'completed')
        throw zvtFailure(end.resultCode === RESULT.busy ? 'zvt-busy' : 'zvt-failed', {
          detail: resultReason(end.resultCode) ?? 'aborted',
        });
      resolve({ ...status, ...end.fields, text: lines.length === 0 ? (status.text ?? '') : lines.join('\n') });
    });
  }

  /** Bugs end the session through its reader; the world's failures are handled where they happen. */
  async #guard(loop: Promise<void>): Promise<void> {
    try {
      await loop;
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#feed.end(error instanceof Error ? error : new Error(String(error)));
      this.#stop.abort(error);
    }
  }

  async #act(): Promise<void> {
    const { signal } = this.#stop;
    this.#feed.say('starting', null);
    while (!signal.aborted) {
      const now = this.#parts.io.clock.monoMs();
      if (this.#settleAtMono !== null && this.#settleAtMono <= now) await this.#settleOpen();
      else if (this.#jobs.waiting > 0) await this.#perform();
      else await this.#step(this.#settleAtMono === null ? IDLE_MS : Math.min(IDLE_MS, this.#settleAtMono - now));
    }
  }

  /** Payments that a crash, a cut or a full disk left open come before any new one. */
  async #settleOpen(): Promise<void> {
    this.#settling = true;
    try {
      for (const open of this.#parts.io.payments.open()) await this.#settleOne(open);
      this.#settleAtMono = null;
      await this.#clarify();
    } catch (error) {
      this.#stop.signal.throwIfAborted();
      if (!(error instanceof AgentError)) throw error;
      this.#parts.io.log.error('settle-failed', { code: error.code });
      this.#settleAtMono = this.#parts.io.clock.monoMs() + SETTLE_AGAIN_MS;
    } finally {
      this.#settling = false;
    }
  }

  async #settleOne(open: OpenPayment): Promise<void> {
    // A payment that waits in the queue is open in the journal too, and not left behind.
    if (this.#jobs.waitsFor(open.intent.intentId)) return;
    if (endWithoutTerminal(this.#parts.io.payments, open) === 'ask')
      await new Payment(this.#payment(), open.intent, open).settle();
  }

  /** A terminal that was away when a payment became `unknown` may know now; an operator may have spoken meanwhile. */
  async #clarify(): Promise<void> {
    if (!this.#registered) return;
    for (const open of this.#parts.io.payments.unknown?.() ?? [])
      if (open.result?.reason === TERMINAL_AWAY) await new Payment(this.#payment(), open.intent, open).settle();
  }

  async #perform(): Promise<void> {
    const failed = await this.#jobs.perform();
    if (failed === null) return;
    this.#stop.signal.throwIfAborted();
    if (!(failed.error instanceof AgentError)) throw failed.error;
    this.#parts.io.log.warn('job-failed', { code: failed.error.code });
    if (failed.job.intentId !== null) this.#settleAtMono = this.#parts.io.clock.monoMs() + SETTLE_AGAIN_MS;
  }

  #payment(): PaymentParts {
    const { io, timers, password, currencyNumeric, recoveryMs } = this.#parts;
    return {
      counterpart: this,
      journal: io.payments,
      clock: io.clock,
      log: io.log,
      timers,
      password,
      currencyNumeric,
      recoveryMs,
    };
  }

  async command(apdu: Uint8Array, hooks: DialogueHooks): Promise<CommandEnd> {
    const link = this.#link;
    if (link === null) return { kind: 'broken', why: 'lost', started: false };
    const { io, timers } = this.#parts;
    const end = await runCommand(
      { link, mailbox: this.#mailbox, clock: io.clock, timers, gone: (down) => this.#gone(down) },
      apdu,
      hooks,
      this.#stop.signal,
    );
    if (end.kind === 'broken' && end.why === 'silent') this.#feed.say('failed', 'zvt-silent');
    else if (end.kind === 'broken' && end.why === 'lost') {
      // Its end is on its way through the mailbox: nothing more is sent on this connection.
      this.#registered = false;
      this.#registerAtMono = io.clock.monoMs() + REGISTER_AGAIN_MS;
    }
    if ('resultCode' in end && end.resultCode === RESULT.notRegistered) {
      // The terminal has lost its power and with it the registration, while its line stayed up.
      this.#registered = false;
      this.#registerAtMono = io.clock.monoMs();
    }
    if (end.kind !== 'broken' && this.#registered) this.#sayReady();
    return end;
  }

  async ready(ms: number): Promise<boolean> {
    const { clock } = this.#parts.io;
    const endMono = clock.monoMs() + ms;
    while (this.#link === null || !this.#registered) {
      const leftMs = endMono - clock.monoMs();
      if (leftMs <= 0) return false;
      await this.#step(leftMs);
    }
    return true;
  }

  async pause(ms: number): Promise<void> {
    const { clock } = this.#parts.io;
    const endMono = clock.monoMs() + ms;
    for (let leftMs = ms; leftMs > 0; leftMs = endMono - clock.monoMs()) await this.#step(leftMs);
  }

  stray(hooks: StrayHooks | null): void {
    this.#stray = hooks;
  }

  abortWanted(): boolean {
    return this.#jobs.current?.abortWanted === true;
  }

  /** One thing that happens while no command runs, or the registration that is due. */
  async #step(timeoutMs: number): Promise<void> {
    const now = this.#parts.io.clock.monoMs();
    const untilRegister = this.#link === null || this.#registered ? Infinity : this.#registerAtMono - now;
    if (untilRegister <= 0) return this.#register();
    const happening = await this.#mailbox.next(Math.min(timeoutMs, untilRegister), this.#stop.signal);
    if (happening !== undefined) await this.#happened(happening);
  }

  async #happened(happening: Happening): Promise<void> {
    if (happening.kind === 'down') this.#gone(happening);
    else if (happening.kind === 'apdu' && happening.link === this.#link) await this.#unasked(happening.bytes);
    else if (happening.kind === 'up') {
      this.#link = happening.link;
      this.#registered = false;
      this.#registerAtMono = this.#parts.io.clock.monoMs();
    }
  }

  #gone(down: Happening & { readonly kind: 'down' }): void {
    if (down.link === null || down.link === this.#link) {
      this.#link = null;
      this.#registered = false;
      this.#feed.say('failed', down.code, down.detail);
    }
  }

  /** Something that the terminal says of itself. */
  async #unasked(bytes: Uint8Array): Promise<void> {
    const link = this.#link;
    if (link === null || !needsAnswer(bytes)) return;
    const { signal } = this.#stop;
    const message = decodeApdu(bytes);
    const status = message?.control === COMMAND.statusInformation && message.stop?.why !== 'cut';
    if (status && this.#strayStatus(message.fields) === 'refuse') return void (await link.send(NOT_POSSIBLE, signal));
    const sent = await answer(link, message, signal);
    if (status && sent.result === 'taken') this.#stray?.told();
  }

  /**
   * A booking that no payment waits for is not acknowledged, so that the terminal takes it back; only a repetition of
   * the last one is.
   */
  #strayStatus(fields: ZvtFields): 'refuse' | undefined {
    if (this.#stray !== null) {
      this.#stray.status(fields);
      return undefined;
    }
    const last = readBooking(this.#parts.io.payments.recall(LAST_BOOKING));
    const known = last !== null && sameBooking(last, bookingOf(fields)) !== false;
    if (known || (fields.resultCode ?? 0) !== 0) return undefined;
    this.#parts.io.log.warn('booking-unasked', {});
    return 'refuse';
  }

  async #register(): Promise<void> {
    const { io, password, configByte, currencyNumeric } = this.#parts;
    // A terminal that is still at a payment says its end, which is not the end of the registration.
    let foreign = false;
    const end = await this.command(registration(password, configByte, currencyNumeric), {
      status: (fields) => {
        foreign = true;
        return this.#strayStatus(fields);
      },
      told: () => this.#stray?.told(),
    });
    if (foreign) {
      this.#registerAtMono = io.clock.monoMs();
      return;
    }
    if (end.kind === 'completed') {
      this.#registered = true;
      if (this.#jobs.current === null && !this.#settling) this.#settleAtMono = io.clock.monoMs();
      this.#attention = attentionOf(end.fields, currencyNumeric);
      io.log.info('terminal-registered', { terminalId: end.fields.terminalId ?? null });
      this.#sayReady();
      return;
    }
    const busy = 'resultCode' in end && end.resultCode === RESULT.busy;
    this.#registerAtMono = io.clock.monoMs() + (busy ? this.#parts.timers.busyWaitMs : REGISTER_AGAIN_MS);
    if (end.kind === 'aborted' || end.kind === 'refused') {
      const code: Code = busy ? 'zvt-busy' : end.resultCode === RESULT.wrongCurrency ? 'zvt-currency' : 'zvt-refused';
      this.#feed.say('failed', code, resultReason(end.resultCode) ?? '');
    }
  }

  #attention: Code | null = null;

  #sayReady(): void {
    if (this.#attention === null) this.#feed.say('ready', null);
    else this.#feed.say('degraded', this.#attention);
  }
}

/** What the terminal's own word at registration calls for. */
function attentionOf(fields: ZvtFields, currencyNumeric: number): Code | null {
  const { currencyNumeric: theirs, statusByte } = fields;
  if (theirs !== undefined && Number(theirs) !== currencyNumeric) return 'zvt-currency';
  return statusByte !== undefined && (statusByte & NEEDS_ATTENTION) !== 0 ? 'zvt-attention' : null;
}
