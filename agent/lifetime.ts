import type { KitConfig } from './config/read-config.ts';
import type { Host } from './core/host.ts';
import type { Ledger } from './core/ledger.ts';
import type { Intake } from './intake.ts';

const OWNER = 'agent';
const RUNNING = 'running';

/** Writes down that the agent runs, and how the run before this one ended. */
export async function noteStart(parts: {
  readonly intake: Intake;
  readonly ledger: Ledger;
  readonly host: Host;
  readonly config: KitConfig;
}): Promise<void> {
  const { intake, ledger, host } = parts;
  const before = ledger.saved(OWNER, RUNNING);
  const previousEnd = before === undefined ? 'first' : before === true ? 'crash' : 'clean';
  await intake.put(
    {
      type: 'barrow.agent.started.v1',
      stream: 'agent',
      subject: 'agent',
      atMono: host.clock.monoMs(),
      data: { version: host.version, node: host.runtime, epoch: ledger.epoch, previousEnd },
    },
    OWNER,
    // Who the events are of, for tools that read the ledger without its kit.yaml.
    { [RUNNING]: true, kit: { id: parts.config.kit.id, node: parts.config.kit.node ?? null } },
  );
}

/** Writes down that the agent stopped because it was told to. A ledger that cannot take it makes the next start say `crash`. */
export async function noteStop(parts: { readonly intake: Intake; readonly host: Host }): Promise<void> {
  const { intake, host } = parts;
  await intake.put(
    {
      type: 'barrow.agent.stopped.v1',
      stream: 'agent',
      subject: 'agent',
      atMono: host.clock.monoMs(),
      data: { reason: 'stopped' },
    },
    OWNER,
    { [RUNNING]: false },
  );
  intake.flush();
}
