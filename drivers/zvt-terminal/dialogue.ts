import type { Clock } from '../api/clock.ts';
import { intermediateTimeoutMs, NOT_POSSIBLE, POSITIVE, PROTOCOL_ERROR, ABORT, readApdu } from './apdu.ts';
import { decodeApdu, type Message } from './decode.ts';
import type { ZvtFields } from './fields.ts';
import type { ApduLink, SendResult, Sent, Timers } from './link.ts';
import type { Mailbox } from './mailbox.ts';
import { COMMAND, NEGATIVE_CLASS } from './protocol.ts';

/** What the session waits for. `job` only wakes it. */
export type Happening =
  | { readonly kind: 'up'; readonly link: ApduLink }
  | { readonly kind: 'apdu'; readonly link: ApduLink; readonly bytes: Uint8Array }
  | { readonly kind: 'down'; readonly link: ApduLink | null; readonly code: string; readonly detail: string }
  | { readonly kind: 'abort' }
  | { readonly kind: 'job' };

/** How a command ended. `started` is false only where the terminal certainly never took it up. */
export type CommandEnd =
  | { readonly kind: 'completed'; readonly fields: ZvtFields }
  | { readonly kind: 'aborted'; readonly resultCode: number; readonly fields: ZvtFields }
  | { readonly kind: 'refused'; readonly resultCode: number; readonly started: boolean }
  | { readonly kind: 'broken'; readonly why: 'line' | 'silent' | 'no-end' | 'lost'; readonly started: boolean };

export interface DialogueHooks {
  /** 80 00 came. */
  accepted?(): void;
  /**
   * 04 0F came: whatever must survive is on disk when this returns, for then the terminal is told.
   * `accepted` is false while 80 00 has not come. `refuse`: nobody knows of it, and the terminal is not to believe so.
   */
  status?(fields: ZvtFields, accepted: boolean): void | 'refuse';
  /** Our 80 00 to the last 04 0F has left and was not refused by the line: the terminal may have it. */
  answered?(): void;
  /** The terminal has our 80 00 to the last 04 0F. */
  told?(): void;
  /** The till wants this command stopped. */
  abortWanted?(): boolean;
  /** A line of the receipt, scrubbed. */
  text?(line: string): void;
}

export interface DialogueParts {
  readonly link: ApduLink;
  readonly mailbox: Mailbox<Happening>;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Hears that the connection is gone, and why. */
  readonly gone: (down: Happening & { readonly kind: 'down' }) => void;
}

/** A terminal that talks for ever is stopped after this many messages in one command; long receipts have 200 lines. */
export const MAX_MESSAGES = 4_096;

/** Runs one command from its first byte to its completion (A 2.2). Only the signal's reason is thrown. */
export async function runCommand(
  parts: DialogueParts,
  command: Uint8Array,
  hooks: DialogueHooks,
  signal: AbortSignal,
): Promise<CommandEnd> {
  const sent = await parts.link.send(command, signal);
  const broken = sendFailure(sent.result);
  // An answer may have come in although the line then failed; only then is there something to read.
  if (broken !== undefined && broken.why !== 'silent') return broken;
  return new Dialogue(parts, hooks, sent.repeated || sent.result === 'silent', signal).listen();
}

function sendFailure(result: SendResult): (CommandEnd & { readonly kind: 'broken' }) | undefined {
  if (result === 'refused') return { kind: 'broken', why: 'line', started: false };
  if (result === 'silent') return { kind: 'broken', why: 'silent', started: true };
  return result === 'lost' ? { kind: 'broken', why: 'lost', started: true } : undefined;
}

/** Answers one message of the terminal: positively, unless it makes no sense or asks for what the till cannot do. */
export function answer(link: ApduLink, message: Message | undefined, signal: AbortSignal): Promise<Sent> {
  const apdu = message === undefined || message.stop?.why === 'cut' ? PROTOCOL_ERROR : reply(message.control);
  return link.send(apdu, signal);
}

/** Commands of the terminal to the till that it takes note of; others it cannot do (A 3). */
const TAKEN: ReadonlySet<number> = new Set([
  COMMAND.setDateAndTime,
  COMMAND.statusInformation,
  COMMAND.intermediateStatus,
  COMMAND.completion,
  COMMAND.abortByTerminal,
  COMMAND.printLine,
  COMMAND.printTextBlock,
  COMMAND.displayText,
]);

/**
 * What a terminal says only after it has our answer to its status information, also where the transport gives no receipt:
 * the receipt and the end. An abort, an intermediate status (05: it is taking the booking back) and a repeated status
 * may come because it has none.
 */
const PROVES_RECEIPT: ReadonlySet<number> = new Set([COMMAND.printLine, COMMAND.printTextBlock, COMMAND.completion]);

function reply(control: number): Uint8Array {
  return TAKEN.has(control) ? POSITIVE : NOT_POSSIBLE;
}

/** Acknowledgements are no commands and are not answered. */
export function needsAnswer(bytes: Uint8Array): boolean {
  return bytes[0] !== 0x80 && bytes[0] !== NEGATIVE_CLASS;
}

class Dialogue {
  readonly #parts: DialogueParts;
  readonly #hooks: DialogueHooks;
  readonly #signal: AbortSignal;
  /** The command was sent more than once: a refusal may be the answer to its second copy. */
  readonly #repeated: boolean;
  #accepted = false;
  #untold = false;
  #deadlineMono: number;

  constructor(parts: DialogueParts, hooks: DialogueHooks, repeated: boolean, signal: AbortSignal) {
    this.#parts = parts;
    this.#hooks = hooks;
    this.#repeated = repeated;
    this.#signal = signal;
    this.#deadlineMono = parts.clock.monoMs() + parts.timers.t3Ms;
  }

  #allow(ms: number): void {
    this.#deadlineMono = this.#parts.clock.monoMs() + ms;
  }

  #lost(): CommandEnd {
    return { kind: 'broken', why: 'lost', started: true };
  }

  async listen(): Promise<CommandEnd> {
    const { mailbox, clock, link } = this.#parts;
    for (let messages = 0; messages < MAX_MESSAGES; messages += 1) {
      const happening = await mailbox.next(this.#deadlineMono - clock.monoMs(), this.#signal);
      if (happening === undefined) return this.#expired();
      if (happening.kind === 'abort') await this.#abort();
      else if (happening.kind === 'down') {
        this.#parts.gone(happening);
        if (happening.link === link) return this.#lost();
      } else if (happening.kind === 'apdu' && happening.link === link) {
        const end = await this.#message(happening.bytes);
        if (end !== undefined) return end;
      }
    }
    return { kind: 'broken', why: 'no-end', started: true };
  }

  /** A wish that came too late for its payment must not end the next one. */
  async #abort(): Promise<void> {
    if (this.#hooks.abortWanted?.() === true) await this.#parts.link.send(ABORT, this.#signal);
  }

  #expired(): CommandEnd {
    return { kind: 'broken', why: this.#accepted ? 'no-end' : 'silent', started: true };
  }

  async #message(bytes: Uint8Array): Promise<CommandEnd | undefined> {
    const message = decodeApdu(bytes);
    if (message !== undefined && PROVES_RECEIPT.has(message.control)) this.#nowTold();
    if (!needsAnswer(bytes)) return this.#acknowledgement(message);
    if (message?.stop?.why === 'cut' || message === undefined) {
      await answer(this.#parts.link, message, this.#signal);
      return undefined;
    }
    return this.#command(message, bytes);
  }

  #acknowledgement(message: Message | undefined): CommandEnd | undefined {
    if (this.#accepted || message === undefined) return undefined;
    const { control } = message;
    if (control >> 8 === NEGATIVE_CLASS && control !== NEGATIVE_CLASS << 8)
      return { kind: 'refused', resultCode: control & 0xff, started: this.#repeated };
    this.#accept();
    return undefined;
  }

  #accept(): void {
    this.#accepted = true;
    this.#allow(this.#parts.timers.t4Ms);
    this.#hooks.accepted?.();
  }

  #nowTold(): void {
    if (!this.#untold) return;
    this.#untold = false;
    this.#hooks.told?.();
  }

  async #command(message: Message, bytes: Uint8Array): Promise<CommandEnd | undefined> {
    const { timers, link } = this.#parts;
    const { control, fields } = message;
    if (control === COMMAND.statusInformation && this.#hooks.status?.(fields, this.#accepted) === 'refuse') {
      await link.send(NOT_POSSIBLE, this.#signal);
      return undefined;
    }
    if (control === COMMAND.printLine || control === COMMAND.printTextBlock) this.#hooks.text?.(fields.text ?? '');
    const sent = await answer(link, message, this.#signal);
    if (control === COMMAND.statusInformation) {
      this.#untold = true;
      if (sent.left) this.#hooks.answered?.();
      if (sent.result === 'taken') this.#nowTold();
    }
    if (sent.result === 'lost') return this.#lost();
    if (control === COMMAND.completion) return { kind: 'completed', fields };
    if (control === COMMAND.abortByTerminal) return { kind: 'aborted', resultCode: fields.resultCode ?? 0, fields };
    // The terminal is at work even where its 80 00 was lost.
    if (!this.#accepted && TAKEN.has(control) && control !== COMMAND.setDateAndTime) this.#accept();
    const data = control === COMMAND.intermediateStatus ? readApdu(bytes)?.data : undefined;
    this.#allow((data === undefined ? undefined : intermediateTimeoutMs(data)) ?? timers.t4Ms);
    return undefined;
  }
}
