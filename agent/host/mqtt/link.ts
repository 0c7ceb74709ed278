import type { Buffer } from 'node:buffer';
import type { MqttClient } from 'mqtt';
import type { JsonObject } from '../../../drivers/api/reading.ts';
import type { Log } from '../../../drivers/api/driver.ts';
import { untilWoken } from '../../../drivers/lib/until-woken.ts';
import type { BrokerLink, IncomingMessage, LinkEnd, PublishOptions } from '../../core/host.ts';
import { brokerFailure } from './errors.ts';
import { publishPacket } from './publish-packet.ts';

/** Incoming messages waiting for their reader. A command or rule beyond it is dropped and counted. */
export const WAITING_MESSAGES_MAX = 256;

/**
 * PUBACKs that came in one read of the socket are told so many at a time. What they make room for then leaves in one
 * write, which is what a publish mostly costs; told all at once, kit and broker would fall into step with each other and
 * wait for Nagle's algorithm at the broker's end (2,200 messages a second instead of 20,000, mosquitto on loopback).
 */
const ANSWERS_AT_ONCE = 8;

/** Packet identifiers (MQTT 5 §2.2.1). A window takes 100 of them. */
const PACKET_IDS = 65_535;

/** How long a closing connection may take to say goodbye before it is cut. */
const GOODBYE_MS = 1_000;

export interface Connack {
  readonly protocol: 4 | 5;
  readonly receiveMaximum: number;
  readonly maximumPacketSize: number | null;
  /** `null` without TLS. */
  readonly certificate: BrokerLink['certificate'] | null;
}

export interface LinkOptions {
  readonly log: Log;
  /**
   * What happens to a message when 256 wait. `drop`: it is counted and gone, so that nobody can stop the kit's own
   * PUBACKs by flooding it. `wait`: the broker is made to wait, as a consumer of events wants it.
   */
  readonly overflow: 'drop' | 'wait';
}

/** The part of an mqtt.js packet that is read here. */
interface Packet {
  readonly cmd: string;
  readonly reasonCode?: number | undefined;
  readonly messageId?: number | undefined;
}

interface PublishPacket {
  readonly retain?: boolean | undefined;
  readonly properties?:
    { readonly responseTopic?: string | undefined; readonly correlationData?: Buffer | undefined } | undefined;
}

/** Puts one connected mqtt.js client behind {@link BrokerLink}. The client must have no store and no reconnect. */
export function brokerLink(client: MqttClient, connack: Connack, options: LinkOptions): BrokerLink {
  const inbox = messageInbox(options);
  const pending = new Set<(error: Error) => void>();
  const gone: { end: LinkEnd | null } = { end: null };
  let code: number | null = null;
  let detail = '';
  let by: LinkEnd['by'] = 'network';
  let resolveEnded: (end: LinkEnd) => void = () => undefined;
  const ended = new Promise<LinkEnd>((resolve) => (resolveEnded = resolve));

  const direct = directPublishes(client, connack.protocol);
  const tell = answerQueue();

  client.on('packetreceive', (packet: Packet) => {
    if (packet.cmd === 'puback') {
      const answer = direct.take(packet.messageId ?? 0);
      if (answer !== undefined) tell(answer.resolve, packet.reasonCode ?? 0);
    }
    if (packet.cmd !== 'disconnect') return;
    by = 'broker';
    code = packet.reasonCode ?? 0;
  });
  client.handleMessage = (packet, done) => {
    inbox.push(incoming(packet.topic, packet.payload as Buffer, packet), () => done());
  };
  client.on('error', (error: Error & { readonly code?: unknown }) => {
    detail = typeof error.code === 'string' ? error.code : error.name;
    // A broken pipe of the wire and a packet that cannot be parsed both leave nothing to go on with.
    client.end(true);
  });
  client.on('close', () => {
    if (gone.end !== null) return;
    gone.end = { by, reasonCode: code, detail };
    const failure = brokerFailure('broker-closed', { detail: code === null ? detail || by : `reason code ${code}` });
    for (const reject of pending) reject(failure);
    pending.clear();
    direct.fail(failure);
    inbox.finish();
    resolveEnded(gone.end);
  });

  const publish = (topic: string, payload: string | Uint8Array, options: PublishOptions): Promise<number> =>
    new Promise((resolve, reject) => {
      if (gone.end !== null || client.disconnecting) {
        reject(brokerFailure('broker-closed'));
        return;
      }
      if (options.qos === 1) {
        direct.send(topic, payload, options, { resolve, reject });
        return;
      }
      pending.add(reject);
      client.publish(topic, payload as Buffer, { qos: 0, retain: options.retain }, (error) => {
        if (!pending.delete(reject)) return;
        if (error == null) resolve(0);
        else reject(brokerFailure('broker-closed', { cause: error }));
      });
    });
  const close = async (): Promise<void> => {
    if (gone.end !== null) return;
    by = 'us';
    const cut = setTimeout(() => client.stream.destroy(), GOODBYE_MS);
    client.end();
    await ended;
    clearTimeout(cut);
  };
  return {
    protocol: connack.protocol,
    receiveMaximum: connack.receiveMaximum,
    maximumPacketSize: connack.maximumPacketSize,
    ...(connack.certificate == null ? {} : { certificate: connack.certificate }),
    publish,
    subscribe: (topics) => subscribe(client, topics, pending),
    messages: (signal) => inbox.read(signal),
    droppedMessages: () => inbox.dropped(),
    ended,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Tells answers a few at a time, see {@link ANSWERS_AT_ONCE}. At most one window of them waits. */
function answerQueue(): (resolve: (code: number) => void, code: number) => void {
  const answers: { readonly resolve: (code: number) => void; readonly code: number }[] = [];
  const tellSome = (): void => {
    for (const { resolve, code } of answers.splice(0, ANSWERS_AT_ONCE)) resolve(code);
    if (answers.length > 0) setImmediate(tellSome);
  };
  return (resolve, code) => {
    if (answers.push({ resolve, code }) === 1) setImmediate(tellSome);
  };
}

interface Waiter {
  readonly resolve: (code: number) => void;
  readonly reject: (error: Error) => void;
}

/** QoS 1 publishes, which mqtt.js never sees; it ignores their PUBACKs. */
interface DirectPublishes {
  send(topic: string, payload: string | Uint8Array, options: PublishOptions, waiter: Waiter): void;
  take(packetId: number): Waiter | undefined;
  fail(error: Error): void;
}

/**
 * QoS 1 without the library's book-keeping: it copies every packet, stores it and writes it in eight pieces, which
 * costs more than everything else that a row goes through. Here a packet is one buffer, and those of one turn of the
 * event loop leave in one write. Packet identifiers come from the library's own row, so that SUBSCRIBE shares it.
 */
function directPublishes(client: MqttClient, protocol: 4 | 5): DirectPublishes {
  const waiting = new Map<number, Waiter>();
  let corked = false;
  const uncork = (): void => {
    corked = false;
    client.stream.uncork();
  };
  const freeId = (): number => {
    if (waiting.size >= PACKET_IDS / 2) throw new RangeError('too many publishes wait for their PUBACK');
    let id = client.messageIdProvider.allocate();
    while (id !== null && waiting.has(id)) id = client.messageIdProvider.allocate();
    if (id === null) throw new RangeError('the library gives no packet identifier');
    return id;
  };
  return {
    send: (topic, payload, options, waiter) => {
      const id = freeId();
      // Each by its name: a spread costs more than the packet.
      const { retain, expiryS, contentType, correlationData } = options;
      const packet = publishPacket(id, topic, payload, { protocol, retain, expiryS, contentType, correlationData });
      waiting.set(id, waiter);
      if (!corked) {
        corked = true;
        client.stream.cork();
        process.nextTick(uncork);
      }
      client.stream.write(packet);
    },
    take: (packetId) => {
      const waiter = waiting.get(packetId);
      waiting.delete(packetId);
      return waiter;
    },
    fail: (error) => {
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    },
  };
}

function subscribe(client: MqttClient, topics: readonly string[], pending: Set<(error: Error) => void>): Promise<void> {
  return new Promise((resolve, reject) => {
    pending.add(reject);
    // `rap`: the retain flag must tell a standing order from a fresh one.
    client.subscribe([...topics], { qos: 1, rap: true }, (error) => {
      if (!pending.delete(reject)) return;
      if (error == null) resolve();
      else reject(brokerFailure('broker-subscribe', { detail: topics.join(', '), cause: error }));
    });
  });
}

function incoming(topic: string, payload: Buffer, packet: PublishPacket): IncomingMessage {
  const { responseTopic, correlationData } = packet.properties ?? {};
  return {
    topic,
    payload: new Uint8Array(payload),
    retain: packet.retain === true,
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData: new Uint8Array(correlationData) }),
  };
}

interface Inbox {
  /** `taken` is called when the next message may come. */
  push(message: IncomingMessage, taken: () => void): void;
  finish(): void;
  dropped(): number;
  read(signal: AbortSignal): AsyncIterable<IncomingMessage>;
}

function messageInbox(options: LinkOptions): Inbox {
  const waiting: IncomingMessage[] = [];
  let held: (() => void) | null = null;
  let dropped = 0;
  let finished = false;
  let wake: () => void = () => undefined;
  return {
    push: (message, taken) => {
      if (waiting.length >= WAITING_MESSAGES_MAX) {
        dropped += 1;
        const fields: JsonObject = { topic: message.topic, dropped };
        options.log.warn('broker.message-dropped', fields);
        taken();
        return;
      }
      waiting.push(message);
      if (options.overflow === 'wait' && waiting.length >= WAITING_MESSAGES_MAX) held = taken;
      else taken();
      wake();
    },
    finish: () => {
      finished = true;
      wake();
    },
    dropped: () => dropped,
    read: async function* (signal) {
      for (;;) {
        const next = waiting.shift();
        if (next !== undefined) {
          const release = held;
          held = null;
          release?.();
          yield next;
        } else if (finished || signal.aborted) return;
        else await untilWoken((resolve) => (wake = resolve), signal);
      }
    },
  };
}
