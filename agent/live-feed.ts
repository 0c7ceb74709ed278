import type { CloudEvent } from './core/event.ts';

/** Events kept for a page that opens now. */
export const RECENT_EVENTS = 200;
/** Events that may wait for one slow reader before the oldest are skipped. */
export const READER_BACKLOG = 1_024;
/** Readers at a time; one more is refused by giving it nothing. */
export const MAX_READERS = 32;

interface Reader {
  readonly waiting: CloudEvent[];
  wake: (() => void) | null;
}

/** The newest stored events, for readers that pull at their own pace. A slow reader loses its oldest, nobody else's. */
export class LiveFeed {
  readonly #recent: CloudEvent[] = [];
  readonly #readers = new Set<Reader>();
  skipped = 0;

  push(events: readonly CloudEvent[]): void {
    this.#recent.push(...events.slice(-RECENT_EVENTS));
    if (this.#recent.length > RECENT_EVENTS) this.#recent.splice(0, this.#recent.length - RECENT_EVENTS);
    for (const reader of this.#readers) {
      reader.waiting.push(...events.slice(-READER_BACKLOG));
      const over = reader.waiting.length - READER_BACKLOG;
      if (over > 0) {
        reader.waiting.splice(0, over);
        this.skipped += over;
      }
      reader.wake?.();
    }
  }

  recent(limit: number): readonly CloudEvent[] {
    return limit <= 0 ? [] : this.#recent.slice(-limit);
  }

  /** Events from now on, until the signal fires. */
  async *live(signal: AbortSignal): AsyncGenerator<CloudEvent> {
    if (this.#readers.size >= MAX_READERS) return;
    const reader: Reader = { waiting: [], wake: null };
    const onAbort = (): void => reader.wake?.();
    signal.addEventListener('abort', onAbort);
    this.#readers.add(reader);
    try {
      while (!signal.aborted) {
        yield* reader.waiting.splice(0);
        if (reader.waiting.length > 0 || signal.aborted) continue;
        await new Promise<void>((resolve) => {
          reader.wake = resolve;
        });
        reader.wake = null;
      }
    } finally {
      this.#readers.delete(reader);
      signal.removeEventListener('abort', onAbort);
    }
  }
}
