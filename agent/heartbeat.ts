import type { Log } from '../drivers/api/driver.ts';
import { AgentError } from '../drivers/api/agent-error.ts';
import { clockWatch } from './clock/watch-clock.ts';
import type { StoredEvent } from './core/event.ts';
import type { Host } from './core/host.ts';
import type { Ledger } from './core/ledger.ts';
import type { Pricing } from './core/pricing.ts';
import type { Intake } from './intake.ts';

/** How often the ledger is maintained and the watchdog petted. */
export const HEARTBEAT_MS = 1_000;
/** How often prices see that time went on. */
export const PRICE_TICK_MS = 5_000;

export interface HeartbeatParts {
  readonly host: Host;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly intake: Intake;
  /** Events that the ledger itself or the clock gave rise to. */
  readonly stored: (events: readonly StoredEvent[]) => void;
  readonly pricing: () => Pricing | null;
}

/**
 * The agent's heartbeat until the signal fires: retention and budgets, the clock's anchors, price windows, and the watchdog, which is
 * petted only after the ledger answered. A network that is away never stops the heart; a stuck ledger does.
 */
export async function beat(parts: HeartbeatParts, signal: AbortSignal): Promise<void> {
  const { host, log, ledger } = parts;
  let priceTickMono = host.clock.monoMs() - PRICE_TICK_MS;
  const watch = clockWatch({
    clock: host.clock,
    ledger,
    log,
    onStored: (events) => {
      parts.stored(events);
      // The price log vouches for the offset by which its records were dated anew, before another step replaces it.
      priceTickMono = Number.NEGATIVE_INFINITY;
    },
  });
  while (!signal.aborted) {
    const now = host.clock.monoMs();
    try {
      parts.stored(ledger.maintain(now));
      watch.look();
      if (now - priceTickMono >= PRICE_TICK_MS) {
        priceTickMono = now;
        const pricing = parts.pricing();
        if (pricing !== null) parts.intake.commit((tx) => pricing.tick(tx));
      }
    } catch (error) {
      // A full or read-only disk is degraded operation, not a reason to be restarted.
      // A damaged one is: the next start sets it aside.
      if (!(error instanceof AgentError) || error.code === 'ledger-corrupt') throw error;
      log.warn('ledger-maintenance-failed', { code: error.code, detail: error.message });
    }
    host.service.pet();
    try {
      await host.clock.sleep(HEARTBEAT_MS, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
