import type { Log } from '../drivers/api/driver.ts';
import { AgentError } from '../drivers/api/agent-error.ts';
import type { KitConfig } from './config/read-config.ts';
import type { Host } from './core/host.ts';
import type { Ledger, LedgerTx } from './core/ledger.ts';
import type { Pricing } from './core/pricing.ts';
import type { openKitKey as OpenKitKey, writeAnchor as WriteAnchor } from './pricing/audit/files.ts';
import type { readTrustedKey as ReadTrustedKey } from './pricing/bundle/sign.ts';
import type { createPricing as CreatePricing } from './pricing/runtime.ts';

export interface OpenPricingParts {
  readonly host: Host;
  readonly config: KitConfig;
  readonly ledger: Ledger;
  readonly commit: <T>(work: (tx: LedgerTx) => T) => T;
  readonly log: Log;
}

interface PricingCode {
  readonly openKitKey: typeof OpenKitKey;
  readonly writeAnchor: typeof WriteAnchor;
  readonly readTrustedKey: typeof ReadTrustedKey;
  readonly createPricing: typeof CreatePricing;
}

let loading: Promise<PricingCode> | undefined;

/**
 * Rules, their language and their log are a third of the agent's own code: a kit that only counts goes without. Loaded
 * once, so that a simulation can have it before its time begins: reading files takes real time.
 */
export function loadPricing(): Promise<PricingCode> {
  loading ??= Promise.all([
    import('./pricing/audit/files.ts'),
    import('./pricing/bundle/sign.ts'),
    import('./pricing/runtime.ts'),
  ]).then(([files, sign, runtime]) => ({ ...files, ...sign, ...runtime }));
  return loading;
}

/** Prices as kit.yaml asks for them; `null` where it asks for none. A bundle file that is refused leaves the last good one in force. */
export async function openPricing(parts: OpenPricingParts): Promise<Pricing | null> {
  const { host, config, ledger, commit, log } = parts;
  if (config.pricing === undefined) return null;
  const { openKitKey, writeAnchor, readTrustedKey, createPricing } = await loadPricing();
  const trust = await Promise.all(
    config.pricing.trust.map(async (ref) => readTrustedKey(await host.secret(ref), 'pricing.trust')),
  );
  const pricing = createPricing({
    kit: config.kit,
    trust,
    clock: host.clock,
    chance: host.chance,
    log,
    ledger,
    auditKey: openKitKey(host.kept, host.chance),
    retainAckedMs: config.ledger.retainAcked,
    version: host.version,
    counters: config.drivers.filter((driver) => driver.type === 'camera-counter').map((driver) => driver.id),
    keepHead: (head) => {
      try {
        return writeAnchor(host.kept, ledger.epoch, head);
      } catch (error) {
        // The copy proves more, but prices do not wait for it.
        if (!(error instanceof AgentError)) throw error;
        log.warn('audit-head-unwritten', { code: error.code });
        return false;
      }
    },
  });
  if (config.pricing.bundle !== undefined) await offerFile(config.pricing.bundle, pricing, parts);
  try {
    commit((tx) => pricing.tick(tx));
    // A ledger that took the place of a damaged one began its own log in that tick: the head outside is no longer its.
    pricing.keepHead();
  } catch (error) {
    // A full disk at the start: standing prices hold until the heartbeat's tick is stored.
    if (!(error instanceof AgentError) || error.code === 'ledger-corrupt') throw error;
    log.warn('prices-not-stored', { code: error.code });
  }
  return pricing;
}

async function offerFile(path: string, pricing: Pricing, { host, commit, log }: OpenPricingParts): Promise<void> {
  try {
    const bytes = await host.file(path);
    const code = commit((tx) => pricing.offer(tx, bytes, 'file'));
    if (code !== null) log.warn('rules-file-refused', { path, code });
  } catch (error) {
    // Without its file the kit goes on with the bundle it has, or waits for one over MQTT.
    if (!(error instanceof AgentError)) throw error;
    log.warn('rules-file-unreadable', { path, code: error.code });
    pricing.noteUnreadable?.({ code: error.code, message: error.message });
  }
}
