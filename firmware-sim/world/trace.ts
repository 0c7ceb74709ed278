import { createHash } from 'node:crypto';

/** Lines kept of a trace, newest last, for a person who looks at a failed seed. */
const KEPT_LINES = 400;

/** Everything that happened, in order, as one hash. */
export interface Trace {
  note(what: string, detail?: string): void;
  hash(): string;
  readonly count: number;
  tail(): readonly string[];
}

export function makeTrace(nowMs: () => number): Trace {
  const hash = createHash('sha256');
  const lines: string[] = [];
  let count = 0;
  let digest: string | undefined;
  return {
    note(what, detail = '') {
      const line = `${nowMs()} ${what} ${detail}`;
      hash.update(line).update('\n');
      count += 1;
      lines.push(line.slice(0, 300));
      if (lines.length > KEPT_LINES * 2) lines.splice(0, KEPT_LINES);
    },
    hash() {
      digest ??= hash.digest('hex');
      return digest;
    },
    get count() {
      return count;
    },
    tail: () => lines.slice(-KEPT_LINES),
  };
}
