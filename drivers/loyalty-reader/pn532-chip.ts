import type { Clock } from '../api/clock.ts';
import type { ByteLink } from '../api/transports.ts';
import { decodePn532, type Pn532Frame } from './decode-pn532.ts';
import { loyaltyFailure } from './errors.ts';
import { ACK_FRAME, FRAME_MAX, pn532Frame, TFI_HOST } from './pn532-protocol.ts';

/** A chip acknowledges at once; the first time it may still be starting up (both as nfcpy waits). */
const ACK_MS = 100;
const FIRST_ACK_MS = 1_500;

/** Tries of one command before the reader is called silent. */
export const TRIES = 3;

/** One command at a time over one link. */
export interface Pn532Chip {
  /**
   * The data of the answer. Without one in time the command is cancelled and tried again.
   * @throws AgentError `reader-silent`; what the link throws.
   */
  command(code: number, data: readonly number[] | Uint8Array, timeoutMs: number): Promise<Uint8Array>;
}

/** The chip behind a link. `signal` ends every wait. */
export function pn532Chip(link: ByteLink, clock: Clock, signal: AbortSignal): Pn532Chip {
  const frames = frameQueue(link, clock, signal);
  let ackMs = FIRST_ACK_MS;

  const attempt = async (code: number, frame: Uint8Array, timeoutMs: number): Promise<Uint8Array | null> => {
    frames.clear();
    await link.write(frame, signal);
    const acknowledged = await frames.next((seen) => seen.kind === 'ack', ackMs);
    if (acknowledged === null) return null;
    ackMs = ACK_MS;
    const answer = await frames.next((seen) => seen.kind === 'response' && seen.code === code + 1, timeoutMs);
    return answer?.kind === 'response' ? answer.data.slice() : null;
  };

  return {
    async command(code, data, timeoutMs) {
      const frame = pn532Frame(Uint8Array.of(TFI_HOST, code, ...data));
      for (let tried = 0; tried < TRIES; tried += 1) {
        const answer = await attempt(code, frame, timeoutMs);
        if (answer !== null) return answer;
        await link.write(ACK_FRAME, signal);
      }
      throw loyaltyFailure('reader-silent');
    },
  };
}

interface FrameQueue {
  clear(): void;
  /** The next frame that is wanted; others are skipped. `null` when none came in time. */
  next(wanted: (frame: Pn532Frame) => boolean, timeoutMs: number): Promise<Pn532Frame | null>;
}

function frameQueue(link: ByteLink, clock: Clock, signal: AbortSignal): FrameQueue {
  const chunks = link.chunks(signal)[Symbol.asyncIterator]();
  const buffer = new Uint8Array(2 * FRAME_MAX);
  let length = 0;
  // Kept across a timeout: a chunk that comes late belongs to the next wait, not to nobody.
  let pending: Promise<IteratorResult<Uint8Array>> | undefined;

  const consume = (bytes: number): void => {
    buffer.copyWithin(0, bytes, length);
    buffer.fill(0, length - bytes, length);
    length -= bytes;
  };

  const take = (): Pn532Frame | null => {
    for (;;) {
      const result = decodePn532(buffer.slice(0, length));
      consume(result.end);
      if (result.ok) return result.frame;
      if (result.code === 'truncated' || result.code === 'no-frame') break;
    }
    // A full buffer without a frame can only be noise.
    if (length === buffer.length) consume(length);
    return null;
  };

  const receive = async (timeoutMs: number): Promise<boolean> => {
    const timer = new AbortController();
    const stop = (): void => timer.abort(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', stop, { once: true });
    try {
      pending ??= chunks.next();
      const late = clock.sleep(timeoutMs, timer.signal).then(() => null);
      const got = await Promise.race([pending, late]);
      if (got === null) return false;
      pending = undefined;
      if (got.done === true) throw loyaltyFailure('port-lost');
      const part = got.value.subarray(0, buffer.length - length);
      buffer.set(part, length);
      length += part.length;
      got.value.fill(0);
      return true;
    } finally {
      signal.removeEventListener('abort', stop);
      timer.abort();
    }
  };

  return {
    clear: () => consume(length),
    async next(wanted, timeoutMs) {
      const until = clock.monoMs() + timeoutMs;
      for (;;) {
        for (let frame = take(); frame !== null; frame = take()) if (wanted(frame)) return frame;
        const leftMs = until - clock.monoMs();
        if (leftMs <= 0 || !(await receive(leftMs))) return null;
      }
    },
  };
}
