import type { MonoMs } from '../../drivers/api/clock.ts';
import { AgentError } from '../../drivers/api/agent-error.ts';
import type { BrokerLink, LinkEnd } from '../core/host.ts';
import { makeAlarm, type Alarm } from './alarm.ts';
import { makeAnnouncements, ONCE, type Announcement, type Announcements } from './announcements.ts';
import { commandReader } from './commands.ts';
import { makeDrain, type Drain, type Flight } from './drain.ts';
import { WINDOW_BYTES, type Ending, type LinkContext } from './link-context.ts';
import type { Outgoing } from './outgoing.ts';
import { makePulse, type Pulse } from './pulse.ts';
import { makeResends, type ResendJob, type Resends } from './resend.ts';
import { makeSendPace, type SendPace } from './send-pace.ts';

/** Without a single PUBACK for this long, with something to acknowledge, the connection is dead whatever TCP believes. */
export const STALLED_MS = 30_000;

/** On a stop, rows that wait have this long to leave; the rest stays in the ledger. */
export const LAST_ROWS_MS = 2_000;
/** Then the last words have this long. */
const LAST_WORDS_MS = 1_000;

/** Acknowledgements are written to the ledger in groups: each group is one look at the rows. */
const FLUSH_ROWS = 256;
const FLUSH_AFTER_MS = 50;

const STATUS_EVERY_MS = 1_000;

const OFFLINE_STOPPED = '{"online":false,"reason":"stopped"}';

/**
 * Serves one connection from its birth message to its end: rows out, commands in. Ends when the link does, when the
 * broker stops acknowledging, or, after the last rows and words, when `stop` fires. Rejects on a bug only.
 */
export function serveConnection(context: LinkContext, link: BrokerLink, stop: AbortSignal): Promise<Ending> {
  return new Connection(context, link, stop).run();
}

class Connection {
  readonly #context: LinkContext;
  readonly #link: BrokerLink;
  readonly #stop: AbortSignal;
  readonly #over = new AbortController();
  readonly #turn: Pulse = makePulse();
  readonly #alarm: Alarm;
  readonly #drain: Drain;
  readonly #announcements: Announcements;
  readonly #resends: Resends;
  readonly #pace: SendPace;
  readonly #windowMessages: number;
  readonly #startMono: MonoMs;
  #openMessages = 0;
  #openBytes = 0;
  #progressMono: MonoMs;
  #pacedUntil: MonoMs | null = null;
  #flushDue: number = Number.POSITIVE_INFINITY;
  #statusDue: number;
  #statusStale = true;
  #ended: LinkEnd | null = null;
  #stalled = false;
  #failure: Error | null = null;

  constructor(context: LinkContext, link: BrokerLink, stop: AbortSignal) {
    const { clock, profile } = context.parts;
    const startMono = clock.monoMs();
    this.#context = context;
    this.#link = link;
    this.#stop = stop;
    this.#startMono = startMono;
    this.#progressMono = startMono;
    this.#statusDue = startMono;
    this.#alarm = makeAlarm(clock, () => this.#turn.raise());
    this.#drain = makeDrain(context, link);
    this.#announcements = makeAnnouncements(context, startMono);
    this.#resends = makeResends(context, link.maximumPacketSize ?? Number.POSITIVE_INFINITY, startMono);
    this.#pace = makeSendPace(profile, startMono);
    this.#windowMessages = Math.max(1, Math.min(context.windowMessages, link.receiveMaximum));
  }

  async run(): Promise<Ending> {
    const onStop = (): void => this.#turn.raise();
    const tasks: Promise<void>[] = [];
    void this.#link.ended.then((end) => {
      this.#ended = end;
      this.#turn.raise();
    });
    this.#stop.addEventListener('abort', onStop);
    try {
      await this.#greet();
      const commands = commandReader(this.#context, { link: this.#link, resend: (job) => this.#resend(job) });
      tasks.push(this.#listen(), commands.run(this.#over.signal));
      await this.#pump();
      if (this.#stop.aborted && this.#alive()) await this.#lastWords();
    } catch (error) {
      this.#fail(error);
    }
    this.#stop.removeEventListener('abort', onStop);
    return this.#finish(tasks);
  }

  #alive(): boolean {
    return this.#ended === null && this.#failure === null && !this.#stalled;
  }

  /** Subscribes and says that the kit is there. Events matter more than commands: a refused subscription ends nothing. */
  async #greet(): Promise<void> {
    const { parts, topics, meter } = this.#context;
    meter.code = null;
    meter.detail = null;
    try {
      await this.#within(this.#link.subscribe(topics.subscriptions));
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      meter.code = error.code;
      meter.detail = error.message;
      parts.log.error('uplink.deaf', { code: error.code });
    }
    await this.#within(this.#link.publish(topics.state, birth(this.#context, this.#link), { qos: 1, retain: true }));
    meter.state = 'online';
    meter.protocol = this.#link.protocol === 5 ? '5' : '3.1.1';
    parts.log.info('uplink.online', { protocol: meter.protocol, window: this.#windowMessages });
    // Told before the first health message is made, which else would call a new connection a missing one.
    parts.onStatus(meter.status(parts.clock.monoMs()));
    this.#announcements.refresh();
  }

  /** What the broker owes at the beginning: not longer than the link lives, nor than a stop or a stall lets it wait. */
  async #within(work: Promise<unknown>): Promise<void> {
    const enough = new AbortController();
    const onStop = (): void => enough.abort(this.#stop.reason);
    this.#stop.addEventListener('abort', onStop);
    if (this.#stop.aborted) onStop();
    const patience = this.#context.parts.clock.sleep(STALLED_MS, enough.signal).then(
      () => (this.#stalled = true),
      () => undefined,
    );
    try {
      await Promise.race([work, this.#link.ended, patience]);
    } finally {
      this.#stop.removeEventListener('abort', onStop);
      enough.abort(new Error('answered'));
    }
  }

  async #pump(): Promise<void> {
    const { clock } = this.#context.parts;
    let lastMono: number = Number.POSITIVE_INFINITY;
    while (this.#alive()) {
      const now = clock.monoMs();
      if (this.#stop.aborted) this.#drain.refresh();
      const empty = this.#beat(now);
      if (!this.#alive()) return;
      if (this.#stop.aborted) {
        lastMono = Math.min(lastMono, now + LAST_ROWS_MS);
        if ((empty && this.#openMessages === 0) || now >= lastMono) return;
        this.#alarm.at(lastMono as MonoMs);
      }
      await this.#turn.wait(this.#over.signal);
    }
  }

  #beat(now: MonoMs): boolean {
    if (now >= this.#flushDue) {
      this.#drain.flush(now);
      this.#flushDue = Number.POSITIVE_INFINITY;
    }
    const empty = this.#fill(now);
    if (this.#openMessages > 0 && now - this.#progressMono >= STALLED_MS) this.#stalled = true;
    if (this.#statusStale && now >= this.#statusDue) {
      this.#statusDue = now + STATUS_EVERY_MS;
      this.#statusStale = false;
      this.#context.parts.onStatus(this.#context.meter.status(now));
    }
    const due = [
      this.#drain.dueAt(now),
      this.#announcements.dueAt(now),
      this.#resends.dueAt(),
      this.#pacedUntil,
      this.#statusStale ? this.#statusDue : null,
      this.#flushDue,
      this.#openMessages > 0 ? this.#progressMono + STALLED_MS : null,
    ];
    // What is due already waits for room in the window, and a PUBACK is what makes room.
    this.#alarm.at(Math.min(...due.filter((one): one is number => one !== null && one > now)) as MonoMs);
    return empty;
  }

  /** Fills the window. Returns true when there was nothing more to send. */
  #fill(now: MonoMs): boolean {
    this.#pacedUntil = null;
    while (this.#openMessages < this.#windowMessages && this.#openBytes < WINDOW_BYTES) {
      const waitMs = this.#pace.ready(now);
      if (waitMs > 0) {
        this.#pacedUntil = (now + waitMs) as MonoMs;
        return false;
      }
      const next = this.#drain.next(now);
      if (next !== null) {
        this.#send(next.outgoing, next.origin, now);
        continue;
      }
      const announcement = this.#announcements.next(now);
      if (announcement !== null) {
        this.#announce(announcement, now);
        continue;
      }
      const again = this.#resends.next(now);
      if (again === null) return true;
      this.#send(again, 'resend', now);
    }
    return false;
  }

  #send(outgoing: Outgoing, origin: Flight['origin'], now: MonoMs): void {
    const flight: Flight = { outgoing, origin, sentMono: now };
    this.#drain.sent(flight);
    this.#pace.spend(outgoing.packetBytes, now);
    const { topic, payload, packetBytes, contentType } = outgoing;
    this.#publish({ topic, payload, packetBytes, retain: false, contentType }, (code) => {
      const at = this.#context.parts.clock.monoMs();
      this.#drain.answered(flight, code, at);
      if (this.#drain.unflushed >= FLUSH_ROWS || this.#openMessages === 0) this.#drain.flush(at);
      else if (this.#flushDue === Number.POSITIVE_INFINITY) this.#flushDue = at + FLUSH_AFTER_MS;
    });
  }

  #announce(one: Announcement, now: MonoMs): void {
    const packetBytes = one.payload.length;
    this.#pace.spend(packetBytes, now);
    this.#publish({ topic: one.topic, payload: one.payload, packetBytes, retain: true, contentType: null }, (code) => {
      if (code < 0x80) {
        one.settle();
        return;
      }
      one.refuse(this.#context.parts.clock.monoMs());
      this.#context.parts.log.warn('uplink.announcement-not-taken', { topic: one.topic, reasonCode: code });
    });
  }

  /** Publishes within the window. `then` hears the reason code, or nothing when the link ends first. */
  #publish(message: Message, then: (code: number) => void): void {
    const { clock } = this.#context.parts;
    const { topic, payload, packetBytes, retain, contentType } = message;
    if (this.#openMessages === 0) this.#progressMono = clock.monoMs();
    this.#openMessages += 1;
    this.#openBytes += packetBytes;
    const options = contentType === null ? { qos: 1 as const, retain } : { qos: 1 as const, retain, contentType };
    this.#link.publish(topic, payload, options).then(
      (code) => {
        this.#openMessages -= 1;
        this.#openBytes -= packetBytes;
        this.#progressMono = clock.monoMs();
        this.#statusStale = true;
        this.#attempt(() => then(code));
        this.#turn.raise();
      },
      () => this.#turn.raise(),
    );
  }

  #resend(job: ResendJob): boolean {
    const taken = this.#resends.add(job);
    this.#turn.raise();
    return taken;
  }

  /** Rows and price changes that came: the only thing that makes an empty lane look again. */
  async #listen(): Promise<void> {
    while (!this.#over.signal.aborted) {
      await this.#context.parts.appended.wait(this.#over.signal);
      this.#drain.refresh();
      this.#attempt(() => this.#announcements.refresh());
      this.#turn.raise();
    }
  }

  async #lastWords(): Promise<void> {
    const { clock } = this.#context.parts;
    const now = clock.monoMs();
    for (const one of this.#announcements.lastManifests(now)) this.#announce(one, now);
    this.#announce({ topic: this.#context.topics.state, payload: OFFLINE_STOPPED, ...ONCE }, now);
    const until = (now + LAST_WORDS_MS) as MonoMs;
    while (this.#openMessages > 0 && this.#alive() && clock.monoMs() < until) {
      this.#alarm.at(until);
      await this.#turn.wait(this.#over.signal);
    }
  }

  async #finish(tasks: readonly Promise<void>[]): Promise<Ending> {
    const { parts, meter, suspects } = this.#context;
    const now = parts.clock.monoMs();
    const end = this.#ended;
    this.#over.abort(new Error('connection over'));
    this.#alarm.stop();
    this.#attempt(() => this.#drain.flush(now));
    meter.duplicatesPossible += this.#drain.inFlightRows();
    if (end !== null && end.by !== 'us')
      this.#attempt(() => {
        const culprit = suspects.connectionEnded(this.#drain.head(now));
        if (culprit !== null) this.#drain.quarantine(culprit.stream, culprit.sequence, 'ends-connections');
      });
    await this.#link.close();
    await Promise.all(tasks);
    const livedMs = now - this.#startMono;
    if (this.#failure !== null && !(this.#failure instanceof AgentError)) throw this.#failure;
    if (end !== null) return { by: end.by, reasonCode: end.reasonCode, detail: end.detail, livedMs };
    if (this.#stalled) return { by: 'stalled', reasonCode: null, detail: '', livedMs };
    if (this.#failure === null) return { by: 'us', reasonCode: null, detail: 'stopped', livedMs };
    const fromBroker = this.#failure.code.startsWith('broker-');
    return { by: fromBroker ? 'network' : 'ledger', reasonCode: null, detail: this.#failure.code, livedMs };
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new TypeError('not an error was thrown', { cause: error });
  }
}

interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly packetBytes: number;
  readonly retain: boolean;
  readonly contentType: string | null;
}

function birth(context: LinkContext, link: BrokerLink): string {
  const { kit, ledger, clock } = context.parts;
  return JSON.stringify({
    online: true,
    at: new Date(clock.wallMs()).toISOString(),
    clocktrust: clock.trust(),
    bootid: clock.bootId,
    epoch: ledger.epoch,
    protocol: link.protocol === 5 ? '5' : '3.1.1',
    ...(kit.node === undefined ? {} : { node: kit.node }),
  });
}
