import { AgentError } from '../../drivers/api/agent-error.ts';
import type { DriverIo, DriverSession, Emission, Log } from '../../drivers/api/driver.ts';
import type { PaymentTerminal } from '../../drivers/api/payment.ts';
import type { Chance } from '../../drivers/api/clock.ts';
import type { EventReading, JsonObject, Reading, Saves, StateReading } from '../../drivers/api/reading.ts';
import type { DriverEntry } from '../config/read-config.ts';
import { BackOff } from '../core/back-off.ts';
import type { PendingEvent, StoredEvent } from '../core/event.ts';
import type { KitClock } from '../core/host.ts';
import type { DriverStatus } from '../core/status.ts';
import { DriverRecord } from './driver-record.ts';
import { supervisorFailure } from './errors.ts';

/** A device that does not open in this time is closed and tried again. */
export const OPEN_TIMEOUT_MS = 60_000;
/** A session that will not close is left behind after this time, so that a stuck device cannot hold up a stop. */
export const CLOSE_TIMEOUT_MS = 3_000;
/** First and longest wait between two tries, and how long a session must hold to count as healed. */
export const RESTART: { readonly firstMs: number; readonly maxMs: number; readonly stableMs: number } = {
  firstMs: 250,
  maxMs: 30_000,
  stableMs: 30_000,
};

export interface SupervisorParts {
  readonly clock: KitClock;
  readonly chance: Chance;
  readonly log: Log;
  /** What one driver may touch of the world. */
  io(entry: DriverEntry): DriverIo;
  /** Takes an event and what the driver saves with it, in order; resolves when there is room for the next. */
  put(event: PendingEvent | null, owner: string, saves: Saves | undefined): Promise<void>;
}

/** Keeps every driver running on its own: one that fails is started again with back-off, the others never notice. */
export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #running = new Map<string, Running>();

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
  }

  /** Starts a driver; it runs until {@link stop}. */
  start(entry: DriverEntry): void {
    if (this.#running.has(entry.id)) throw new TypeError(`driver ${entry.id} runs already`);
    this.#running.set(entry.id, new Running(entry, this.#parts));
  }

  async stop(id: string): Promise<void> {
    const running = this.#running.get(id);
    if (running === undefined) throw supervisorFailure('driver-unknown', { detail: id });
    await running.stop();
    this.#running.delete(id);
  }

  /** Closes one driver's device and opens it again at once. */
  async restart(id: string): Promise<void> {
    const running = this.#running.get(id);
    if (running === undefined) throw supervisorFailure('driver-unknown', { detail: id });
    await running.stop();
    this.#running.set(id, new Running(running.entry, this.#parts));
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running.keys()].toReversed().map((id) => this.stop(id)));
  }

  /** Makes one device show itself, or every device that can. */
  async identify(id: string | null, signal: AbortSignal): Promise<void> {
    if (id !== null && !this.#running.has(id)) throw supervisorFailure('driver-unknown', { detail: id });
    for (const [driverId, running] of this.#running)
      if (id === null || id === driverId) await running.session?.identify?.(signal);
  }

  status(): readonly DriverStatus[] {
    return [...this.#running.values()].map((running) => running.record.status());
  }

  /** Counts events that a driver brought about without reading them out: payments come through their journal. */
  noteStored(events: readonly StoredEvent[]): void {
    for (const event of events)
      if (event.stream === 'sale') this.#running.get(event.subject)?.record.note(event, event.subject, event.wallMs);
  }

  entries(): readonly DriverEntry[] {
    return [...this.#running.values()].map((running) => running.entry);
  }

  /** Payment terminals that are open now, by driver id. */
  terminals(): ReadonlyMap<string, PaymentTerminal> {
    const terminals = new Map<string, PaymentTerminal>();
    for (const [id, { session }] of this.#running)
      if (session?.terminal !== undefined) terminals.set(id, session.terminal);
    return terminals;
  }
}

/** One driver's life: open, read, fail, wait, open again. */
class Running {
  readonly entry: DriverEntry;
  readonly record: DriverRecord;
  session: DriverSession | undefined;
  readonly #parts: SupervisorParts;
  readonly #stop = new AbortController();
  readonly #emissions: ReadonlyMap<string, Emission>;
  readonly #backOff: BackOff;
  readonly #done: Promise<void>;

  constructor(entry: DriverEntry, parts: SupervisorParts) {
    this.entry = entry;
    this.#parts = parts;
    this.record = new DriverRecord(entry.id, entry.type);
    this.#emissions = new Map(entry.driver.emits.map((emission) => [emission.type, emission]));
    this.#backOff = new BackOff(RESTART, parts.chance);
    this.#done = this.#live();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    await this.#done;
  }

  async #live(): Promise<void> {
    const { clock, log } = this.#parts;
    const signal = this.#stop.signal;
    await this.#report({ state: 'starting', code: null }, true);
    while (!signal.aborted) {
      const openedMono = clock.monoMs();
      let opened = false;
      try {
        await this.#serve(signal, () => {
          opened = true;
        });
      } catch (error) {
        if (signal.aborted) break;
        const failure = asFailure(error);
        log.warn('driver-failed', {
          driver: this.entry.id,
          code: failure.code,
          detail: failure.message,
          ...(failure.bug === undefined ? {} : { bug: failure.bug }),
        });
        await this.#report({ state: 'failed', code: failure.code, detail: failure.message });
        this.record.restarts += 1;
        const waitMs = this.#backOff.nextMs(opened ? clock.monoMs() - openedMono : 0);
        await clock.sleep(waitMs, signal).catch(ignoreAbort(signal));
      }
    }
    await this.#report({ state: 'stopped', code: null });
  }

  /** One session, from open to its end; returns only when told to stop. */
  async #serve(stop: AbortSignal, onOpen: () => void): Promise<void> {
    const { clock } = this.#parts;
    const life = new AbortController();
    const signal = AbortSignal.any([stop, life.signal]);
    const { entry } = this;
    const inTime = new AbortController();
    const timeout = clock.sleep(OPEN_TIMEOUT_MS, AbortSignal.any([signal, inTime.signal])).then(
      () => {
        throw supervisorFailure('driver-open-timeout', { detail: entry.id });
      },
      () => new Promise<never>(() => undefined),
    );
    const opening = entry.driver.open(entry.config, this.#parts.io(entry), signal);
    let session: DriverSession;
    try {
      session = await Promise.race([opening, timeout]);
    } catch (error) {
      life.abort(error);
      // A device that opens after all is closed again at once.
      void opening.then((late) => late[Symbol.asyncDispose]()).catch(ignoreAbort(signal));
      throw error;
    } finally {
      inTime.abort(new Error('opened'));
    }
    this.session = session;
    onOpen();
    try {
      if (session.tellsState !== true) await this.#report({ state: 'ready', code: null });
      for await (const reading of session.readings(stop)) await this.#take(reading);
      if (!stop.aborted) throw supervisorFailure('driver-ended', { detail: entry.id });
    } finally {
      this.session = undefined;
      life.abort(new Error('closed'));
      await this.#close(session);
    }
  }

  async #close(session: DriverSession): Promise<void> {
    const { clock, log } = this.#parts;
    const limit = new AbortController();
    const late = clock.sleep(CLOSE_TIMEOUT_MS, limit.signal).then(
      () => 'late' as const,
      () => 'ended' as const,
    );
    try {
      const how = await Promise.race([session[Symbol.asyncDispose]().then(() => 'closed' as const), late]);
      if (how === 'late') log.error('driver-close-timeout', { driver: this.entry.id });
    } catch (error) {
      log.warn('driver-close-failed', { driver: this.entry.id, detail: asFailure(error).message });
    } finally {
      limit.abort(new Error('closed'));
    }
  }

  async #take(reading: Reading): Promise<void> {
    switch (reading.kind) {
      case 'event':
        return this.#takeEvent(reading);
      case 'save':
        return this.#parts.put(null, this.#owner, reading.saves);
      case 'state':
        return this.#report(reading);
    }
  }

  async #takeEvent(reading: EventReading): Promise<void> {
    const emission = this.#emissions.get(reading.type);
    const checked = emission?.data.safeParse(reading.data);
    if (emission === undefined || checked?.success !== true) {
      this.record.dropped += 1;
      this.#parts.log.error('driver-emission', {
        driver: this.entry.id,
        type: reading.type,
        fault: checked?.error?.issues[0]?.path.join('.') ?? 'undeclared',
      });
      await this.#report({ state: 'degraded', code: 'driver-emission', detail: reading.type });
      return;
    }
    const subject = reading.subject ?? this.entry.id;
    this.record.note(reading, subject, this.#parts.clock.wallMs());
    await this.#parts.put(
      { type: reading.type, stream: emission.stream, subject, data: reading.data, atMono: reading.atMono },
      this.#owner,
      reading.saves,
    );
  }

  async #report(state: Omit<StateReading, 'kind'>, first = false): Promise<void> {
    if (!this.record.enter(state) && !first) return;
    const data: JsonObject = {
      driverId: this.entry.id,
      state: state.state,
      code: state.code,
      ...(state.part === undefined ? {} : { part: state.part }),
      ...(state.detail === undefined ? {} : { detail: state.detail }),
    };
    this.#parts.log.info('driver-state', data);
    await this.#parts.put(
      {
        type: 'barrow.driver.state.v1',
        stream: 'agent',
        subject: this.entry.id,
        data,
        atMono: this.#parts.clock.monoMs(),
      },
      this.#owner,
      undefined,
    );
  }

  get #owner(): string {
    return `driver/${this.entry.id}`;
  }
}

function asFailure(error: unknown): { readonly code: string; readonly message: string; readonly bug?: string } {
  if (error instanceof AgentError) return { code: error.code, message: error.message };
  const bug = supervisorFailure('driver-bug', { cause: error });
  return {
    code: bug.code,
    message: bug.message,
    bug: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}

/** Swallows the rejection that our own abort causes, and nothing else. */
function ignoreAbort(signal: AbortSignal): (error: unknown) => void {
  return (error) => {
    if (!signal.aborted) throw error;
  };
}
