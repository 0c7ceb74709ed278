import { AgentError } from '../../../drivers/api/agent-error.ts';
import type { Clock } from '../../../drivers/api/clock.ts';
import type { ByteLink } from '../../../drivers/api/transports.ts';
import { settle } from './settle.ts';

/** Most that waits for the other side to take it; more is refused rather than sent late. */
export const WRITE_QUEUE_BYTES = 65_536;

export interface BoundedWriteOptions {
  readonly clock: Clock;
  /** Fires when the link is over; its reason is thrown to who writes after that. */
  readonly ended: AbortSignal;
  /** Ends the link: bytes that may still lie on their way must not go out after their sender gave them up. */
  end(failure: Error): Promise<void>;
  /** Hands bytes on and says when they are taken. */
  send(bytes: Uint8Array, done: (error?: Error | null) => void): void;
  /** How long this many waiting bytes may take before the other side counts as lost. */
  stallMs(bytes: number): number;
  /** The refusal where no more may wait. */
  full(): AgentError;
  /** The failure of a write that was not taken, by a stall or by this error. */
  lost(because: { readonly stalled: true } | { readonly cause: unknown }): AgentError;
}

/** The write of a link: bounded in bytes and in time, and once it fails the link is over. */
export function boundedWrite(options: BoundedWriteOptions): ByteLink['write'] {
  const { clock, ended } = options;
  let pendingBytes = 0;
  return async (bytes, signal) => {
    signal.throwIfAborted();
    if (ended.aborted) throw ended.reason;
    if (pendingBytes + bytes.length > WRITE_QUEUE_BYTES) throw options.full();
    pendingBytes += bytes.length;
    const settled = new AbortController();
    try {
      await Promise.race([
        settle([ended, signal], (done) => options.send(bytes, done)),
        clock.sleep(options.stallMs(pendingBytes), settled.signal).then(() => {
          throw options.lost({ stalled: true });
        }),
      ]);
    } catch (error) {
      const lost = error instanceof AgentError ? error : options.lost({ cause: error });
      await options.end(lost);
      signal.throwIfAborted();
      throw lost;
    } finally {
      pendingBytes -= bytes.length;
      settled.abort();
    }
  };
}
