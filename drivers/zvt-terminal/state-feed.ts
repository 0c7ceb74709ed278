import type { DriverState, StateReading } from '../api/reading.ts';

/** Changes of state that wait for the reader; the oldest give way, for only the newest says how things stand. */
export const STATE_READINGS = 16;

/** What the session says of itself, for one reader. */
export class StateFeed {
  readonly #states: StateReading[] = [];
  #said = '';
  #wake: (() => void) | undefined;
  #end: { readonly error: Error | undefined } | null = null;

  /** Only a change is told. */
  say(state: DriverState, code: string | null, detail = ''): void {
    const said = `${state} ${code ?? ''}`;
    if (said === this.#said) return;
    this.#said = said;
    if (this.#states.length >= STATE_READINGS) this.#states.shift();
    this.#states.push({ kind: 'state', state, code, ...(detail === '' ? {} : { detail }) });
    this.#wake?.();
  }

  /** Ends the reading; with an error it throws that. The first end counts. */
  end(error?: Error): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async *read(signal: AbortSignal): AsyncGenerator<StateReading, void, undefined> {
    const wake = (): void => this.#wake?.();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        const reading = this.#states.shift();
        if (reading !== undefined) yield reading;
        else if (this.#end !== null) {
          if (this.#end.error !== undefined) throw this.#end.error;
          return;
        } else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }
}
