import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { Log } from '../../drivers/api/driver.ts';
import { STREAMS } from '../../drivers/api/reading.ts';
import { CLOCK_ANCHOR_KEY, CLOCK_OWNER, clockAnchorOf } from '../core/clock-anchor.ts';
import type { StoredEvent } from '../core/event.ts';
import type { KitClock } from '../core/host.ts';
import type { Ledger } from '../core/ledger.ts';

/** A synchronised clock that leaves its own line by this much has been set anew; what drifts is slewed without notice. */
export const STEP_MS = 1_000;

/** How often the time is written down for the next start. */
export const FLOOR_SAVED_EVERY_MS: number = 10 * 60_000;

const FLOOR_KEY = 'floor';

/** What the clock watch needs of the agent. */
export interface ClockWatchParts {
  readonly clock: KitClock;
  readonly ledger: Ledger;
  readonly log: Log;
  /** Anchor events that were stored, for whoever follows them live. */
  onStored(events: readonly StoredEvent[]): void;
}

/** The last time that a synchronised clock is known to have shown; `null` in a new ledger. */
export function trustedFloor(ledger: Ledger): WallMs | null {
  const saved = ledger.saved(CLOCK_OWNER, FLOOR_KEY);
  let floorMs = typeof saved === 'number' ? saved : null;
  for (const stream of STREAMS) {
    const { last } = ledger.manifest(stream);
    const [newest] = last === 0 ? [] : ledger.range(stream, last, last, 1);
    if (newest?.clockTrust === 'synced') floorMs = Math.max(floorMs ?? 0, newest.wallMs);
  }
  return floorMs as WallMs | null;
}

/** Looked at once a second by the agent's heartbeat. */
export interface ClockWatch {
  look(): void;
}

/**
 * Watches the clock. Each first synchronisation of a boot, and each later step, becomes an event
 * `barrow.clock.anchor.v1` that ties (boot id, monotonic time) to wall time, so that consumers can date what they
 * already have; rows that were not delivered yet are given their time anew.
 */
export function clockWatch(parts: ClockWatchParts): ClockWatch {
  const { clock, ledger, log } = parts;
  let anchored = anchorOfThisBoot(ledger, clock.bootId);
  let savedMono = Number.NEGATIVE_INFINITY;

  const anchor = (offsetMs: number, nowMono: MonoMs, wallMs: WallMs): void => {
    const first = anchored === null;
    const stepMs = first ? null : Math.round(offsetMs - (anchored ?? 0));
    const event = ledger.transaction((tx) => {
      tx.save(CLOCK_OWNER, FLOOR_KEY, wallMs);
      tx.save(CLOCK_OWNER, CLOCK_ANCHOR_KEY, { bootId: clock.bootId, offsetMs });
      return tx.append({
        type: 'barrow.clock.anchor.v1',
        stream: 'agent',
        subject: 'clock',
        atMono: nowMono,
        data: {
          bootId: clock.bootId,
          monoMs: nowMono,
          wallMs,
          time: new Date(wallMs).toISOString(),
          cause: first ? 'first-sync' : 'step',
          stepMs,
        },
      });
    });
    anchored = offsetMs;
    savedMono = nowMono;
    // Rows that were sent keep what the consumer has seen; the anchor event dates them.
    const restamped = first ? ledger.restamp(offsetMs, 'synced') : 0;
    log.info('clock.anchored', { cause: first ? 'first-sync' : 'step', stepMs, restamped });
    parts.onStored([event]);
  };

  return {
    look: () => {
      if (clock.trust() !== 'synced') return;
      const nowMono = clock.monoMs();
      const wallMs = clock.wallMs();
      const offsetMs = wallMs - nowMono;
      if (anchored === null || Math.abs(offsetMs - anchored) >= STEP_MS) anchor(offsetMs, nowMono, wallMs);
      else if (nowMono - savedMono >= FLOOR_SAVED_EVERY_MS) {
        savedMono = nowMono;
        ledger.transaction((tx) => tx.save(CLOCK_OWNER, FLOOR_KEY, wallMs));
      }
    },
  };
}

/** A restart of the agent within one boot goes on from the anchor that is already told. */
function anchorOfThisBoot(ledger: Ledger, bootId: string): number | null {
  const anchor = clockAnchorOf(ledger.saved(CLOCK_OWNER, CLOCK_ANCHOR_KEY));
  return anchor?.bootId === bootId ? anchor.offsetMs : null;
}
