import type { DriverState, JsonObject } from '../../drivers/api/reading.ts';
import type { CloudEvent } from './event.ts';
import type { BundleStatus } from './pricing.ts';
import type { Depth } from './ledger.ts';
import type { ClockTrust } from './event.ts';
import type { MachineFacts } from './host.ts';

export interface DriverStatus {
  readonly id: string;
  readonly type: string;
  readonly state: DriverState;
  readonly code: string | null;
  readonly detail: string | null;
  /** Parts with a state of their own, e.g. sensors. */
  readonly parts: readonly { readonly part: string; readonly state: DriverState; readonly code: string | null }[];
  readonly events: number;
  readonly restarts: number;
  /** RFC 3339; null when nothing came yet. */
  readonly lastEventAt: string | null;
  /** Data of the newest event per subject, for the status page; at most 64 subjects. */
  readonly latest: readonly {
    readonly subject: string;
    readonly type: string;
    readonly at: string;
    readonly data: JsonObject;
  }[];
}

export interface UplinkStatus {
  readonly state: 'off' | 'connecting' | 'online' | 'waiting';
  readonly url: string | null;
  readonly protocol: '5' | '3.1.1' | null;
  readonly code: string | null;
  readonly detail: string | null;
  readonly delivered: number;
  readonly duplicatesPossible: number;
  readonly quarantined: number;
  readonly droppedCommands: number;
  /** Rows a second over the last minute; null while unknown. */
  readonly drainPerS: number | null;
}

/** Everything that `barrow status`, the page, `/metrics` and the health topic tell. */
export interface AgentStatus {
  readonly kit: {
    readonly id: string;
    readonly node: string | null;
    readonly group: string | null;
    readonly currency: string;
    readonly timezone: string;
  };
  readonly version: string;
  readonly startedAt: string;
  readonly now: string;
  readonly uptimeS: number;
  readonly ready: boolean;
  /** Why it is not ready or degraded: codes of the error table with their next step. */
  readonly reasons: readonly {
    readonly code: string;
    readonly sentence: string;
    readonly hint: string;
    readonly driver?: string;
  }[];
  readonly clock: { readonly trust: ClockTrust; readonly bootId: string };
  readonly ledger: Depth & { readonly accepting: boolean; readonly oldestPendingS: number | null };
  readonly uplink: UplinkStatus;
  readonly drivers: readonly DriverStatus[];
  readonly rules: BundleStatus | null;
  readonly machine: MachineFacts;
}

/** The agent as its API sees it. */
export interface AgentView {
  status(): AgentStatus;
  /** Events as they are stored, from now on; at most 1,024 waiting per reader, then the oldest are skipped and counted. */
  live(signal: AbortSignal): AsyncIterable<CloudEvent>;
  /** The newest events, oldest first; at most 200. */
  recent(limit: number): readonly CloudEvent[];
  /** The newest log lines that the agent wrote, redacted, oldest first; at most 1,000. */
  logs(limit: number): readonly JsonObject[];
  /** Closes and opens one driver. Throws `driver-unknown`. */
  restartDriver(driverId: string): Promise<void>;
  identify(driverId: string | null): Promise<void>;
  /** Reads kit.yaml again: what changed is restarted, nothing is dropped. Throws configuration errors. */
  reload(): Promise<{ readonly restarted: readonly string[] }>;
}
