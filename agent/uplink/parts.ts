import type { Chance } from '../../drivers/api/clock.ts';
import type { Log } from '../../drivers/api/driver.ts';
import type { JsonObject } from '../../drivers/api/reading.ts';
import type { BrokerLink, BrokerOptions, KitClock } from '../core/host.ts';
import type { Ledger } from '../core/ledger.ts';
import type { UplinkStatus } from '../core/status.ts';
import type { Pulse } from './pulse.ts';

/** Limits that a broker sets without saying so in its CONNACK. */
export type BrokerProfile = 'generic' | 'aws';

/** One more retained message, as it should stand at the broker. */
export interface RetainedMessage {
  readonly topic: string;
  readonly payload: string;
}

/** What the uplink needs of the agent. */
export interface UplinkParts {
  /** Opens one connection that leaves this will; throws the host's broker errors. */
  dial(will: BrokerOptions['will'], signal: AbortSignal): Promise<BrokerLink>;
  readonly ledger: Ledger;
  readonly clock: KitClock;
  readonly chance: Chance;
  readonly log: Log;
  readonly url: string;
  readonly profile: BrokerProfile;
  readonly kit: { readonly id: string; readonly node?: string | undefined; readonly group?: string | undefined };
  /** The retained health message. */
  health(): JsonObject;
  /** Retained prices that changed since the last call. */
  takeChangedPrices(): readonly { readonly sku: string; readonly message: JsonObject | null }[];
  /** Further retained messages, all of them: those that changed are published, every few seconds at most. */
  retained?(): readonly RetainedMessage[];
  /** A command other than `resend` and `ack`. Its result is the answer; an AgentError becomes a refusal with its code. */
  onCommand(name: string, payload: JsonObject): Promise<JsonObject>;
  /** A rules bundle as it came, at most 5 MiB, unverified. */
  onRules(bytes: Uint8Array, topic: string): void;
  onStatus(status: UplinkStatus): void;
  /** Rows that make a backlog, and so batches; 64 unless told otherwise, `Infinity` for none at all. */
  readonly batchFromRows?: number;
  /** Raised by the agent after every append and every price change. */
  readonly appended: Pulse;
}
