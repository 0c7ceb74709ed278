import type { WallMs } from '../../drivers/api/clock.ts';
import type { DriverState, EventReading, JsonObject, StateReading } from '../../drivers/api/reading.ts';
import type { DriverStatus } from '../core/status.ts';

/** Subjects whose newest event is kept for the status page; a radio site may hold many more. */
const MAX_LATEST = 64;
/** Parts with a state of their own. */
const MAX_PARTS = 1_024;

interface PartState {
  readonly state: DriverState;
  readonly code: string | null;
  readonly detail: string | null;
}

/** What is known of one driver at work: its state by part, its counts, its newest values. */
export class DriverRecord {
  readonly id: string;
  readonly type: string;
  events = 0;
  dropped = 0;
  restarts = 0;
  #whole: PartState = { state: 'starting', code: null, detail: null };
  readonly #parts = new Map<string, PartState>();
  readonly #latest = new Map<string, { subject: string; type: string; atMs: WallMs; data: JsonObject }>();
  #lastEventMs: WallMs | null = null;

  constructor(id: string, type: string) {
    this.id = id;
    this.type = type;
  }

  /** Takes a state in; true when it is news. */
  enter(reading: Omit<StateReading, 'kind'>): boolean {
    const next: PartState = { state: reading.state, code: reading.code, detail: reading.detail ?? null };
    const before = reading.part === undefined ? this.#whole : this.#parts.get(reading.part);
    if (before !== undefined && before.state === next.state && before.code === next.code) return false;
    if (reading.part === undefined) this.#whole = next;
    else if (this.#parts.has(reading.part) || this.#parts.size < MAX_PARTS) this.#parts.set(reading.part, next);
    return true;
  }

  /** Counts an event and keeps it as its subject's newest. */
  note(event: Pick<EventReading, 'type' | 'data'>, subject: string, atMs: WallMs): void {
    this.events += 1;
    this.#lastEventMs = atMs;
    const part = partOf(event.data) ?? subject;
    // A sensor's values are kept apart from its counts, so that one does not hide the other.
    const key = `${part} ${event.type}`;
    this.#latest.delete(key);
    this.#latest.set(key, { subject: part, type: event.type, atMs, data: event.data });
    if (this.#latest.size > MAX_LATEST) {
      const oldest = this.#latest.keys().next();
      if (oldest.done !== true) this.#latest.delete(oldest.value);
    }
  }

  status(): DriverStatus {
    return {
      id: this.id,
      type: this.type,
      ...this.#whole,
      parts: [...this.#parts].map(([part, { state, code }]) => ({ part, state, code })),
      events: this.events,
      restarts: this.restarts,
      lastEventAt: this.#lastEventMs === null ? null : new Date(this.#lastEventMs).toISOString(),
      latest: [...this.#latest.values()].map(({ subject, type, atMs, data }) => ({
        subject,
        type,
        at: new Date(atMs).toISOString(),
        data,
      })),
    };
  }
}

/** What an event speaks of within its driver. */
function partOf(data: JsonObject): string | null {
  const part = data['sensorId'] ?? data['lineId'] ?? data['readerId'];
  return typeof part === 'string' ? part : null;
}
