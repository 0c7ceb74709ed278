/** Part of a window that may go unwatched, and its count still be relied on: a restart, a camera that was bumped. */
export const MISSED_SHARE: number = 1 / 15;

/** Spells that are remembered; the oldest two become one, which makes them longer, never shorter. */
export const MAX_SPELLS = 32;

/** No window looks back further. */
const LONGEST_MS = 3_600_000;

interface Spell {
  readonly fromMono: number;
  readonly toMono: number;
}

/**
 * When nobody was watching the door, in monotonic time: while the agent was down, while a counter was out of order, and
 * before anything that can be dated. A new kit has missed nothing: it is there before the shop is.
 */
export class Watch {
  #spells: Spell[] = [];
  #heardMono: number | null = null;
  #awaySince: number | null = null;

  /** The agent was at work then. */
  hear(atMono: number): void {
    this.#heardMono = Math.max(this.#heardMono ?? atMono, atMono);
  }

  /** The agent began anew: it had seen nothing since it was last heard of. */
  restart(atMono: number): void {
    if (this.#heardMono !== null) this.#miss({ fromMono: this.#heardMono, toMono: atMono });
  }

  /** Something happened that cannot be dated: nothing is known of the time up to now. */
  lose(nowMono: number): void {
    this.#miss({ fromMono: Number.NEGATIVE_INFINITY, toMono: nowMono });
  }

  /** From here on a counter is out of order … */
  leave(atMono: number): void {
    this.#awaySince ??= atMono;
  }

  /** … until here. */
  enter(atMono: number): void {
    if (this.#awaySince !== null) this.#miss({ fromMono: this.#awaySince, toMono: atMono });
    this.#awaySince = null;
  }

  /** Whether a count over the last so many milliseconds lacks too much to be relied on. */
  hasMissed(nowMono: number, windowMs: number): boolean {
    const sinceMono = nowMono - windowMs;
    let missedMs = this.#awaySince === null ? 0 : nowMono - Math.max(sinceMono, this.#awaySince);
    for (const { fromMono, toMono } of this.#spells) missedMs += Math.max(0, toMono - Math.max(sinceMono, fromMono));
    return missedMs > windowMs * MISSED_SHARE;
  }

  #miss({ fromMono, toMono }: Spell): void {
    if (toMono <= fromMono) return;
    const last = this.#spells.at(-1);
    if (last !== undefined && fromMono <= last.toMono)
      this.#spells[this.#spells.length - 1] = {
        fromMono: Math.min(fromMono, last.fromMono),
        toMono: Math.max(toMono, last.toMono),
      };
    else this.#spells.push({ fromMono, toMono });
    this.#spells = this.#spells.filter((spell) => spell.toMono > toMono - LONGEST_MS);
    const [first, second] = this.#spells;
    if (this.#spells.length > MAX_SPELLS && first !== undefined && second !== undefined)
      this.#spells.splice(0, 2, { fromMono: first.fromMono, toMono: second.toMono });
  }
}
