import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Chance, MonoMs, WallMs } from '../../drivers/api/clock.ts';
import { flooredClock, type FlooredClock } from '../clock/floored-clock.ts';
import type { ClockTrust } from '../core/event.ts';
import { kernelClockSynchronised } from './kernel-clock.ts';

/** Longest single timer: Node turns anything beyond 2^31 − 1 ms into 1 ms. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** How long one answer about synchronisation is believed: `trust()` is asked for every event. */
const TRUST_CACHE_MS = 1_000;

export interface SystemClockOptions {
  /** systemd-timesyncd creates this file on its first synchronisation. */
  readonly timesyncFile?: string;
  readonly bootIdFile?: string;
  /** The kernel's own word; `null` when it cannot be asked. */
  readonly kernel?: () => boolean | null;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * The machine's clock. `monoMs` is CLOCK_MONOTONIC, so values of equal boot ids compare across restarts of the agent.
 * Trust: `synced` when timesyncd or the kernel says so (chrony and ntpd clear the kernel's STA_UNSYNC); otherwise the
 * wall clock stands on a floor, see {@link flooredClock}.
 */
export function systemClock(options: SystemClockOptions = {}): FlooredClock {
  const timesyncFile = options.timesyncFile ?? '/run/systemd/timesync/synchronized';
  const kernel = options.kernel ?? kernelClockSynchronised;
  const bootId = readBootId(options.bootIdFile ?? '/proc/sys/kernel/random/boot_id', options.env ?? process.env);
  let askedMono = Number.NEGATIVE_INFINITY;
  let synced = false;

  const monoMs = (): MonoMs => (Number(process.hrtime.bigint() / 1_000n) / 1_000) as MonoMs;
  const wallMs = (): WallMs => Date.now() as WallMs;
  return flooredClock({
    bootId,
    monoMs,
    wallMs,
    trust: (): ClockTrust => {
      const now = monoMs();
      if (now - askedMono >= TRUST_CACHE_MS) {
        askedMono = now;
        synced = existsSync(timesyncFile) || kernel() === true;
      }
      return synced ? 'synced' : 'estimated';
    },
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      let left = Math.max(0, ms);
      do {
        const part = Math.min(left, LONGEST_TIMER_MS);
        try {
          await wait(part, undefined, { signal });
        } catch (error) {
          throw signal.aborted ? signal.reason : error;
        }
        left -= part;
      } while (left > 0);
    },
  });
}

/** Chance from the operating system's generator. */
export function systemChance(): Chance {
  return {
    // 52 random bits over 2^52: every value is exact and below 1.
    float: () => Number(randomBytes(8).readBigUInt64LE() >> 12n) / 2 ** 52,
    bytes: (length) => new Uint8Array(randomBytes(length)),
  };
}

/**
 * Without dashes, as systemd's `%b` writes it. `ProcSubset=pid` hides the file; the unit then passes BARROW_BOOT_ID.
 * With neither, each start counts as a boot: times of two starts are then not compared, which is the safe reading.
 */
function readBootId(file: string, env: Readonly<Record<string, string | undefined>>): string {
  const given = env['BARROW_BOOT_ID'];
  if (given !== undefined && given !== '') return given.replaceAll('-', '').toLowerCase();
  try {
    const text = readFileSync(file, 'utf8').trim().replaceAll('-', '');
    if (text !== '') return text.toLowerCase();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
  }
  return randomBytes(16).toString('hex');
}
