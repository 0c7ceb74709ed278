import type { SourcePicture } from './picture.ts';

/**
 * A place for one picture: the newest wins, what it replaces is counted. How a live camera meets a slower network
 * without a queue that grows or lags. Two buffers change places: one waits, one is being looked at.
 */
export class PictureSlot {
  /** Pictures that a newer one replaced before they were taken. */
  overtaken = 0;
  private waiting: SourcePicture | undefined;
  private spare: Uint8Array = new Uint8Array(0);
  private taken: Uint8Array = new Uint8Array(0);
  private wake: (() => void) | undefined;

  put(picture: SourcePicture): void {
    if (this.waiting !== undefined) this.overtaken += 1;
    if (this.spare.length < picture.bytes.length) this.spare = new Uint8Array(Math.ceil(picture.bytes.length * 1.25));
    this.spare.set(picture.bytes);
    this.waiting = { ...picture, bytes: this.spare.subarray(0, picture.bytes.length) };
    this.wake?.();
  }

  /** Takes the newest, waits when there is none; rejects with the signal's reason. One taker at a time. */
  async take(signal: AbortSignal): Promise<SourcePicture> {
    for (;;) {
      signal.throwIfAborted();
      const picture = this.waiting;
      if (picture !== undefined) {
        this.waiting = undefined;
        [this.spare, this.taken] = [this.taken, this.spare];
        return picture;
      }
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done);
          this.wake = undefined;
          resolve();
        };
        this.wake = done;
        signal.addEventListener('abort', done, { once: true });
      });
    }
  }
}
