import type { Clock } from '../api/clock.ts';
import type { Log } from '../api/driver.ts';
import type { OpenPayment, PaymentIntent, PaymentJournal, PaymentOutcome, PaymentResult } from '../api/payment.ts';
import type { Json } from '../api/reading.ts';
import { authorisation, refund, repeatReceipt, reversal } from './apdu.ts';
import type { CommandEnd, DialogueHooks } from './dialogue.ts';
import type { ZvtFields } from './fields.ts';
import type { Timers } from './link.ts';
import { RESULT } from './protocol.ts';
import {
  bookingJson,
  bookingOf,
  judge,
  readBooking,
  resultOf,
  sameBooking,
  type Booking,
  type Verdict,
} from './recovery.ts';
import { resultReason } from './result-codes.ts';

/** What a payment needs of the session. Everything rejects with the signal's reason when the session ends. */
export interface Counterpart {
  /** Runs a command; without a registered terminal it ends `lost`, not started. */
  command(apdu: Uint8Array, hooks: DialogueHooks): Promise<CommandEnd>;
  /** Waits until the terminal is connected and registered; false when it is not within `ms`. */
  ready(ms: number): Promise<boolean>;
  /** Waits, answering what the terminal says meanwhile. */
  pause(ms: number): Promise<void>;
  /** Takes status information that comes outside of any command while a payment is open. */
  stray(hooks: StrayHooks | null): void;
  abortWanted(): boolean;
}

/** As in {@link DialogueHooks}: on disk when `status` returns, `told` once the terminal has the answer. */
export interface StrayHooks {
  status(fields: ZvtFields): void;
  told(): void;
}

export interface PaymentParts {
  readonly counterpart: Counterpart;
  readonly journal: PaymentJournal;
  readonly clock: Clock;
  readonly log: Log;
  readonly timers: Timers;
  readonly password: Uint8Array;
  readonly currencyNumeric: number;
  /** How long an open payment waits for the terminal's word before it is `unknown`. */
  readonly recoveryMs: number;
}

/** A terminal that says 84 9C is asked again this often, {@link Timers.busyWaitMs} apart. */
export const MAX_BUSY_TRIES = 30;
/** How long a payment waits for a terminal that has just gone, before anything was sent. */
export const AWAY_GRACE_MS = 10_000;
/**
 * How long a booking that was acknowledged waits for its terminal to come back and confirm it. Our 80 00 had left when
 * the cut came, so the terminal has most likely heard it: its word stands then, and is still checked when it is back. A
 * booking whose 80 00 had not left, or of which a process that died knows no more, is taken back by the terminal.
 */
export const REPORTED_GRACE_MS = 10_000;
/** Answers to the recovery question that are none, before an operator is asked. */
const MAX_MISSES = 3;

/** The reason of an outcome for which the terminal could not be asked. */
export const TERMINAL_AWAY = 'terminal-away';

/** The reason of a payment that was not sent because an earlier one turned out to be unknown. */
export const EARLIER_UNKNOWN = 'earlier-unknown';

/** Where the journal keeps the last booking of the terminal. */
export const LAST_BOOKING = 'last-booking';

/** The fact in the journal that an acknowledged booking was told while its terminal stayed away. */
const STANDS = 'away';

/** Result codes after which the same question may get an answer a little later. */
const TRY_LATER: ReadonlySet<number> = new Set([RESULT.busy, RESULT.receiverNotReady, RESULT.notRegistered]);

/** One payment from its intent to its outcome, or from where a cut left it. */
export class Payment {
  readonly #parts: PaymentParts;
  readonly #intent: PaymentIntent;
  readonly #before: Booking | null;
  /** The outcome that the terminal reported and that is on disk; whether the terminal knows that we have it. */
  #reported: PaymentResult | null = null;
  #booking: Booking | null = null;
  #told = false;
  /** Our 80 00 to the report has left this process. */
  #answered = false;
  #failed = false;

  constructor(parts: PaymentParts, intent: PaymentIntent, open?: OpenPayment) {
    this.#parts = parts;
    this.#intent = intent;
    const before: Json | undefined = open === undefined ? parts.journal.recall(LAST_BOOKING) : open.facts['before'];
    this.#before = readBooking(before);
    // The terminal had reported it before the cut: its word is known, only whether it knows that we have it is not.
    const booking = open === undefined || intent.kind === 'reversal' ? null : readBooking(open.facts['booking']);
    if (booking === null || open?.result === undefined) return;
    this.#booking = booking;
    this.#answered = open.facts[STANDS] === true;
    this.#reported = { ...open.result, outcome: successOf(intent.kind), reason: null };
  }

  /** Sends the payment and follows it to its end. `settled` hears the outcome as soon as it can no longer change. */
  async run(settled: (result: PaymentResult) => void): Promise<PaymentResult> {
    if (!(await this.#parts.counterpart.ready(AWAY_GRACE_MS))) return this.decline(TERMINAL_AWAY);
    for (let tries = 1; tries <= MAX_BUSY_TRIES; tries += 1) {
      if (this.#parts.counterpart.abortWanted()) return this.decline('abort-till');
      if (tries === 1) this.#record('sent', { before: this.#before === null ? null : bookingJson(this.#before) });
      const end = await this.#parts.counterpart.command(this.#command(), this.#hooks(settled));
      const result = this.#ended(end);
      if (result === 'ask') return this.settle();
      if (result !== 'again') return result;
      if (end.kind === 'refused') await this.#parts.counterpart.pause(this.#parts.timers.busyWaitMs);
      if (!(await this.#parts.counterpart.ready(AWAY_GRACE_MS))) return this.decline(TERMINAL_AWAY);
    }
    return this.decline('terminal-busy');
  }

  #command(): Uint8Array {
    const { password, currencyNumeric } = this.#parts;
    const { kind, amountMinor, receiptNo } = this.#intent;
    if (kind === 'reversal') return reversal(password, receiptNo ?? 0);
    if (kind === 'refund') return refund(password, amountMinor, currencyNumeric);
    return authorisation(amountMinor, currencyNumeric);
  }

  #hooks(settled: (result: PaymentResult) => void): DialogueHooks {
    return {
      accepted: () => this.#record('accepted', {}),
      abortWanted: () => this.#parts.counterpart.abortWanted(),
      status: (fields, accepted) => {
        // Before 80 00 a terminal may still be handing in the status of the payment before this one.
        if (accepted || !this.#isEarlier(fields)) this.#status(fields);
      },
      answered: () => {
        this.#answered = this.#reported !== null;
      },
      told: () => {
        this.#nowTold();
        if (this.#told && this.#reported !== null) settled(this.#reported);
      },
    };
  }

  /** The booking that was the last one before this payment was sent. */
  #isEarlier(fields: ZvtFields): boolean {
    return this.#before !== null && sameBooking(this.#before, bookingOf(fields)) === true;
  }

  /** The terminal's word on this payment. On disk when it returns, for then the terminal is told. */
  #status(fields: ZvtFields): void {
    if (this.#reported !== null) {
      // The same word again is the same payment; another one cannot be, and only the first was asked for.
      if (sameBooking(this.#booking ?? bookingOf(fields), bookingOf(fields)) === false)
        this.#parts.log.warn('second-booking', { intentId: this.#intent.intentId });
      return;
    }
    const resultCode = fields.resultCode ?? 0;
    if (resultCode !== 0 && resultCode !== RESULT.alreadyReversed) {
      this.#failed = true;
      this.#conclude(resultOf('declined', resultReason(resultCode), fields, this.#intent.amountMinor));
      return;
    }
    this.#booking = bookingOf(fields);
    this.#reported = resultOf(successOf(this.#intent.kind), null, fields, this.#intent.amountMinor);
    this.#record('accepted', { booking: bookingJson(this.#booking) });
    this.#conclude(this.#reported);
  }

  /** The payment stands once the terminal has our 80 00 to its status information (A 2.2.8). */
  #nowTold(): void {
    if (this.#reported === null || this.#told) return;
    this.#told = true;
    this.#finish();
    if (this.#booking !== null) this.#parts.journal.remember(LAST_BOOKING, bookingJson(this.#booking));
  }

  #ended(end: CommandEnd): PaymentResult | 'ask' | 'again' {
    if (this.#reported !== null) {
      // An abort after a booking: the terminal may have taken it back.
      if (!this.#told || end.kind === 'aborted') return 'ask';
      return this.#reported;
    }
    if (this.#failed) return this.#finished('declined');
    switch (end.kind) {
      case 'completed':
        // Without status information nothing says that money moved; a reversal needs no other word.
        return this.#intent.kind === 'reversal' ? this.#succeed(end.fields) : 'ask';
      case 'aborted':
        return this.#refused(end.resultCode, end.fields);
      case 'refused':
        if (end.started) return 'ask';
        return TRY_LATER.has(end.resultCode) ? 'again' : this.#refused(end.resultCode, {});
      case 'broken':
        if (end.started) return 'ask';
        return end.why === 'line' ? this.decline('line-disturbed') : 'again';
    }
  }

  #refused(resultCode: number, fields: ZvtFields): PaymentResult {
    if (this.#intent.kind === 'reversal' && resultCode === RESULT.alreadyReversed) return this.#succeed(fields);
    const reason = resultReason(resultCode) ?? 'aborted';
    return this.#finishWith(resultOf('declined', reason, fields, this.#intent.amountMinor));
  }

  #succeed(fields: ZvtFields): PaymentResult {
    return this.#finishWith(resultOf(successOf(this.#intent.kind), null, fields, this.#intent.amountMinor));
  }

  /**
   * Finds out what became of a payment that a cut left open, by repeat receipt against the journal. Never sends a
   * payment again; a reversal is sent again, for a terminal reverses once.
   */
  async settle(): Promise<PaymentResult> {
    const { counterpart, clock, recoveryMs, timers } = this.#parts;
    const acknowledged = this.#answered ? this.#reported : null;
    const endMono = clock.monoMs() + (acknowledged === null ? recoveryMs : Math.min(recoveryMs, REPORTED_GRACE_MS));
    this.#parts.log.warn('payment-open', { intentId: this.#intent.intentId });
    const wasTold = this.#told;
    counterpart.stray({
      status: (fields) => {
        if (!this.#isEarlier(fields)) this.#status(fields);
      },
      told: () => this.#nowTold(),
    });
    try {
      for (let misses = 0; misses < MAX_MISSES;) {
        const leftMs = endMono - clock.monoMs();
        const ready = leftMs > 0 && (await counterpart.ready(leftMs));
        // The terminal has handed in its own word meanwhile.
        if (!wasTold && this.#told && this.#reported !== null) return this.#reported;
        if (!ready) return acknowledged === null ? this.#unknown(TERMINAL_AWAY) : this.#standing(acknowledged);
        const word = await this.#ask();
        if (typeof word === 'object') return word;
        if (word === 'miss') misses += 1;
        if (word !== 'lost') await counterpart.pause(timers.busyWaitMs);
      }
      return this.#unknown('unclear');
    } finally {
      counterpart.stray(null);
    }
  }

  async #ask(): Promise<PaymentResult | 'later' | 'lost' | 'miss'> {
    const wasFailed = this.#failed;
    const wasTold = this.#told;
    if (this.#intent.kind === 'reversal') return this.#askReversal();
    let last: ZvtFields | null = null;
    let own = false;
    const end = await this.#parts.counterpart.command(repeatReceipt(this.#parts.password), {
      status: (fields, accepted) => {
        // Before 80 00 it may be the payment's own word, or the answer to our question whose 80 00 the line has lost:
        // only what can be no earlier booking is the former.
        own = !accepted && this.#verdict(fields) === 'booked';
        if (own) this.#status(fields);
        else last = fields;
      },
      told: () => {
        if (own) this.#nowTold();
      },
    });
    // The terminal was still at it and has now handed in its own word.
    if (!wasTold && this.#told && this.#reported !== null) return this.#reported;
    if (this.#failed && !wasFailed) return this.#finished('declined');
    if (end.kind === 'completed' && last !== null) return this.#judged(last);
    if (end.kind === 'aborted' && end.resultCode === RESULT.notPossible) return this.#judged(null);
    if (end.kind === 'broken') return end.why === 'lost' ? 'lost' : end.why === 'no-end' ? 'miss' : 'later';
    return 'resultCode' in end && TRY_LATER.has(end.resultCode) ? 'later' : 'miss';
  }

  async #askReversal(): Promise<PaymentResult | 'later' | 'lost' | 'miss'> {
    const end = await this.#parts.counterpart.command(
      this.#command(),
      this.#hooks(() => undefined),
    );
    if (this.#reported !== null && this.#told) return this.#reported;
    if (end.kind === 'completed') return this.#succeed(end.fields);
    if (end.kind === 'broken') return end.why === 'lost' ? 'lost' : 'later';
    if (end.resultCode === RESULT.alreadyReversed) return this.#succeed({});
    return TRY_LATER.has(end.resultCode) ? 'later' : 'miss';
  }

  #verdict(last: ZvtFields | null): Verdict {
    return judge({ amountMinor: this.#intent.amountMinor, before: this.#before, reported: this.#booking }, last);
  }

  #judged(last: ZvtFields | null): PaymentResult {
    const { amountMinor } = this.#intent;
    const verdict = this.#verdict(last);
    this.#parts.log.info('payment-judged', { intentId: this.#intent.intentId, verdict });
    if (last !== null && (last.resultCode ?? 0) === 0)
      this.#parts.journal.remember(LAST_BOOKING, bookingJson(bookingOf(last)));
    if (verdict === 'unclear') return this.#unknown('unclear');
    if (verdict === 'booked')
      return this.#finishWith(this.#reported ?? resultOf(successOf(this.#intent.kind), null, last ?? {}, amountMinor));
    if (this.#reported === null) return this.decline('not-charged');
    return this.#finishWith({ ...this.#reported, outcome: 'reversed', reason: 'auto-reversal' });
  }

  /** The terminal's word stands although it is away; the journal stays open, so that it is asked when it is back. */
  #standing(reported: PaymentResult): PaymentResult {
    this.#record('accepted', { [STANDS]: true });
    return reported;
  }

  #unknown(reason: string): PaymentResult {
    const known = this.#reported ?? resultOf('unknown', reason, {}, this.#intent.amountMinor);
    const result: PaymentResult = { ...known, outcome: 'unknown', reason };
    this.#conclude(result);
    // Its booking may be the terminal's last one now: compared with the one before it, the next payment would take it for its own.
    this.#parts.journal.remember(LAST_BOOKING, this.#booking === null ? null : bookingJson(this.#booking));
    return result;
  }

  /** Ends a payment that was not sent, or that was certainly not charged. */
  decline(reason: string): PaymentResult {
    return this.#finishWith(resultOf('declined', reason, {}, this.#intent.amountMinor));
  }

  #record(step: 'sent' | 'accepted', facts: Parameters<PaymentJournal['record']>[2]): void {
    this.#parts.journal.record(this.#intent.intentId, step, facts);
  }

  #conclusion: PaymentResult | null = null;

  #conclude(result: PaymentResult): void {
    this.#parts.journal.conclude(this.#intent.intentId, result);
    this.#conclusion = result;
  }

  #finish(): void {
    this.#parts.journal.finish(this.#intent.intentId);
  }

  #finishWith(result: PaymentResult): PaymentResult {
    this.#conclude(result);
    this.#finish();
    return result;
  }

  /** The outcome that is on disk already. */
  #finished(outcome: PaymentOutcome): PaymentResult {
    this.#finish();
    return this.#conclusion ?? resultOf(outcome, null, {}, this.#intent.amountMinor);
  }
}

/** Ends what a crash left open before anything was sent, or after nothing was left to say. `ask`: the terminal must be asked. */
export function endWithoutTerminal(journal: PaymentJournal, open: OpenPayment): 'ended' | 'ask' {
  const { intentId, amountMinor } = open.intent;
  if (open.step === 'intent') journal.conclude(intentId, resultOf('declined', 'not-sent', {}, amountMinor));
  else if (open.result === undefined || open.result.outcome === successOf(open.intent.kind)) return 'ask';
  journal.finish(intentId);
  return 'ended';
}

function successOf(kind: PaymentIntent['kind']): PaymentOutcome {
  return kind === 'sale' ? 'approved' : kind === 'refund' ? 'refunded' : 'reversed';
}
