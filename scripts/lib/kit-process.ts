import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A kit of ledger and uplink in a process of its own. */
export interface KitProcess extends AsyncDisposable {
  /** The last sequence whose commit was told before now; 0 when none. */
  committed(): number;
  epoch(): string | null;
  /** Ends it by its id. SIGKILL unless told otherwise. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

const ENTRY = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './uplink-child.ts' : './uplink-child.js', import.meta.url),
);

/** Starts one; `committed` counts what its stdout told. */
export function startKitProcess(options: {
  readonly url: string;
  readonly state: string;
  readonly kit: string;
  readonly rowsPerS: number;
}): KitProcess {
  const loader = ENTRY.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const args = [...loader, ENTRY, options.url, options.state, options.kit, String(options.rowsPerS)];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let last = 0;
  let epoch: string | null = null;
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, sequence, of] = line.split(' ');
      last = Number(sequence);
      epoch = of ?? null;
    }
  });
  const end = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  return { committed: () => last, epoch: () => epoch, end, [Symbol.asyncDispose]: () => end() };
}
