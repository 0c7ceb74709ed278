import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { simFailure } from './errors.ts';

/** The real agent in a process of its own, its log in a file. */
export interface AgentProcess {
  readonly pid: number;
  /** Resolves with the exit status, or the signal's name. */
  readonly ended: Promise<number | string>;
  /** SIGTERM, then SIGKILL after ten seconds. */
  stop(): Promise<number | string>;
}

const STOP_MS = 10_000;

/** Starts `barrow run -c kitPath`: compiled beside compiled code, from source beside source. */
export function startAgent(kitPath: string, logPath: string): AgentProcess {
  const here = import.meta.url;
  const compiled = here.endsWith('.js');
  const entry = fileURLToPath(new URL(`../../agent/cli/main.${compiled ? 'js' : 'ts'}`, here));
  const child: ChildProcess = spawn(
    process.execPath,
    [...(compiled ? [] : ['--import', 'tsx']), entry, 'run', '-c', kitPath],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const log = createWriteStream(logPath, { mode: 0o600 });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      log.end();
      resolve(code ?? signal ?? 'unknown');
    });
  });
  if (child.pid === undefined) throw simFailure('agent-ended', { detail: 'it could not be started' });
  return {
    pid: child.pid,
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      try {
        return await ended;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
