import type { Clock } from '../../../drivers/api/clock.ts';
import { untilWoken } from '../../../drivers/lib/until-woken.ts';

/** Most that a link holds for a reader that is too slow. */
const QUEUE_BYTES = 1_048_576;

interface Entry {
  readonly bytes: Uint8Array;
  /** Bytes lost between the entry before and this one. */
  readonly droppedBefore: number;
  readonly atMono: number;
}

/**
 * Chunks between a port that never waits and one reader that pulls. At the bound the newest chunk is dropped, so what
 * is handed out is a whole beginning; `droppedBytes` grows only when the reader reaches the gap, so a reader that sees
 * it grow knows that its half-read frame lies before the gap and this chunk after it.
 */
export interface ByteQueue {
  push(bytes: Uint8Array): void;
  /** No more bytes come. A failure is thrown to the reader once it has had everything before. */
  end(failure: Error | null): void;
  chunks(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined>;
  readonly droppedBytes: number;
  /** When the chunk handed out last came in. */
  readonly chunkAtMono: number;
}

export function byteQueue(clock: Pick<Clock, 'monoMs'>, maxBytes: number = QUEUE_BYTES): ByteQueue {
  const entries: Entry[] = [];
  let queuedBytes = 0;
  let gapBytes = 0;
  let droppedBytes = 0;
  let chunkAtMono = clock.monoMs() as number;
  let ended: { readonly failure: Error | null } | undefined;
  let wake: (() => void) | undefined;

  return {
    get droppedBytes() {
      return droppedBytes;
    },
    get chunkAtMono() {
      return chunkAtMono;
    },
    push(bytes) {
      if (ended !== undefined || bytes.length === 0) return;
      if (queuedBytes + bytes.length > maxBytes) {
        gapBytes += bytes.length;
        return;
      }
      entries.push({ bytes, droppedBefore: gapBytes, atMono: clock.monoMs() });
      gapBytes = 0;
      queuedBytes += bytes.length;
      wake?.();
    },
    end(failure) {
      ended ??= { failure };
      wake?.();
    },
    async *chunks(signal) {
      while (!signal.aborted) {
        const entry = entries.shift();
        if (entry !== undefined) {
          queuedBytes -= entry.bytes.length;
          droppedBytes += entry.droppedBefore;
          chunkAtMono = entry.atMono;
          yield entry.bytes;
          continue;
        }
        if (ended !== undefined) {
          droppedBytes += gapBytes;
          gapBytes = 0;
          if (ended.failure !== null) throw ended.failure;
          return;
        }
        await untilWoken((resume) => (wake = resume), signal);
      }
    },
  };
}
