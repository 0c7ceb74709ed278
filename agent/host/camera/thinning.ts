/**
 * Chooses which frames are looked at: the first at or after each multiple of 1/fps of media time.
 * Media time that jumps back (a clip that starts again) starts the grid anew.
 */
export class Thinning {
  private readonly stepMs: number;
  private dueMs = -Infinity;
  private lastMs = -Infinity;

  /** @param fps frames per second of media time; `null` = every frame */
  constructor(fps: number | null) {
    this.stepMs = fps === null ? 0 : 1000 / fps;
  }

  /** True when the frame at this media time is wanted. */
  wants(atMs: number): boolean {
    if (this.stepMs === 0) return true;
    if (atMs < this.lastMs) this.dueMs = -Infinity;
    this.lastMs = atMs;
    // Half a millisecond of grace: containers round their time stamps.
    if (atMs + 0.5 < this.dueMs) return false;
    this.dueMs = (Math.floor((atMs + 0.5) / this.stepMs) + 1) * this.stepMs;
    return true;
  }
}
