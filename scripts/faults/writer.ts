import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process that writes a ledger, and what it said. */
export interface Writer {
  /** The highest sequence whose commit was told. */
  committed(): number;
  /** How often it was refused, and the last code. */
  refused(): { readonly times: number; readonly code: string | null };
  alive(): boolean;
  kill(): Promise<void>;
}

export function startWriter(state: string, mode: 'ledger' | 'normal'): Writer {
  const source = import.meta.url.endsWith('.ts');
  const entry = fileURLToPath(new URL(source ? './ledger-writer.ts' : './ledger-writer.js', import.meta.url));
  const args = [...(source ? ['--import', 'tsx'] : []), entry, state, mode];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let last = 0;
  let times = 0;
  let code: string | null = null;
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [word, what] = line.split(' ');
      if (word === 'refused') {
        times += 1;
        code = what ?? null;
      } else last = Number(word);
    }
  });
  return {
    committed: () => last,
    refused: () => ({ times, code }),
    alive: () => child.exitCode === null && child.signalCode === null,
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
