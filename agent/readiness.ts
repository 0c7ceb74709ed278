import type { ErrorEntry } from '../drivers/api/agent-error.ts';
import type { AgentStatus, DriverStatus, UplinkStatus } from './core/status.ts';
import type { ClockTrust } from './core/event.ts';
import type { RefusedBundle } from './core/pricing.ts';

export type Reason = AgentStatus['reasons'][number];

/** Below this the ledger's own reserve is in danger. */
export const DISK_LOW_BYTES: number = 200 * 1024 * 1024;
/** Below this nothing can be relied on to be kept. */
export const DISK_FULL_BYTES: number = 16 * 1024 * 1024;

export interface ReadinessFacts {
  readonly drivers: readonly DriverStatus[];
  readonly uplink: UplinkStatus;
  readonly clockTrust: ClockTrust;
  readonly ledgerFault: { readonly code: string; readonly detail: string } | null;
  readonly pricing: {
    readonly configured: boolean;
    readonly state: 'in-force' | 'not-yet-valid' | 'expired' | 'killed' | null;
    /** A bundle that was offered and is not in force. */
    readonly refused: RefusedBundle | null;
  };
  /** Free space where the ledger lies; `null` where it cannot be told. */
  readonly freeBytes: number | null;
  /** What a Raspberry Pi says of its power, in words; `null` elsewhere. */
  readonly throttled: string | null;
  /** Parts of kit.yaml that were changed, can be read, and wait for a restart. */
  readonly restartFor: readonly string[];
  /** kit.yaml was changed and cannot be read: what was in force before still is. */
  readonly configFault: { readonly code: string; readonly message: string; readonly hint: string } | null;
}

export const readinessErrors = {
  'config-needs-restart': {
    sentence: 'Parts of kit.yaml were changed that are taken at a start only',
    hint: 'Run `sudo systemctl restart barrow`, or switch the kit off and on: no event is lost',
  },
  'broker-away': {
    sentence: 'The broker is not reached',
    hint: 'Sales go on and are kept. Check the uplink; `barrow doctor` tries the way step by step',
  },
  'clock-unset': {
    sentence: 'The clock has never been set since this machine started',
    hint: 'Connect the network for a minute, or run `sudo timedatectl set-time "YYYY-MM-DD HH:MM:SS"`',
  },
  'disk-low': {
    sentence: 'The disk is nearly full',
    hint: 'Free some space: `sudo journalctl --vacuum-size=50M` helps most often',
  },
  'disk-full': {
    sentence: 'The disk is full, so events cannot be kept',
    hint: 'Free some space now: `sudo journalctl --vacuum-size=50M`',
  },
  'pi-throttled': {
    sentence: 'The Raspberry Pi is or was throttled',
    hint: 'Use the original power supply and a short cable; keep the case ventilated',
  },
  'rules-missing': {
    sentence: 'No price rules have arrived',
    hint: 'Everything sells at the till’s own price until a signed bundle arrives or pricing.bundle names one',
  },
  'rules-expired': {
    sentence: 'The price rules have expired',
    hint: 'Standing prices hold; ask the merchant for a new bundle',
  },
  'driver-state': {
    sentence: 'A device is not delivering',
    hint: 'Check its cable and power; `barrow doctor` says more',
  },
} as const;

/** Why the kit is not ready, worst first; an empty list is a green light. */
export function readinessReasons(
  facts: ReadinessFacts,
  table: (code: string) => ErrorEntry | undefined,
): readonly Reason[] {
  const reasons: Reason[] = [];
  const say = (code: string, entry: ErrorEntry, detail?: string | null, driver?: string): void => {
    const sentence =
      detail == null || detail === ''
        ? entry.sentence
        : detail.startsWith(entry.sentence)
          ? detail
          : `${entry.sentence}: ${detail}`;
    reasons.push({ code, sentence, hint: entry.hint, ...(driver === undefined ? {} : { driver }) });
  };
  if (facts.ledgerFault !== null) {
    const { code, detail } = facts.ledgerFault;
    say(code, table(code) ?? { sentence: 'The ledger cannot accept events', hint: 'Run `barrow doctor`' }, detail);
  }
  if (facts.configFault !== null) {
    const { code, message, hint } = facts.configFault;
    reasons.push({ code, sentence: `The changed configuration is not in force: ${message}`, hint });
  }
  if (facts.restartFor.length > 0)
    say('config-needs-restart', readinessErrors['config-needs-restart'], facts.restartFor.join(', '));
  const disk = diskCode(facts.freeBytes);
  if (disk !== null) say(disk, readinessErrors[disk], `${Math.floor((facts.freeBytes ?? 0) / 1024 / 1024)} MiB free`);
  if (throttledNow(facts.throttled)) say('pi-throttled', readinessErrors['pi-throttled'], facts.throttled);
  for (const driver of facts.drivers) {
    for (const part of driver.parts) {
      if (part.state === 'ready' || part.state === 'starting') continue;
      const code = part.code ?? 'driver-state';
      say(
        code,
        table(code) ?? readinessErrors['driver-state'],
        `${driver.id}/${part.part} is ${part.state}`,
        driver.id,
      );
    }
    if (driver.state === 'ready') continue;
    const code = driver.code ?? 'driver-state';
    say(
      code,
      table(code) ?? readinessErrors['driver-state'],
      driver.code === null ? `${driver.id} is ${driver.state}` : (driver.detail ?? driver.id),
      driver.id,
    );
  }
  const { uplink } = facts;
  // Online with a code: the broker takes the connection, yet not what the kit has to say, or lets it hear nothing. That
  // nobody has subscribed yet is no fault of the kit: its sales are kept, and the delivery says so.
  const heard = uplink.code === null || uplink.code === 'uplink-no-subscriber';
  if (uplink.state !== 'off' && (uplink.state !== 'online' || !heard)) {
    const code = uplink.code ?? 'broker-away';
    say(code, table(code) ?? readinessErrors['broker-away'], uplink.detail ?? uplink.url);
  }
  if (facts.clockTrust === 'unset') say('clock-unset', readinessErrors['clock-unset']);
  const { configured, state, refused } = facts.pricing;
  if (configured && state === null && refused === null) say('rules-missing', readinessErrors['rules-missing']);
  if (state === 'expired') say('rules-expired', readinessErrors['rules-expired']);
  // Beside rules in force a refused bundle is the merchant's concern, who hears of it by an event.
  if (configured && (state === null || state === 'expired') && refused !== null)
    reasons.push({
      code: refused.code,
      sentence: `No price rules are in force, and those that came were refused: ${refused.message}`,
      hint: (table(refused.code) ?? readinessErrors['rules-missing']).hint,
    });
  return reasons;
}

/** What is wrong with the free space; `null` when nothing is, or nothing is known. */
export function diskCode(freeBytes: number | null): 'disk-full' | 'disk-low' | null {
  if (freeBytes === null || freeBytes >= DISK_LOW_BYTES) return null;
  return freeBytes < DISK_FULL_BYTES ? 'disk-full' : 'disk-low';
}

/** Whether the power or the heat is at fault at this moment, not only since the machine started. */
export function throttledNow(throttled: string | null): boolean {
  return throttled !== null && /(^|, )(undervoltage|throttled)(,|$)/.test(throttled);
}
