import type { ItemProgram } from './decide/program.ts';

/**
 * Rules that one pass evaluates at most, 20,000 being some 1 ms here: a sale waits for no more than one pass. A larger
 * catalogue is decided over several, in turn.
 */
export const RULES_PER_PASS = 20_000;

/** Whose turn it is to be decided: all items one after the other, as many in one pass as it allows. */
export class Turns {
  #cursor = 0;

  /** The next pass begins with the first item. */
  restart(): void {
    this.#cursor = 0;
  }

  /** The items of the next pass; at the beginning of a round those with overrides come before all others. */
  next(items: readonly ItemProgram[]): readonly ItemProgram[] {
    const start = this.#cursor;
    const due = start === 0 ? items.filter((item) => item.overrides.length > 0) : [];
    let left = RULES_PER_PASS;
    let taken = 0;
    for (; taken < items.length && left > 0; taken += 1) {
      const item = items[(start + taken) % items.length];
      if (item === undefined) break;
      left -= item.rules.all.length + 1;
      if (!(start === 0 && item.overrides.length > 0)) due.push(item);
    }
    this.#cursor = taken >= items.length ? 0 : (start + taken) % items.length;
    return due;
  }
}
