/** What must be closed again, in reverse order of opening; Node 20 has no AsyncDisposableStack of its own. */
export class Closing {
  readonly #steps: (() => Promise<void> | void)[] = [];

  defer(step: () => Promise<void> | void): void {
    this.#steps.push(step);
  }

  use<T extends Disposable>(thing: T): T {
    this.defer(() => thing[Symbol.dispose]());
    return thing;
  }

  /** Runs every step even when one fails; then throws the first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.#steps.splice(0).toReversed()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
