import type { BrokerLink, BrokerOptions, IncomingMessage, LinkEnd } from '../../agent/core/host.ts';
import { brokerFailure } from '../../agent/host/mqtt/errors.ts';
import type { Life } from './life.ts';
import type { Scheduler } from './scheduler.ts';
import type { SeededChance } from './seeded-chance.ts';
import { untilWoken } from '../../drivers/lib/until-woken.ts';

/** What may go wrong with the next messages, each with its probability. */
export interface LinkFaults {
  /** The broker has the message, the connection ends before PUBACK. */
  readonly loseAck: number;
  /** The connection ends while the message is on its way. */
  readonly loseMessage: number;
  /** A subscriber gets the message twice. */
  readonly duplicate: number;
  /** PUBACK comes seconds late. */
  readonly lateAck: number;
  /** PUBACK with "quota exceeded": not taken. */
  readonly refuse: number;
}

export const CALM: LinkFaults = { loseAck: 0, loseMessage: 0, duplicate: 0, lateAck: 0, refuse: 0 };

const QUOTA_EXCEEDED = 0x97;
const RECEIVE_MAXIMUM = 20;

/** A broker with one subscriber to everything behind it; reached over links that fail. */
export interface SimBroker {
  /** Cannot be dialled, and drops who is connected. */
  down: boolean;
  faults: LinkFaults;
  /** One way, ms. */
  latencyMs: number;
  dial(life: Life, options: BrokerOptions): Promise<BrokerLink>;
  /** Keeps a message for whoever subscribes, and tells those who have. */
  retain(topic: string, payload: string): void;
  /** The process died: its connection breaks, what was sent before still comes in. */
  dropLinks(): void;
}

export interface SimBrokerOptions {
  readonly scheduler: Scheduler;
  readonly chance: SeededChance;
  /** What the subscriber gets, and with it everything that the broker took. */
  readonly deliver: (topic: string, payload: string) => void;
  /** Acknowledges every so many messages without keeping them, as a broker without a store does when it restarts. */
  readonly forgetsEvery?: number;
}

interface OpenLink {
  hear(topic: string, payload: string, retain: boolean): void;
  end(end: LinkEnd): void;
}

export function simBroker(options: SimBrokerOptions): SimBroker {
  const { scheduler } = options;
  const links = new Set<OpenLink>();
  const retained = new Map<string, string>();
  let down = false;
  const broker: SimBroker = {
    get down() {
      return down;
    },
    set down(value) {
      down = value;
      if (value) broker.dropLinks();
    },
    faults: CALM,
    latencyMs: 20,
    dropLinks() {
      // A copy: a link that ends leaves the set.
      for (const link of Array.from(links)) link.end({ by: 'network', reasonCode: null, detail: 'broker-unreachable' });
    },
    retain(topic, payload) {
      retained.set(topic, payload);
      for (const link of links) link.hear(topic, payload, false);
    },
    dial(life, dialOptions) {
      const answer = new Promise<BrokerLink>((resolve, reject) => {
        scheduler.after(2 * broker.latencyMs, () => {
          if (down) reject(brokerFailure('broker-unreachable'));
          else if (life.alive) resolve(openLink(broker, { ...options, links, retained }, dialOptions, life));
        });
      });
      return life.outside(answer);
    },
  };
  return broker;
}

function openLink(
  broker: SimBroker,
  options: SimBrokerOptions & { readonly links: Set<OpenLink>; readonly retained: ReadonlyMap<string, string> },
  dialOptions: BrokerOptions,
  life: Life,
): BrokerLink {
  const { scheduler, chance, links } = options;
  const subscribed = new Set<string>();
  const inbox: IncomingMessage[] = [];
  let wake: () => void = () => undefined;
  const waiting = new Set<(error: Error) => void>();
  let open = true;
  let arrivesAtMs = 0;
  let taken = 0;
  let finish: (end: LinkEnd) => void = () => undefined;
  const ended = new Promise<LinkEnd>((resolve) => (finish = resolve));
  const self: OpenLink = {
    hear(topic, payload, retain) {
      if (!subscribed.has(topic)) return;
      scheduler.after(broker.latencyMs, () => {
        if (!open) return;
        inbox.push({ topic, payload: new TextEncoder().encode(payload), retain });
        wake();
      });
    },
    end(end) {
      if (!open) return;
      open = false;
      links.delete(self);
      // The broker says the will of who went without a word.
      if (end.by !== 'us') options.deliver(dialOptions.will.topic, dialOptions.will.payload);
      for (const reject of waiting) reject(brokerFailure('broker-closed'));
      waiting.clear();
      wake();
      finish(end);
    },
  };
  links.add(self);
  const cutLink = (): void => self.end({ by: 'network', reasonCode: null, detail: 'broker-closed' });

  const arrive = (topic: string, payload: string, answer: (code: number) => void): void => {
    const { faults } = broker;
    if (!open) return;
    if (chance.hit(faults.loseMessage)) {
      cutLink();
      return;
    }
    if (chance.hit(faults.refuse)) {
      scheduler.after(broker.latencyMs, () => answer(QUOTA_EXCEEDED));
      return;
    }
    taken += 1;
    if (options.forgetsEvery === undefined || taken % options.forgetsEvery !== 0) options.deliver(topic, payload);
    if (chance.hit(faults.duplicate)) options.deliver(topic, payload);
    if (chance.hit(faults.loseAck)) {
      cutLink();
      return;
    }
    const lateMs = chance.hit(faults.lateAck) ? chance.int(1_000, 20_000) : 0;
    scheduler.after(broker.latencyMs + lateMs, () => answer(0));
  };

  const publish: BrokerLink['publish'] = (topic, payload) => {
    if (!open) return Promise.reject(brokerFailure('broker-closed'));
    if (!life.alive) return new Promise(() => undefined);
    const text = typeof payload === 'string' ? payload : Buffer.from(payload).toString('utf8');
    return life.outside(
      new Promise<number>((resolve, reject) => {
        waiting.add(reject);
        // One connection keeps its order.
        arrivesAtMs = Math.max(arrivesAtMs, scheduler.nowMs + broker.latencyMs + chance.int(0, 5));
        scheduler.after(arrivesAtMs - scheduler.nowMs, () =>
          arrive(topic, text, (code) => {
            if (!open) return;
            waiting.delete(reject);
            resolve(code);
          }),
        );
      }),
    );
  };

  return {
    protocol: 5,
    receiveMaximum: RECEIVE_MAXIMUM,
    maximumPacketSize: null,
    publish,
    subscribe: (topics) =>
      life.outside(
        new Promise((resolve) => {
          scheduler.after(2 * broker.latencyMs, () => {
            for (const topic of topics) subscribed.add(topic);
            resolve();
            for (const [topic, payload] of options.retained) self.hear(topic, payload, true);
          });
        }),
      ),
    async *messages(signal) {
      for (;;) {
        const next = inbox.shift();
        if (next !== undefined) yield next;
        else if (!open || signal.aborted) return;
        else await untilWoken((resolve) => (wake = resolve), signal);
      }
    },
    ended: life.outside(ended),
    close: async () => self.end({ by: 'us', reasonCode: null, detail: 'closed' }),
    [Symbol.asyncDispose]: async () => self.end({ by: 'us', reasonCode: null, detail: 'closed' }),
  };
}
