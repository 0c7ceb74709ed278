/** What the machine says of itself; `null` where it cannot tell. */
export interface Strain {
  readonly temperatureC: number | null;
  /** Runnable processes over the last minute, per core. */
  readonly loadPerCore: number | null;
}

/** Half the rate from here, a quarter from there; a Pi throttles itself, till included, at 80 and 85 °C. */
const HOT_C = 78;
const VERY_HOT_C = 83;
/** Half the rate when so many processes wait for each core: the till is one of them. */
const BUSY_PER_CORE = 1.5;
/** It must get so much better before the rate goes up again, else it would swing. */
const RELIEF_C = 5;
const RELIEF_PER_CORE = 0.5;

/** Walkers are lost below three frames a second; heat alone may go lower. */
const FLOOR_FPS = 3;

/**
 * Decides how many frames a second the camera may look at, so that counting never takes the machine from the till.
 * Pure: the caller asks it now and then with what it read.
 */
export class Governor {
  private readonly wantedFps: number;
  private heat: 0 | 1 | 2 = 0;
  private busy = false;

  constructor(wantedFps: number) {
    this.wantedFps = wantedFps;
  }

  /** Frames a second that are allowed now: at most what is wanted. */
  allow({ temperatureC, loadPerCore }: Strain): number {
    if (temperatureC !== null) {
      const relief = (level: 1 | 2): number => (this.heat >= level ? RELIEF_C : 0);
      this.heat = temperatureC >= VERY_HOT_C - relief(2) ? 2 : temperatureC >= HOT_C - relief(1) ? 1 : 0;
    }
    if (loadPerCore !== null) this.busy = loadPerCore >= BUSY_PER_CORE - (this.busy ? RELIEF_PER_CORE : 0);
    const hot = this.wantedFps / 2 ** this.heat;
    if (!this.busy) return hot;
    return Math.min(hot, Math.max(this.wantedFps / 2, FLOOR_FPS));
  }
}
