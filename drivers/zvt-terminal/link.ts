import type { Clock } from '../api/clock.ts';
import type { ByteLink } from '../api/transports.ts';
import { createApduStream } from './apdu.ts';
import { createFrameReader, encodeFrame } from './frame.ts';
import { patience, timerOf } from './mailbox.ts';
import { ACK, COMMAND, MAX_SENDS, NAK, NEGATIVE_CLASS } from './protocol.ts';

export interface Timers {
  readonly t1Ms: number;
  readonly t2Ms: number;
  readonly t3Ms: number;
  readonly t4Ms: number;
  readonly busyWaitMs: number;
}

/**
 * What became of a sent APDU. `taken`: the terminal has it. `written`: it left, TCP gives no receipt. `refused`: each
 * send was answered with NAK, so the terminal certainly has not got it. `silent`: at least one send got no answer at
 * all, so the terminal may have it. `lost`: the link ended.
 */
export type SendResult = 'taken' | 'written' | 'refused' | 'silent' | 'lost';

export interface Sent {
  readonly result: SendResult;
  /** It was sent more than once. */
  readonly repeated: boolean;
  /** All its bytes left this process and no copy was refused: the terminal may have it, whatever became of the link. */
  readonly left: boolean;
}

/** APDUs to and from one terminal over one connection. */
export interface ApduLink {
  /** One APDU at a time; more are sent in the order of the calls. */
  send(apdu: Uint8Array, signal: AbortSignal): Promise<Sent>;
  /** Runs the receiving side until the connection ends; throws what the connection threw. */
  receive(signal: AbortSignal): Promise<void>;
}

export interface LinkParts {
  readonly bytes: ByteLink;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Takes a received APDU; false: no room, ask for it again. */
  readonly deliver: (apdu: Uint8Array) => boolean;
  /** Three bad blocks in a row, or a block that the terminal refused three times. */
  readonly disturbed: () => void;
}

type Answer = 'ack' | 'nak' | 'implied' | 'silent' | 'lost';

/** Sends in the order of the calls, one after the other. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = tail.then(work, work);
    tail = turn.catch(() => undefined);
    return turn;
  };
}

/** The serial line (T 3): each block is answered with ACK or NAK and sent at most three times. */
export function serialLink(parts: LinkParts): ApduLink {
  const { bytes, clock, timers } = parts;
  const reader = createFrameReader();
  const inTurn = oneAtATime();
  let pending: { readonly isAnswer: boolean; settle(answer: Answer): void } | undefined;
  let lastReceived = '';
  let badInARow = 0;
  let over = false;

  const answerOf = async (apdu: Uint8Array, signal: AbortSignal, onLeft: () => void): Promise<Answer> => {
    const timer = timerOf(signal);
    try {
      const answer = new Promise<Answer>((resolve) => {
        pending = { isAnswer: isAnswer(apdu), settle: resolve };
      });
      await bytes.write(encodeFrame(apdu), signal);
      onLeft();
      return await Promise.race([
        answer,
        patience(clock, timers.t2Ms, timer.signal).then((): Answer => (over ? 'lost' : 'silent')),
      ]);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof TypeError || error instanceof RangeError) throw error;
      return 'lost';
    } finally {
      pending = undefined;
      timer.end();
    }
  };

  const send: ApduLink['send'] = (apdu, signal) =>
    inTurn(async () => {
      let refusals = 0;
      let left = false;
      const onLeft = (): void => {
        left = refusals === 0;
      };
      for (let sends = 1; sends <= MAX_SENDS; sends += 1) {
        if (over) return { result: 'lost', repeated: sends > 1, left };
        const answer = await answerOf(apdu, signal, onLeft);
        signal.throwIfAborted();
        if (answer === 'ack' || answer === 'implied') return { result: 'taken', repeated: sends > 1, left };
        if (answer === 'lost') return { result: 'lost', repeated: sends > 1, left };
        if (answer === 'nak') {
          refusals += 1;
          left = false;
        }
      }
      parts.disturbed();
      return { result: refusals === MAX_SENDS ? 'refused' : 'silent', repeated: true, left };
    });

  const reply = async (byte: number, signal: AbortSignal): Promise<void> => bytes.write(Uint8Array.of(byte), signal);

  const block = async (apdu: Uint8Array, signal: AbortSignal): Promise<void> => {
    badInARow = 0;
    const text = String(apdu);
    // Status information that comes again may be the terminal's repeat, which has not seen our answer to the first.
    const repeat = text === lastReceived && isStatus(apdu);
    if (!parts.deliver(apdu)) return reply(NAK, signal);
    lastReceived = text;
    // An answer proves that its command arrived although the ACK was lost; sending that again could start it twice.
    if (pending !== undefined && (pending.isAnswer ? !repeat : isAnswer(apdu))) pending.settle('implied');
    return reply(ACK, signal);
  };

  const bad = async (signal: AbortSignal): Promise<void> => {
    badInARow += 1;
    if (badInARow % MAX_SENDS === 0) parts.disturbed();
    return reply(NAK, signal);
  };

  /** T1: a block that stops is refused; the rest of a lost one is waited out. */
  const gapWatch = (signal: AbortSignal): { restart(): void; end(): void } => {
    let timer: ReturnType<typeof timerOf> | undefined;
    const restart = (): void => {
      timer?.end();
      timer = undefined;
      if (!reader.midBlock) return;
      const own = timerOf(signal);
      timer = own;
      void patience(clock, timers.t1Ms, own.signal)
        .then(async () => {
          if (own.signal.aborted) return;
          const cut = reader.gap();
          restart();
          if (cut) await bad(signal);
        })
        .catch(() => {
          // The line is gone; receive() reports it.
          own.end();
        });
    };
    return { restart, end: () => timer?.end() };
  };

  return {
    send,
    async receive(signal) {
      const watch = gapWatch(signal);
      try {
        for await (const chunk of bytes.chunks(signal)) {
          for (const token of reader.push(chunk)) {
            if (token.kind === 'block') await block(token.apdu, signal);
            else if (token.kind === 'bad') await bad(signal);
            else pending?.settle(token.kind);
          }
          watch.restart();
        }
      } finally {
        over = true;
        watch.end();
        pending?.settle('lost');
      }
    },
  };
}

function isStatus(apdu: Uint8Array): boolean {
  return apdu[0] === COMMAND.statusInformation >> 8 && apdu[1] === (COMMAND.statusInformation & 0xff);
}

function isAnswer(apdu: Uint8Array): boolean {
  return apdu[0] === 0x80 || apdu[0] === NEGATIVE_CLASS;
}

/** TCP (A 1.2): APDUs one behind the other. A half one that does not go on means that both sides count differently. */
export function tcpLink(parts: LinkParts): ApduLink {
  const { bytes, clock, timers } = parts;
  const stream = createApduStream();
  const inTurn = oneAtATime();
  let over = false;
  return {
    send: (apdu, signal) =>
      inTurn(async () => {
        if (over) return { result: 'lost', repeated: false, left: false };
        try {
          await bytes.write(apdu, signal);
          return { result: 'written', repeated: false, left: true };
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof TypeError || error instanceof RangeError) throw error;
          return { result: 'lost', repeated: false, left: false };
        }
      }),
    async receive(signal) {
      let timer: ReturnType<typeof timerOf> | undefined;
      try {
        for await (const chunk of bytes.chunks(signal)) {
          timer?.end();
          timer = undefined;
          for (const apdu of stream.push(chunk)) if (!parts.deliver(apdu)) parts.disturbed();
          if (!stream.midApdu) continue;
          const own = timerOf(signal);
          timer = own;
          void patience(clock, timers.t2Ms, own.signal).then(async () => {
            if (!own.signal.aborted) await bytes.close();
          });
        }
      } finally {
        over = true;
        timer?.end();
      }
    },
  };
}
