import type { AgentError, ErrorEntry } from '../drivers/api/agent-error.ts';
import type { KitConfig } from './config/read-config.ts';
import type { Host } from './core/host.ts';
import type { Ledger } from './core/ledger.ts';
import type { Pricing } from './core/pricing.ts';
import type { AgentStatus, AgentView, UplinkStatus } from './core/status.ts';
import type { Intake } from './intake.ts';
import type { LiveFeed } from './live-feed.ts';
import type { LogRing } from './log-ring.ts';
import { readinessReasons } from './readiness.ts';
import type { Supervisor } from './supervisor/supervise.ts';

export interface AgentViewParts {
  readonly host: Host;
  readonly config: () => KitConfig;
  readonly ledger: Ledger;
  readonly intake: Intake;
  readonly feed: LiveFeed;
  readonly logs: LogRing;
  readonly supervisor: Supervisor;
  readonly pricing: () => Pricing | null;
  readonly uplink: () => UplinkStatus;
  readonly errorEntry: (code: string) => ErrorEntry | undefined;
  /** Why kit.yaml could not be read again; `null` when it could, or was not asked for. */
  readonly configFault?: () => AgentError | null;
  /** Parts of kit.yaml that were changed and wait for a restart. */
  readonly restartFor?: () => readonly string[];
  readonly reload: () => Promise<{ readonly restarted: readonly string[] }>;
  /** Fires when the agent stops. */
  readonly signal: AbortSignal;
}

/** What the API, the page, `/metrics` and the health topic may know of the agent and ask of it. */
export function createAgentView(parts: AgentViewParts): AgentView {
  const { host, feed, logs, supervisor } = parts;
  const startedMs = host.clock.wallMs();
  const startedMono = host.clock.monoMs();
  return {
    status: () => statusOf(parts, { startedMs, startedMono }),
    live: (signal) => feed.live(AbortSignal.any([signal, parts.signal])),
    recent: (limit) => feed.recent(limit),
    logs: (limit) => logs.lines(limit),
    restartDriver: (id) => supervisor.restart(id),
    identify: (id) => supervisor.identify(id, parts.signal),
    reload: parts.reload,
  };
}

function statusOf(
  parts: AgentViewParts,
  started: { readonly startedMs: number; readonly startedMono: number },
): AgentStatus {
  const { host } = parts;
  const config = parts.config();
  const { kit } = config;
  const pricing = parts.pricing();
  const rules = pricing?.bundle() ?? null;
  const drivers = parts.supervisor.status();
  const uplink = parts.uplink();
  const depth = parts.ledger.depth();
  const intake = parts.intake.health();
  const nowMono = host.clock.monoMs();
  const oldest = depth.streams.flatMap(({ oldestPendingMono }) =>
    oldestPendingMono === null ? [] : [oldestPendingMono],
  );
  const trust = host.clock.trust();
  const machine = host.machine();
  const reasons = readinessReasons(
    {
      drivers,
      uplink,
      clockTrust: trust,
      ledgerFault: intake.code === null ? null : { code: intake.code, detail: '' },
      pricing: {
        configured: config.pricing !== undefined,
        state: rules?.state ?? null,
        refused: pricing?.refused?.() ?? null,
      },
      freeBytes: machine.freeBytes,
      throttled: machine.throttled,
      configFault: parts.configFault?.() ?? null,
      restartFor: parts.restartFor?.() ?? [],
    },
    parts.errorEntry,
  );
  return {
    kit: {
      id: kit.id,
      node: kit.node ?? null,
      group: kit.group ?? null,
      currency: kit.currency,
      timezone: kit.timezone,
    },
    version: host.version,
    startedAt: new Date(started.startedMs).toISOString(),
    now: new Date(host.clock.wallMs()).toISOString(),
    uptimeS: Math.floor((nowMono - started.startedMono) / 1_000),
    ready: reasons.length === 0,
    reasons,
    clock: { trust, bootId: host.clock.bootId },
    ledger: {
      ...depth,
      accepting: intake.code === null,
      // Rows of an earlier boot have no age on this boot's clock; the newest boot tells enough.
      oldestPendingS: oldest.length === 0 ? null : Math.max(0, Math.round((nowMono - Math.min(...oldest)) / 1_000)),
    },
    uplink,
    drivers,
    rules,
    machine,
  };
}
