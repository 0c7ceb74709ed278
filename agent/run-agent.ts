import type { JsonObject } from '../drivers/api/reading.ts';
import type { KitConfig } from './config/read-config.ts';
import type { Host } from './core/host.ts';
import type { AgentError } from '../drivers/api/agent-error.ts';
import { awaitLedger, mayPass } from './await-ledger.ts';
import { openAgent, type Agent } from './open-agent.ts';

/**
 * The whole agent, from the first event to the last: opens the ledger, then devices, then prices, API and uplink;
 * stops in reverse order when the signal fires. Called by the daemon with the machine as its host and by the
 * deterministic world with a simulated one.
 *
 * Throws an AgentError when another process or a newer release holds the ledger, or the API's address is taken; a device,
 * a broker, a bundle or a disk that fails never ends it.
 */
export async function runAgent(host: Host, config: KitConfig, signal: AbortSignal): Promise<void> {
  const opened = await openOnWellDisk(host, config, signal);
  if (opened === null) return;
  await using agent = opened;
  host.service.ready();
  await agent.serve(signal);
  host.service.stopping();
  host.log.info('agent-stopping', { reason: reasonOf(signal) } satisfies JsonObject);
}

/** A disk that fails between the ledger and the last room is met like one that let no ledger open. */
async function openOnWellDisk(host: Host, config: KitConfig, signal: AbortSignal): Promise<Agent | null> {
  let failed: AgentError | null = null;
  for (;;) {
    const ledger = await awaitLedger(host, config, failed, signal);
    if (ledger === null) return null;
    try {
      return await openAgent(host, config, ledger);
    } catch (error) {
      if (!mayPass(error)) throw error;
      failed = error;
    }
  }
}

function reasonOf(signal: AbortSignal): string {
  return signal.reason instanceof Error ? signal.reason.message : 'stopped';
}
