import { fork, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { FromRadio, ToRadio } from './radio-wire.ts';

/** The last words of a radio process that are kept for the log. */
const LAST_WORDS_BYTES = 2_048;
const KILL_AFTER_MS = 2_000;

export interface RadioChild {
  readonly pid: number | undefined;
  send(message: ToRadio): void;
  /** Asks it to end, kills it when it does not, resolves when it is gone. */
  end(): Promise<void>;
  readonly ended: Promise<{ readonly code: number | null; readonly lastWords: string }>;
}

/** Runs the radio process: from source where the agent runs from source, compiled where it is compiled. */
export function forkRadio(onMessage: (message: FromRadio) => void): RadioChild {
  const fromSource = import.meta.url.endsWith('.ts');
  const entry = fileURLToPath(new URL(fromSource ? './radio-process.ts' : './radio-process.js', import.meta.url));
  const loader = fromSource ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : [];
  const child: ChildProcess = fork(entry, {
    execArgv: loader,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let lastWords = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-LAST_WORDS_BYTES);
  });
  child.on('message', (message) => onMessage(message as FromRadio));
  const ended = new Promise<{ code: number | null; lastWords: string }>((resolve) => {
    child.once('error', () => resolve({ code: null, lastWords }));
    child.once('exit', (code) => resolve({ code, lastWords }));
  });
  return {
    pid: child.pid,
    ended,
    send: (message) => {
      // A process that just died is replaced when 'exit' tells so; what is sent meanwhile is lost with it.
      if (child.connected) child.send(message, () => undefined);
    },
    end: async () => {
      if (child.connected) child.send({ kind: 'stop' } satisfies ToRadio, () => undefined);
      const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
