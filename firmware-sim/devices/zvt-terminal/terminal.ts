import { code as currencyByCode } from 'currency-codes';
import type { Clock } from '../../../drivers/api/clock.ts';
import { COMMAND, RESULT } from '../../../drivers/zvt-terminal/protocol.ts';
import { createBook, type Book, type BookEntry, type Moment } from './book.ts';
import { noFaults, PAYING_CUSTOMER, type Customer, type TerminalFaults } from './customer.ts';
import {
  abortion,
  asked,
  bookingStatus,
  completion,
  failureStatus,
  intermediate,
  negative,
  positive,
  printLine,
  registered,
  type Asked,
  type Identity,
} from './encode.ts';
import type { DeviceLine } from '../device-line.ts';
import { PulledPlug, terminalLine, type TerminalLine } from './line.ts';

/** The steps of a payment at which something may be cut, in their order. */
export const STEPS = [
  'asked',
  'accepted',
  'insert-card',
  'authorised',
  'status-sent',
  'acknowledged',
  'printed',
  'completed',
] as const;
export type Step = (typeof STEPS)[number];

export interface VirtualTerminalOptions {
  readonly clock: Clock;
  readonly terminalId?: string;
  /** ISO 4217 alphabetic; EUR unless said. */
  readonly currency?: string;
  readonly lastReceiptNo?: number;
  /** Lines of the receipt that go to the till. */
  readonly receiptLines?: number;
  /** How long an answer of the till may take, ms; 5,000 as the specification has it. */
  readonly answerMs?: number;
  /** How long the customer may take, ms. */
  readonly customerMs?: number;
  /** Awaited at each step of a payment: tests pull the plug in it. */
  readonly onStep?: (step: Step) => Promise<void>;
  /** Called for each good block of the till before it is acknowledged. */
  readonly onHeard?: (apdu: Uint8Array) => void;
}

/**
 * A card terminal with its own book of charges. It outlives its plugs: a booking that the till did not acknowledge is
 * taken back when the plug is pulled or the till stays silent (A 2.2.9).
 */
export class VirtualTerminal {
  readonly book: Book;
  readonly faults: TerminalFaults = noFaults();
  /** Who comes next; the last one stays. */
  readonly customers: Customer[] = [PAYING_CUSTOMER];
  /** Commands that the till sent, by control field, in order. */
  readonly commands: number[] = [];
  readonly #options: VirtualTerminalOptions;
  readonly #identity: Identity;
  #registered = false;

  constructor(options: VirtualTerminalOptions) {
    this.#options = options;
    this.book = createBook(options.lastReceiptNo);
    this.#identity = {
      terminalId: options.terminalId ?? '29000042',
      currencyNumeric: currencyByCode(options.currency ?? 'EUR')?.number ?? '978',
    };
  }

  /** Power is lost: the registration and what was not yet acknowledged are gone. */
  powerLost(): void {
    this.#registered = false;
    this.#takeBack();
  }

  /** Serves one plug until it is pulled or the signal fires. */
  async serve(plug: DeviceLine, framing: 'serial' | 'tcp', signal: AbortSignal): Promise<void> {
    const { clock, answerMs = 5_000, onHeard: heard = () => undefined } = this.#options;
    const line = terminalLine({ plug, clock, faults: this.faults, framing, signal, answerMs, heard });
    const running = line.run();
    try {
      for (;;) {
        const bytes = await line.next(60_000);
        if (bytes !== null) await this.#command(bytes, line);
      }
    } catch (error) {
      // A pulled plug ends whatever went on; anything else is a bug of the simulation.
      if (!(error instanceof PulledPlug) && !signal.aborted) throw error;
    } finally {
      this.#takeBack();
      await running.catch((error: unknown) => {
        if (!(error instanceof PulledPlug) && !signal.aborted) throw error;
      });
    }
  }

  #takeBack(): void {
    for (const entry of this.book.entries) if (entry.state === 'held') reverse(entry, 'terminal');
  }

  async #command(bytes: Uint8Array, line: TerminalLine): Promise<void> {
    const wanted = asked(bytes);
    if (wanted === null) return void (await line.send(negative(RESULT.protocolError)));
    if (wanted.control >> 8 === 0x80 || wanted.control >> 8 === 0x84) return;
    this.commands.push(wanted.control);
    if (this.faults.deaf > 0) {
      this.faults.deaf -= 1;
      return;
    }
    if (this.faults.busy > 0) {
      this.faults.busy -= 1;
      return void (await line.send(negative(RESULT.busy)));
    }
    await this.#obey(wanted, line);
  }

  async #obey(wanted: Asked, line: TerminalLine): Promise<void> {
    switch (wanted.control) {
      case COMMAND.registration:
        this.#registered = true;
        return this.#simple(line, registered(this.#identity));
      case COMMAND.authorisation:
      case COMMAND.refund:
        return this.#payment(wanted, line);
      case COMMAND.reversal:
        return this.#reversal(wanted, line);
      case COMMAND.repeatReceipt:
        return this.#repeat(wanted, line);
      case COMMAND.statusEnquiry:
        return this.#simple(line, completion(Uint8Array.of(0xf0, 0xf0, 0xf5, 0x31, 0x2e, 0x30, 0x2e, 0x30, 0x00)));
      case COMMAND.endOfDay:
      case COMMAND.diagnosis:
      case COMMAND.initialisation:
        return this.#simple(line, completion());
      case COMMAND.abortByTill:
      case COMMAND.logOff:
        return void (await line.send(positive()));
      default:
        return void (await line.send(negative(RESULT.notPossible)));
    }
  }

  async #simple(line: TerminalLine, end: Uint8Array): Promise<void> {
    await line.send(positive());
    await this.#tell(line, end);
  }

  /** Sends a command to the till and waits for its answer: true for 80 00. */
  async #tell(line: TerminalLine, apdu: Uint8Array): Promise<boolean> {
    if (!(await line.send(apdu))) return false;
    for (;;) {
      const answer = await line.next(this.#options.answerMs ?? 5_000);
      if (answer === null) return false;
      if (answer[0] === 0x80) return true;
      if (answer[0] === 0x84) return false;
      // Asked for something else in the middle of it: an abort is noted, anything else must wait.
      const other = asked(answer);
      if (other?.control === COMMAND.abortByTill) this.#aborted = true;
      await line.send(other?.control === COMMAND.abortByTill ? positive() : negative(RESULT.busy));
    }
  }

  #aborted = false;

  async #step(step: Step): Promise<void> {
    await this.#options.onStep?.(step);
  }

  async #payment(wanted: Asked, line: TerminalLine): Promise<void> {
    this.#aborted = false;
    await this.#step('asked');
    if (!this.#registered) return void (await line.send(negative(RESULT.notRegistered)));
    if (wanted.amountMinor === null) return void (await line.send(negative(RESULT.protocolError)));
    await line.send(positive());
    await this.#step('accepted');
    await this.#tell(line, intermediate(0x0a));
    await this.#step('insert-card');
    const customer = (this.customers.length > 1 ? this.customers.shift() : this.customers[0]) ?? PAYING_CUSTOMER;
    const refusal = await this.#approach(customer, line);
    if (refusal !== null) return this.#fail(line, ...refusal);
    const entry = this.book.hold(
      wanted.control === COMMAND.refund ? 'refund' : 'sale',
      wanted.amountMinor,
      this.#moment(),
    );
    await this.#step('authorised');
    // Power that was lost meanwhile took the payment with it.
    if (entry.state === 'held') await this.#handIn(entry, customer, line);
  }

  /** The customer comes to the terminal; why nothing comes of it, or `null`. */
  async #approach(customer: Customer, line: TerminalLine): Promise<readonly [number, string] | null> {
    const patienceMs = this.#options.customerMs ?? 60_000;
    const waitMs = customer.does === 'nothing' ? patienceMs : Math.min(customer.hesitatesMs, patienceMs);
    if (waitMs > 0) await this.#waitForAbort(line, waitMs);
    if (this.#aborted) return [RESULT.abort, 'Abbruch durch Kasse'];
    if (customer.does === 'nothing') return [RESULT.abort, 'Zeit abgelaufen'];
    if (customer.does === 'cancel') return [RESULT.abort, 'Abbruch durch Kunde'];
    return customer.issuer === 'decline' ? [0x05, 'Abgelehnt'] : null;
  }

  async #waitForAbort(line: TerminalLine, ms: number): Promise<void> {
    const { clock } = this.#options;
    const endMono = clock.monoMs() + ms;
    while (clock.monoMs() < endMono && !this.#aborted) {
      const bytes = await line.next(endMono - clock.monoMs());
      if (bytes === null || bytes[0] === 0x80) continue;
      this.#aborted = asked(bytes)?.control === COMMAND.abortByTill;
      await line.send(this.#aborted ? positive() : negative(RESULT.busy));
    }
  }

  async #fail(line: TerminalLine, resultCode: number, text: string): Promise<void> {
    await this.#tell(line, failureStatus(this.#identity, resultCode, text));
    await this.#tell(line, abortion(resultCode));
  }

  /** Status information until the till has acknowledged it; without that the booking is taken back. */
  async #handIn(entry: BookEntry, customer: Customer, line: TerminalLine): Promise<void> {
    const { faults } = this;
    const unmasked = faults.unmasked > 0;
    if (unmasked) faults.unmasked -= 1;
    const status = bookingStatus(this.#identity, entry, customer.card, { unmasked });
    const sent = this.#tell(line, status);
    // It is awaited below; a plug that is pulled in the step before is no bug.
    sent.catch(() => undefined);
    await this.#step('status-sent');
    if (!(await sent)) {
      reverse(entry, 'terminal');
      return void (await this.#tell(line, abortion(RESULT.abort)));
    }
    entry.state = 'booked';
    if (faults.duplicateStatus > 0) {
      faults.duplicateStatus -= 1;
      await this.#tell(line, status);
    }
    await this.#step('acknowledged');
    const lines = ['K U N D E N B E L E G', `Nr. ${customer.card.pan.slice(0, 6)} ** ${customer.card.pan.slice(-4)}`];
    for (const text of lines.slice(0, this.#options.receiptLines ?? 2)) await this.#tell(line, printLine(text));
    await this.#step('printed');
    await this.#tell(line, completion());
    await this.#step('completed');
  }

  async #reversal(wanted: Asked, line: TerminalLine): Promise<void> {
    await line.send(positive());
    const entry = wanted.receiptNo === null ? undefined : this.book.find(wanted.receiptNo);
    if (entry === undefined) return void (await this.#tell(line, abortion(0xb5)));
    if (entry.state === 'reversed') return void (await this.#tell(line, abortion(RESULT.alreadyReversed)));
    const status = bookingStatus(this.#identity, entry, PAYING_CUSTOMER.card, { unmasked: false });
    if (await this.#tell(line, status)) reverse(entry, 'till');
    await this.#tell(line, completion());
  }

  async #repeat(wanted: Asked, line: TerminalLine): Promise<void> {
    if (!this.#registered) return void (await line.send(negative(RESULT.notRegistered)));
    await line.send(positive());
    const entry = this.book.last();
    if (entry === undefined) return void (await this.#tell(line, abortion(RESULT.notPossible)));
    // Without bit 0 of the service byte no status information comes back (A 2.20).
    if (((wanted.serviceByte ?? 0) & 0x01) !== 0)
      await this.#tell(line, bookingStatus(this.#identity, entry, PAYING_CUSTOMER.card, { unmasked: false }));
    await this.#tell(line, completion());
  }

  #moment(): Moment {
    const text = new Date(this.#options.clock.wallMs()).toISOString();
    return { time: text.slice(11, 19).replaceAll(':', ''), date: text.slice(5, 10).replace('-', '') };
  }
}

function reverse(entry: BookEntry, by: 'terminal' | 'till'): void {
  entry.state = 'reversed';
  entry.reversedBy = by;
}
