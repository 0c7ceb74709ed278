import type { WallMs } from '../../drivers/api/clock.ts';
import type { ClockTrust } from '../core/event.ts';
import type { KitClock } from '../core/host.ts';

/** A wall clock before this instant has certainly never been set: this code did not exist yet. */
export const RELEASED_MS: WallMs = Date.UTC(2026, 10, 1) as WallMs;

/** A clock that is never believed to be earlier than what is known to have happened. */
export interface FlooredClock extends KitClock {
  /** It is at least this late now: the time of an event that was stamped by a synchronised clock. */
  raiseFloor(wallMs: WallMs): void;
}

/**
 * Puts a floor under a kit's wall clock. A Pi has no battery-backed clock: after a power cut it may wake up years ago,
 * when no certificate is valid yet and every rule lies in the future. Until the clock is synchronised, time goes on
 * from the later of this release and the last trusted event. A synchronised clock always wins, so that a wrong floor
 * cannot outlive the first synchronisation. Trust: `unset` only while nothing better than the release is known.
 */
export function flooredClock(raw: KitClock, releasedMs: WallMs = RELEASED_MS): FlooredClock {
  let floorMs: number = releasedMs;
  let floorMono = raw.monoMs();
  let known = false;
  const floorNow = (): number => floorMs + Math.max(0, raw.monoMs() - floorMono);
  return {
    bootId: raw.bootId,
    monoMs: () => raw.monoMs(),
    sleep: (ms, signal) => raw.sleep(ms, signal),
    wallMs: () => {
      const wallMs = raw.wallMs();
      return raw.trust() === 'synced' ? wallMs : (Math.max(wallMs, Math.floor(floorNow())) as WallMs);
    },
    trust: (): ClockTrust => {
      if (raw.trust() === 'synced') return 'synced';
      return known || raw.wallMs() >= releasedMs ? 'estimated' : 'unset';
    },
    raiseFloor: (wallMs) => {
      if (wallMs <= floorNow()) return;
      floorMs = wallMs;
      floorMono = raw.monoMs();
      known = true;
    },
  };
}
