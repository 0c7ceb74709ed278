import { AgentError } from '../../drivers/api/agent-error.ts';
import type { BrokerLink, BrokerOptions, IncomingMessage, LinkEnd } from '../../agent/core/host.ts';
import { brokerErrors } from '../../agent/host/mqtt/errors.ts';
import type { SimulatedClock } from './simulated-clock.ts';

export interface Received {
  readonly topic: string;
  readonly text: string;
  readonly retain: boolean;
}

/** What becomes of one PUBLISH. `code` is told after `delayMs`; `silent`: taken or not, no answer; `break`: the connection ends. */
export interface Fate {
  readonly code?: number;
  readonly delayMs?: number;
  readonly taken?: boolean;
  readonly silent?: boolean;
  readonly break?: boolean;
}

/** A broker in memory that does to each message what the test says. */
export interface SimulatedBroker {
  dial(will: BrokerOptions['will'], signal: AbortSignal): Promise<BrokerLink>;
  readonly received: Received[];
  readonly retained: Map<string, string>;
  /** Connections so far. */
  dials: number;
  /** Decides over each PUBLISH; by default it is taken and acknowledged after 5 ms. */
  fate: (message: Received) => Fate;
  /** Refuse connections with this code. */
  refuse: keyof typeof brokerErrors | null;
  receiveMaximum: number;
  maximumPacketSize: number | null;
  protocol: 4 | 5;
  inFlight: number;
  inFlightMost: number;
  /** Ends the present connection. */
  hangUp(reasonCode: number | null): void;
  /** Sends a message to the kit. */
  send(message: Partial<IncomingMessage> & { readonly topic: string; readonly payload: Uint8Array }): void;
}

export function simulatedBroker(clock: SimulatedClock): SimulatedBroker {
  let current: { end(end: LinkEnd): void; send(message: IncomingMessage): void } | null = null;
  const broker: SimulatedBroker = {
    received: [],
    retained: new Map(),
    dials: 0,
    fate: () => ({}),
    refuse: null,
    receiveMaximum: 65_535,
    maximumPacketSize: null,
    protocol: 5,
    inFlight: 0,
    inFlightMost: 0,
    hangUp: (reasonCode) => current?.end({ by: reasonCode === null ? 'network' : 'broker', reasonCode, detail: '' }),
    send: (message) => current?.send({ retain: false, ...message }),
    dial: async (will, signal) => {
      broker.dials += 1;
      await clock.sleep(1, signal);
      if (broker.refuse !== null) throw new AgentError(broker.refuse, brokerErrors[broker.refuse]);
      const link = open(broker, clock, (end) => {
        if (end.by !== 'us') broker.retained.set(will.topic, will.payload);
        current = null;
      });
      current = link;
      return link.link;
    },
  };
  return broker;
}

function open(
  broker: SimulatedBroker,
  clock: SimulatedClock,
  onEnd: (end: LinkEnd) => void,
): { readonly link: BrokerLink; end(end: LinkEnd): void; send(message: IncomingMessage): void } {
  const pending = new Set<(error: Error) => void>();
  const inbox: IncomingMessage[] = [];
  let wake: () => void = () => undefined;
  const life = { over: false };
  let tell: (end: LinkEnd) => void = () => undefined;
  const ended = new Promise<LinkEnd>((resolve) => (tell = resolve));
  broker.inFlight = 0;

  const end = (how: LinkEnd): void => {
    if (life.over) return;
    life.over = true;
    onEnd(how);
    for (const reject of pending) reject(new AgentError('broker-closed', brokerErrors['broker-closed']));
    pending.clear();
    wake();
    tell(how);
  };
  const take = (message: Received): void => {
    broker.received.push(message);
    if (message.retain) broker.retained.set(message.topic, message.text);
  };
  const link: BrokerLink = {
    protocol: broker.protocol,
    receiveMaximum: broker.receiveMaximum,
    maximumPacketSize: broker.maximumPacketSize,
    publish: (topic, payload, options) =>
      new Promise((resolve, reject) => {
        if (life.over) {
          reject(new AgentError('broker-closed', brokerErrors['broker-closed']));
          return;
        }
        const text = typeof payload === 'string' ? payload : new TextDecoder().decode(payload);
        const message: Received = { topic, text, retain: options.retain };
        const fate = broker.fate(message);
        pending.add(reject);
        broker.inFlight += 1;
        broker.inFlightMost = Math.max(broker.inFlightMost, broker.inFlight);
        const code = fate.code ?? 0;
        clock.after(fate.delayMs ?? 5, () => {
          if (life.over) return;
          if (fate.taken ?? code < 0x10) take(message);
          if (fate.break === true) end({ by: 'network', reasonCode: null, detail: '' });
          if (fate.silent === true || !pending.delete(reject)) return;
          broker.inFlight -= 1;
          resolve(code);
        });
      }),
    subscribe: () => Promise.resolve(),
    messages: async function* (signal) {
      signal.addEventListener('abort', () => wake(), { once: true });
      while (!life.over && !signal.aborted) {
        const next = inbox.shift();
        if (next !== undefined) yield next;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    ended,
    close: async () => end({ by: 'us', reasonCode: null, detail: '' }),
    [Symbol.asyncDispose]: async () => end({ by: 'us', reasonCode: null, detail: '' }),
  };
  return {
    link,
    end,
    send: (message) => {
      inbox.push(message);
      wake();
    },
  };
}
