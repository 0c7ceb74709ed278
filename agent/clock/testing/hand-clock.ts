import type { MonoMs, WallMs } from '../../../drivers/api/clock.ts';
import type { ClockTrust } from '../../core/event.ts';
import type { KitClock } from '../../core/host.ts';

/** A clock that moves when it is told to, for what never sleeps on it. */
export class HandClock implements KitClock {
  bootId = 'boot-1';
  trusted: ClockTrust = 'synced';
  wall: number;
  mono: number;

  constructor(iso: string, monoMs: number) {
    this.wall = Date.parse(iso);
    this.mono = monoMs;
  }
  wallMs(): WallMs {
    return this.wall as WallMs;
  }
  monoMs(): MonoMs {
    return this.mono as MonoMs;
  }
  trust(): ClockTrust {
    return this.trusted;
  }
  sleep(_ms: number, _signal: AbortSignal): Promise<void> {
    return Promise.reject(new Error('nothing sleeps here'));
  }
  pass(ms: number): void {
    this.wall += ms;
    this.mono += ms;
  }
}
