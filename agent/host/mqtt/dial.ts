import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { IClientOptions, MqttClient } from 'mqtt';
import type { Log } from '../../../drivers/api/driver.ts';
import type { SecretRef } from '../../../drivers/api/secret.ts';
import type { BrokerLink, BrokerOptions, KitClock } from '../../core/host.ts';
import { brokerFailure } from './errors.ts';
import { brokerLink, type Connack, type LinkOptions } from './link.ts';
import { nullStore } from './null-store.ts';
import { openSocket, socketFailure, type BrokerTarget } from './socket.ts';
import type { TlsMaterial } from './tls-material.ts';

/** From the first SYN to the CONNACK, each step. */
const STEP_TIMEOUT_MS = 10_000;

const LIBRARY_TIMEOUT_MS = 60_000;

/** A broker notices a vanished kit after 1.5 × this; the kit notices a vanished broker as fast. */
const KEEPALIVE_S = 30;

/** A signed bundle of 4 MiB in its topic is the largest message a kit needs to hear. */
const MAXIMUM_PACKET_BYTES = 5 * 1024 * 1024;

/** Incoming QoS 1 messages in flight; the reader's queue holds as many. */
const RECEIVE_MAXIMUM = 64;

export interface DialDeps {
  secret(ref: SecretRef): Promise<Uint8Array>;
  readonly clock: KitClock;
  readonly log: Log;
  /** For each step from the first SYN to the CONNACK; 10 s unless told otherwise. */
  readonly stepTimeoutMs?: number;
  /** `drop` unless told otherwise; see {@link LinkOptions}. */
  readonly overflow?: LinkOptions['overflow'];
}

/** A consumer has no will to leave. */
type DialOptions = Omit<BrokerOptions, 'will'> & Partial<Pick<BrokerOptions, 'will'>>;

type Dial = (options: DialOptions, signal: AbortSignal) => Promise<BrokerLink>;

interface Login {
  readonly username: string | null;
  readonly password: Uint8Array | null;
}

/** What came of one CONNECT: a link, or a broker that does not speak this protocol. */
type Attempt = { readonly link: BrokerLink } | { readonly refused: 'protocol' | 'silent-close' };

/**
 * Dials brokers. `auto` tries MQTT 5 first and 3.1.1 when the broker refuses the protocol, in words (0x84, return code
 * 1) or by closing without an answer, as some 3.1.1 brokers do. A broker that has once spoken MQTT 5 is not suspected
 * of the latter again: its connection broke. Throws the codes of {@link brokerErrors}.
 */
export function brokerDialer(deps: DialDeps): Dial {
  const speaksFive = new Set<string>();
  return async (options, signal) => {
    const target = await brokerTarget(options, deps);
    const login: Login = {
      username: await text(options.username, deps),
      password: options.password === undefined ? null : await deps.secret(options.password),
    };
    const first = options.protocol === '3.1.1' ? 4 : 5;
    const one = await attempt(first, target, { options, login }, deps, signal);
    if ('link' in one) {
      if (first === 5) speaksFive.add(options.url);
      return one.link;
    }
    const where = `${target.host}:${target.port}`;
    if (one.refused === 'silent-close' && (options.protocol !== 'auto' || speaksFive.has(options.url)))
      throw brokerFailure('broker-closed', { detail: where });
    if (options.protocol !== 'auto') throw brokerFailure('broker-protocol', { detail: where });
    deps.log.info('broker.falls-back', { from: '5', to: '3.1.1', why: one.refused });
    const two = await attempt(4, target, { options, login }, deps, signal);
    if ('link' in two) return two.link;
    throw brokerFailure(two.refused === 'silent-close' ? 'broker-closed' : 'broker-protocol', { detail: where });
  };
}

/** Dials once, without memory of earlier connections. @see {@link brokerDialer} */
export function dialBroker(options: DialOptions, deps: DialDeps, signal: AbortSignal): Promise<BrokerLink> {
  return brokerDialer(deps)(options, signal);
}

async function attempt(
  protocol: 4 | 5,
  target: BrokerTarget,
  who: { readonly options: DialOptions; readonly login: Login },
  deps: DialDeps,
  signal: AbortSignal,
): Promise<Attempt> {
  // The import costs 70 ms warm and up to 850 ms cold: it runs while the network answers.
  const loading = import('mqtt');
  loading.catch(() => undefined);
  const stepTimeoutMs = deps.stepTimeoutMs ?? STEP_TIMEOUT_MS;
  const behind = deps.clock.trust() !== 'synced' ? deps.clock.wallMs() : null;
  const socket = await openSocket(target, { timeoutMs: stepTimeoutMs, flooredWallMs: behind }, signal);
  const where = `${target.host}:${target.port}`;
  const { MqttClient: Client } = await loading;
  if (signal.aborted) socket.destroy();
  signal.throwIfAborted();
  // Cut while the library was loading: its client would wait in vain for a close that has been.
  if (socket.destroyed) throw brokerFailure('broker-closed', { detail: where });
  const client = new Client(() => socket, clientOptions(protocol, who.options, who.login));
  const wire = { protocol, where, stepTimeoutMs, certificate: certificateOf(socket) };
  return greet(client, wire, { log: deps.log, overflow: deps.overflow ?? 'drop' }, signal);
}

function greet(
  client: MqttClient,
  wire: Pick<Connack, 'protocol' | 'certificate'> & { readonly where: string; readonly stepTimeoutMs: number },
  tools: LinkOptions,
  signal: AbortSignal,
): Promise<Attempt> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => giveUp(() => reject(brokerFailure('broker-timeout', { detail: wire.where }))),
      wire.stepTimeoutMs,
    );
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      client.removeAllListeners('error');
      client.off('close', onClose);
      client.off('connect', onConnect);
      settle();
    };
    const giveUp = (settle: () => void): void => {
      finish(settle);
      // What the dying client still says has nobody left to hear it.
      client.on('error', () => undefined);
      client.end(true);
    };
    const onAbort = (): void => giveUp(() => reject(signal.reason as Error));
    const onClose = (): void => giveUp(() => resolve({ refused: 'silent-close' }));
    const onConnect = (packet: ConnackPacket): void =>
      finish(() => resolve({ link: brokerLink(client, connack(packet, wire), tools) }));
    client.on('error', (error: Error & { code?: unknown }) =>
      giveUp(() => {
        const outcome = refusal(error, wire.protocol, wire.where);
        if (typeof outcome === 'string') resolve({ refused: outcome });
        else reject(outcome);
      }),
    );
    client.on('close', onClose);
    client.on('connect', onConnect);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else client.connect();
  });
}

interface ConnackPacket {
  readonly properties?:
    { readonly receiveMaximum?: number | undefined; readonly maximumPacketSize?: number | undefined } | undefined;
}

/** MQTT 5 §3.2.2.3: without the properties 65,535 messages may be in flight and packets have no limit. */
function connack(packet: ConnackPacket, { protocol, certificate }: Pick<Connack, 'protocol' | 'certificate'>): Connack {
  return {
    protocol,
    certificate,
    receiveMaximum: packet.properties?.receiveMaximum ?? 65_535,
    maximumPacketSize: packet.properties?.maximumPacketSize ?? null,
  };
}

function certificateOf(socket: Socket): Connack['certificate'] {
  if (!(socket instanceof TLSSocket)) return null;
  const { valid_from: from, valid_to: to } = socket.getPeerCertificate();
  return { fromMs: Date.parse(from), untilMs: Date.parse(to) };
}

/** Reads a failed CONNECT: numbers are CONNACK codes (MQTT 5 §3.2.2.2, 3.1.1 §3.2.2.3), text is the socket's. */
function refusal(
  error: Error & { code?: unknown },
  protocol: 4 | 5,
  where: string,
): Error | 'protocol' | 'silent-close' {
  const { code } = error;
  if (typeof code === 'string') {
    if (code === 'ECONNRESET' || code === 'EPIPE') return 'silent-close';
    return socketFailure(error as NodeJS.ErrnoException, where);
  }
  if (typeof code !== 'number') {
    // Faults of the packet parser carry no code: an answer in another protocol's words.
    return protocol === 5 ? 'protocol' : brokerFailure('broker-protocol', { detail: where, cause: error });
  }
  const detail = `${where} (reason code ${code})`;
  switch (code) {
    case 0x01:
    case 0x84:
      return 'protocol';
    case 0x02:
    case 0x85:
      return brokerFailure('broker-identity', { detail });
    case 0x04:
    case 0x05:
    case 0x86:
    case 0x87:
    case 0x8a:
    case 0x8c:
      return brokerFailure('broker-login', { detail });
    case 0x03:
    case 0x88:
    case 0x89:
    case 0x97:
    case 0x9f:
      return brokerFailure('broker-busy', { detail });
    default:
      return brokerFailure('broker-refused', { detail });
  }
}

async function brokerTarget(options: DialOptions, deps: DialDeps): Promise<BrokerTarget> {
  if (!URL.canParse(options.url)) throw brokerFailure('broker-url', { detail: options.url });
  const url = new URL(options.url);
  const secure = ['mqtts:', 'ssl:', 'tls:'].includes(url.protocol);
  if (!secure && !['mqtt:', 'tcp:'].includes(url.protocol)) throw brokerFailure('broker-url', { detail: url.protocol });
  if (url.hostname === '') throw brokerFailure('broker-url', { detail: 'no host' });
  const tls: TlsMaterial | null = secure
    ? { ca: await pem(options.ca, deps), cert: await pem(options.cert, deps), key: await pem(options.key, deps) }
    : null;
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (secure ? 8883 : 1883) : Number(url.port),
    tls,
  };
}

async function pem(ref: SecretRef | undefined, deps: DialDeps): Promise<string | null> {
  return ref === undefined ? null : new TextDecoder().decode(await deps.secret(ref));
}

async function text(value: SecretRef | string | undefined, deps: DialDeps): Promise<string | null> {
  if (value === undefined || typeof value === 'string') return value ?? null;
  return new TextDecoder().decode(await deps.secret(value));
}

function clientOptions(protocol: 4 | 5, options: DialOptions, login: Login): IClientOptions {
  return {
    clientId: options.clientId,
    protocolId: 'MQTT',
    protocolVersion: protocol,
    clean: true,
    manualConnect: true,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // The library's own time-out is an error without a code; ours comes first.
    connectTimeout: LIBRARY_TIMEOUT_MS,
    keepalive: KEEPALIVE_S,
    reschedulePings: true,
    incomingStore: nullStore(),
    outgoingStore: nullStore(),
    // The library formats its debug text even when nobody reads it: 4 µs a publish.
    log: () => undefined,
    // Else it makes a buffer for each of the 65,536 packet ids ahead: 7 MB for good, to write an id that we write ourselves.
    writeCache: false,
    ...(options.will === undefined
      ? {}
      : { will: { topic: options.will.topic, payload: Buffer.from(options.will.payload), qos: 1, retain: true } }),
    ...(login.username === null ? {} : { username: login.username }),
    ...(login.password === null ? {} : { password: Buffer.from(login.password) }),
    ...(protocol === 5
      ? { properties: { receiveMaximum: RECEIVE_MAXIMUM, maximumPacketSize: MAXIMUM_PACKET_BYTES } }
      : {}),
  };
}
