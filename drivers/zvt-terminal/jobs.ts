import { zvtFailure } from './errors.ts';

/** Jobs that wait: one payment may stand behind the tail of the one before it. */
export const WAITING_JOBS = 2;

/** Something that the terminal is asked to do. */
export interface Job {
  /** True while an outcome is awaited: the tail of a settled payment (receipt, completion) is not. */
  undecided: boolean;
  abortWanted: boolean;
  readonly intentId: string | null;
  run: () => Promise<void>;
  fail(error: unknown): void;
}

/** What the terminal does now and what waits behind it. */
export class Jobs {
  readonly #waiting: Job[] = [];
  readonly #wake: (why: 'job' | 'abort') => void;
  #current: Job | null = null;

  /** `wake` is called when there is something new to look at. */
  constructor(wake: (why: 'job' | 'abort') => void) {
    this.#wake = wake;
  }

  get current(): Job | null {
    return this.#current;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** An outcome is awaited, of the current job or of one that waits. */
  get busy(): boolean {
    return this.#current?.undecided === true || this.#waiting.length > 0;
  }

  waitsFor(intentId: string): boolean {
    return this.#waiting.some((job) => job.intentId === intentId);
  }

  /** Rejects with `zvt-busy` when {@link WAITING_JOBS} wait; else settles as `make`'s work says. */
  enqueue<T>(
    intentId: string | null,
    signal: AbortSignal,
    make: (job: Job, resolve: (value: T) => void) => () => Promise<void>,
  ): Promise<T> {
    if (this.#waiting.length >= WAITING_JOBS) return Promise.reject(zvtFailure('zvt-busy'));
    const onAbort = (): void => this.abort();
    const outcome = new Promise<T>((resolve, reject) => {
      const job: Job = { undecided: true, abortWanted: false, intentId, run: () => Promise.resolve(), fail: reject };
      job.run = make(job, resolve);
      this.#waiting.push(job);
      this.#wake('job');
    });
    signal.addEventListener('abort', onAbort, { once: true });
    return outcome.finally(() => signal.removeEventListener('abort', onAbort));
  }

  /** Runs the next job; its failure is its caller's, and is returned. */
  async perform(): Promise<{ readonly job: Job; readonly error: unknown } | null> {
    const job = this.#waiting.shift();
    if (job === undefined) return null;
    this.#current = job;
    try {
      await job.run();
      return null;
    } catch (error) {
      job.fail(error);
      return { job, error };
    } finally {
      this.#current = null;
    }
  }

  /** Asks for the end of what is undecided: the current job, else the next one. */
  abort(): void {
    const job = this.#current?.undecided === true ? this.#current : this.#waiting[0];
    if (job === undefined) return;
    job.abortWanted = true;
    this.#wake('abort');
  }

  failAll(error: unknown): void {
    for (const job of this.#waiting.splice(0)) job.fail(error);
  }
}
