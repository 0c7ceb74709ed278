import type { ZodType } from 'zod';
import type { ErrorTable } from './agent-error.ts';
import type { Chance, Clock } from './clock.ts';
import type { FormatDecoder } from './format.ts';
import type { PaymentJournal, PaymentTerminal } from './payment.ts';
import type { Json, JsonObject, Reading, Stream } from './reading.ts';
import type { SecretRef } from './secret.ts';
import type { BleRadio, ByteLink, CameraFeed, CameraOptions, RadioOptions, SerialOptions } from './transports.ts';

/** One event type that a driver may emit: its stream and the shape of its `data`. */
export interface Emission {
  readonly type: string;
  readonly stream: Stream;
  readonly data: ZodType<JsonObject>;
}

/** Structured log of one driver: an event name and fields, never prose, never secrets, never raw frames. */
export interface Log {
  debug(event: string, fields?: JsonObject): void;
  info(event: string, fields?: JsonObject): void;
  warn(event: string, fields?: JsonObject): void;
  error(event: string, fields?: JsonObject): void;
}

/** Facts of the kit that some drivers need. */
export interface KitFacts {
  readonly id: string;
  /** ISO 4217 alphabetic. */
  readonly currency: string;
}

/** All that a driver may touch of the world. */
export interface DriverIo {
  readonly driverId: string;
  readonly kit: KitFacts;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  /** Opens one connection to a serial port; throws `port-missing`, `port-busy`, `port-identity` or `port-failed`. */
  serial(options: SerialOptions, signal: AbortSignal): Promise<ByteLink>;
  /** Opens one TCP connection; throws `host-unreachable`. */
  tcp(options: { readonly host: string; readonly port: number }, signal: AbortSignal): Promise<ByteLink>;
  radio(options: RadioOptions, signal: AbortSignal): Promise<BleRadio>;
  camera(options: CameraOptions, signal: AbortSignal): Promise<CameraFeed>;
  /** The bytes of a secret, a trailing newline removed; throws `secret-unreadable`. */
  secret(ref: SecretRef): Promise<Uint8Array>;
  /** What this driver saved with its readings, as of the last restart. */
  saved(key: string): Json | undefined;
  /** The payment journal of this driver. */
  readonly payments: PaymentJournal;
}

/** A driver at work on one device. Disposing it closes the device. */
export interface DriverSession extends AsyncDisposable {
  /** Readings in order, pulled by one reader. Ends only when the signal fires; a lost device throws an AgentError. */
  readings(signal: AbortSignal): AsyncIterable<Reading>;
  /** The session says by itself when its device is ready; otherwise it counts as ready once it is open. */
  readonly tellsState?: true;
  /** Present when the device takes payments. */
  readonly terminal?: PaymentTerminal;
  /** Makes the device show itself (blink, beep), where it can. */
  identify?(signal: AbortSignal): Promise<void>;
}

/**
 * A device family. `open` may throw an AgentError: the supervisor tries again with back-off, and nobody else notices.
 * `config` is the driver's own part of kit.yaml without `id` and `type`; it must be strict.
 */
export interface Driver<C = unknown> {
  readonly type: string;
  readonly emits: readonly Emission[];
  readonly errors: ErrorTable;
  readonly config: ZodType<C>;
  /** The driver's part of a kit.yaml as a person would write it: for the docs and for the contract suite. */
  readonly example?: JsonObject;
  open(config: C, io: DriverIo, signal: AbortSignal): Promise<DriverSession>;
  /** Formats that `barrow decode` reads with this family's decoders. */
  readonly formats?: Readonly<Record<string, FormatDecoder>>;
}

/** Families by type, loaded when first needed. */
export type DriverRegistry = Readonly<Record<string, () => Promise<Driver>>>;
