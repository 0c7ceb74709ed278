import { AgentError } from '../drivers/api/agent-error.ts';
import type { Log } from '../drivers/api/driver.ts';
import type { JsonObject } from '../drivers/api/reading.ts';
import { brokerOptions } from './broker-options.ts';
import type { KitConfig } from './config/read-config.ts';
import type { Host } from './core/host.ts';
import type { Ledger, LedgerTx } from './core/ledger.ts';
import type { Pricing } from './core/pricing.ts';
import type { AgentView, UplinkStatus } from './core/status.ts';
import { healthOf } from './health.ts';
import { homeAssistant } from './uplink/home-assistant.ts';
import type { Pulse } from './uplink/pulse.ts';
import { runUplink } from './uplink/run-uplink.ts';

/** A kit without a broker, or not yet with one. */
export const UPLINK_OFF: UplinkStatus = {
  state: 'off',
  url: null,
  protocol: null,
  code: null,
  detail: null,
  delivered: 0,
  duplicatesPossible: 0,
  quarantined: 0,
  droppedCommands: 0,
  drainPerS: null,
};

export interface StartUplinkParts {
  readonly host: Host;
  readonly broker: NonNullable<KitConfig['broker']>;
  readonly kit: KitConfig['kit'];
  readonly ledger: Ledger;
  readonly log: Log;
  readonly view: AgentView;
  readonly pricing: Pricing | null;
  readonly commit: <T>(work: (tx: LedgerTx) => T) => T;
  readonly appended: Pulse;
  /** Publish discovery messages for Home Assistant. */
  readonly homeAssistant: boolean;
  onStatus(status: UplinkStatus): void;
}

/** Connects the ledger to the broker that kit.yaml names, until the signal fires. */
export function startUplink(parts: StartUplinkParts, signal: AbortSignal): Promise<void> {
  const { host, broker, kit, ledger, log, view, pricing, commit } = parts;
  return runUplink(
    {
      dial: (will, dialSignal) => host.broker({ ...brokerOptions(broker, kit.id), will }, dialSignal),
      ledger,
      clock: host.clock,
      chance: host.chance,
      log,
      url: broker.url,
      profile: broker.profile,
      kit,
      health: () => healthOf(view),
      takeChangedPrices: () => pricing?.takeChangedPrices() ?? [],
      ...(parts.homeAssistant
        ? {
            retained: homeAssistant({
              kit,
              version: host.version,
              ledger,
              clock: host.clock,
              drivers: () => view.status().drivers.map(({ id }) => id),
            }),
          }
        : {}),
      onCommand: (name, payload) => onCommand(view, name, payload),
      onRules: (bytes, topic) => {
        if (pricing === null) log.warn('rules-unwanted', { topic });
        else commit((tx) => pricing.offer(tx, bytes, topic));
      },
      onStatus: (status) => parts.onStatus(status),
      appended: parts.appended,
    },
    signal,
  );
}

async function onCommand(view: AgentView, name: string, payload: JsonObject): Promise<JsonObject> {
  switch (name) {
    case 'identify': {
      const driver = payload['driver'];
      await view.identify(typeof driver === 'string' ? driver : null);
      return { identified: true };
    }
    case 'reload':
      return { restarted: [...(await view.reload()).restarted] };
    default:
      throw commandUnknown(name);
  }
}

function commandUnknown(name: string): AgentError {
  return new AgentError(
    'command-unknown',
    { sentence: 'There is no such command', hint: 'Known: resend, ack, identify, reload' },
    { detail: name.slice(0, 64) },
  );
}
