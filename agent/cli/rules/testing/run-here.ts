import { barrowCommands } from '../../commands/index.ts';
import { runProgram, type ExitStatus } from '../../program.ts';

export interface Answer {
  readonly status: ExitStatus;
  readonly out: string;
  readonly err: string;
}

/** One command line, run in this process with its output caught: a process each takes seconds. */
export async function runHere(...argv: readonly string[]): Promise<Answer> {
  const said = { out: '', err: '' };
  const former = { out: process.stdout.write, err: process.stderr.write };
  // The commands call it with a text and at most a callback.
  const catching = (name: 'out' | 'err') =>
    ((text: string, done?: () => void): boolean => {
      said[name] += text;
      done?.();
      return true;
    }) as typeof process.stdout.write;
  process.stdout.write = catching('out');
  process.stderr.write = catching('err');
  try {
    const status = await runProgram({ name: 'barrow', summary: '', commands: barrowCommands, examples: [], argv });
    return { status, ...said };
  } finally {
    process.stdout.write = former.out;
    process.stderr.write = former.err;
  }
}
