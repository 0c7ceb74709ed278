import type { Chance, Clock, WallMs } from '../../drivers/api/clock.ts';
import type { Log } from '../../drivers/api/driver.ts';
import type { SecretRef } from '../../drivers/api/secret.ts';
import type {
  CameraSource,
  BleRadio,
  ByteLink,
  CameraFeed,
  CameraOptions,
  RadioOptions,
  SerialOptions,
} from '../../drivers/api/transports.ts';
import type { KitConfig } from '../config/read-config.ts';
import type { ClockTrust } from './event.ts';
import type { Ledger } from './ledger.ts';

/** Why a broker connection ended. `reasonCode` is MQTT 5's, where the broker gave one. */
export interface LinkEnd {
  readonly by: 'us' | 'broker' | 'network';
  readonly reasonCode: number | null;
  readonly detail: string;
}

export interface PublishOptions {
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** Message expiry in seconds (MQTT 5 only). */
  readonly expiryS?: number;
  readonly correlationData?: Uint8Array;
  /** MQTT 5 only. */
  readonly contentType?: string;
}

export interface IncomingMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
}

/** One connection to a broker: never re-used, no store, no reconnect of its own. */
export interface BrokerLink extends AsyncDisposable {
  readonly protocol: 4 | 5;
  readonly receiveMaximum: number;
  readonly maximumPacketSize: number | null;
  /** From when until when the broker's certificate is valid, ms since 1970; absent without TLS. */
  readonly certificate?: { readonly fromMs: number; readonly untilMs: number };
  /** Resolves on PUBACK with its reason code (0 on MQTT 3.1.1); rejects when the link ends first. */
  publish(topic: string, payload: string | Uint8Array, options: PublishOptions): Promise<number>;
  subscribe(topics: readonly string[]): Promise<void>;
  /** Messages as they come, at most 256 waiting; more are dropped and counted. */
  messages(signal: AbortSignal): AsyncIterable<IncomingMessage>;
  /** How many messages were dropped because nobody read them in time. */
  droppedMessages?(): number;
  readonly ended: Promise<LinkEnd>;
  close(): Promise<void>;
}

export interface BrokerOptions {
  readonly url: string;
  readonly protocol: 'auto' | '5' | '3.1.1';
  readonly clientId: string;
  readonly username?: SecretRef | string;
  readonly password?: SecretRef;
  readonly ca?: SecretRef;
  readonly cert?: SecretRef;
  readonly key?: SecretRef;
  readonly will: { readonly topic: string; readonly payload: string };
}

/** The clock with what is known of its truth. */
export interface KitClock extends Clock {
  /** Identity of this boot: monotonic times of equal boot ids can be compared. */
  readonly bootId: string;
  trust(): ClockTrust;
  /** It is at least this late: the wall clock, while it is not synchronised, is never earlier. */
  raiseFloor?(wallMs: WallMs): void;
}

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** At most 256 KiB; a longer body never reaches a handler. */
  readonly body: Uint8Array;
  /** True when the peer's address is loopback. */
  readonly loopback: boolean;
  /** The peer's address, for rate limits; never logged. */
  readonly peer?: string;
  /** Fires when the peer has gone or the server closes; long polls and streams end with it. */
  readonly signal?: AbortSignal;
}

/** A file of the local pages, ready to be sent. */
export interface PageFile {
  readonly contentType: string;
  readonly bytes: Uint8Array;
  readonly gzipped: Uint8Array;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | AsyncIterable<string>;
}

export interface HttpServer extends AsyncDisposable {
  /** `http://127.0.0.1:8080`, with the port that was really bound. */
  readonly url: string;
}

/** What the daemon tells its service manager; a host without one does nothing. */
export interface ServiceManager {
  ready(): void;
  /** Only after real progress: a commit or an idle, responsive ledger. */
  pet(): void;
  status(text: string): void;
  stopping(): void;
}

/** Facts of the machine for health, doctor and the status page; `null` where it cannot be told. */
export interface MachineFacts {
  readonly freeBytes: number | null;
  readonly temperatureC: number | null;
  readonly throttled: string | null;
  readonly uptimeS: number;
  readonly rssBytes: number;
  readonly load1: number | null;
}

/**
 * Small files that must outlive the ledger: keys, and what proves that an older ledger was put in its place.
 * Synchronous and atomic: when `write` returns, the new content is on disk. Throws the file system's own errors.
 */
export interface KeptFiles {
  /** The content, `null` when there is no such file. */
  read(name: string): Uint8Array | null;
  write(name: string, bytes: Uint8Array): void;
}

/** A page to aim a camera by. */
export interface AimPage {
  readonly url: string;
  /** Resolves when nobody can open it any more. */
  readonly ended: Promise<void>;
}

/** All that the agent may touch of the world. The daemon passes the machine, the deterministic world a simulation. */
export interface Host {
  readonly clock: KitClock;
  readonly chance: Chance;
  readonly log: Log;
  readonly version: string;
  /** What runs the agent, e.g. `v22.21.0`. */
  readonly runtime: string;
  openLedger(options: { readonly stateDir: string; readonly maxBytes: number; readonly retainAckedMs: number }): Ledger;
  serial(options: SerialOptions, signal: AbortSignal): Promise<ByteLink>;
  tcp(options: { readonly host: string; readonly port: number }, signal: AbortSignal): Promise<ByteLink>;
  radio(options: RadioOptions, signal: AbortSignal): Promise<BleRadio>;
  camera(options: CameraOptions, signal: AbortSignal): Promise<CameraFeed>;
  broker(options: BrokerOptions, signal: AbortSignal): Promise<BrokerLink>;
  http(listen: string, handle: (request: ApiRequest) => Promise<ApiResponse>, signal: AbortSignal): Promise<HttpServer>;
  /** The files of the local pages by name (`status.html`); a host without a screen has none. */
  pages?(): Promise<ReadonlyMap<string, PageFile>>;
  /** Opens a page with a camera's live picture to draw lines on, on this machine only; it ends with the signal or after `minutes`. */
  aim?(source: CameraSource, minutes: number, signal: AbortSignal): Promise<AimPage>;
  /** Announces the status page as `<kit>.local` on the local network; a host without one does not. */
  announce?(options: { readonly kit: string; readonly port: number }): Promise<AsyncDisposable>;
  /** A secret's bytes, a trailing newline removed; throws `secret-unreadable`. */
  secret(ref: SecretRef): Promise<Uint8Array>;
  /** A small file relative to kit.yaml's folder (bundle, public key), ≤ 4 MiB; throws `kit-file-unreadable`. */
  file(path: string): Promise<Uint8Array>;
  /** Small files beside the ledger; absent on a machine without a disk of its own. */
  readonly kept?: KeptFiles;
  readonly service: ServiceManager;
  machine(): MachineFacts;
  /** Reads kit.yaml again; throws configuration errors. Absent where there is no file behind the configuration. */
  readConfig?(): Promise<KitConfig>;
  /** Calls `reload` whenever the operator asks for it from outside, until the signal fires. */
  reloads?(reload: () => void, signal: AbortSignal): void;
}
