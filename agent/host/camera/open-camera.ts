import { fork, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../../drivers/api/clock.ts';
import type { Log } from '../../../drivers/api/driver.ts';
import type { CameraFeed, CameraOptions, CameraSignal } from '../../../drivers/api/transports.ts';
import { FRAME_WINDOW, type FromCamera, type ToCamera } from './messages.ts';
import { findModel } from './model-path.ts';

export interface CameraDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Path of the ONNX; searched for when absent. */
  readonly modelPath?: string;
  /** {@link HUNG_MS} when absent. */
  readonly hungMs?: number;
}

/** A camera process that dies is started again after this, twice as long each time in a row. */
const RESTART_MS = { first: 500, longest: 30_000 } as const;

/** How long a process may take to end when it is asked to, before it is killed. */
const GRACE_MS = 2_000;

/** A process that says nothing for so long hangs: it is killed and started again. */
const HUNG_MS = 20_000;

/** State signals that may wait for the reader; the newest are kept. */
const MAX_STATES = 64;

/**
 * Starts capture and inference for one camera in a process of its own. It connects, reconnects and restarts by itself:
 * the feed's states tell how it fares. It ends by itself only for a file.
 * @throws AgentError `model-missing`
 */
export async function openCamera(options: CameraOptions, deps: CameraDeps, signal: AbortSignal): Promise<CameraFeed> {
  signal.throwIfAborted();
  const feed = new ProcessFeed(options, deps, deps.modelPath ?? findModel(options.precision));
  signal.addEventListener('abort', () => void feed[Symbol.asyncDispose](), { once: true });
  feed.start();
  return feed;
}

class ProcessFeed implements CameraFeed {
  private readonly options: CameraOptions;
  private readonly deps: CameraDeps;
  private readonly modelPath: string;
  private readonly closed = new AbortController();
  private readonly queue: CameraSignal[] = [];
  private child: ChildProcess | undefined;
  private exited: Promise<void> = Promise.resolve();
  private wake: (() => void) | undefined;
  private over = false;
  private skipped = 0;
  private deaths = 0;
  private hung: NodeJS.Timeout | undefined;

  constructor(options: CameraOptions, deps: CameraDeps, modelPath: string) {
    this.options = options;
    this.deps = deps;
    this.modelPath = modelPath;
  }

  start(): void {
    const child = forkModule();
    this.child = child;
    // Not `close`: after a disconnect from this side Node never says it.
    this.exited = new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    const hung = setTimeout(() => {
      this.deps.log.warn('camera-process-hung', { pid: child.pid ?? null });
      child.kill('SIGKILL');
    }, this.deps.hungMs ?? HUNG_MS);
    this.hung = hung;
    child.on('message', (message: FromCamera) => {
      hung.refresh();
      this.receive(message);
    });
    child.once('exit', (code, by) => {
      clearTimeout(hung);
      void this.restart(code, by);
    });
    this.send({ kind: 'open', options: this.options, modelPath: this.modelPath });
  }

  async *signals(signal: AbortSignal): AsyncGenerator<CameraSignal, void, undefined> {
    const wake = (): void => this.wake?.();
    signal.addEventListener('abort', wake);
    try {
      for (;;) {
        signal.throwIfAborted();
        const next = this.queue.shift();
        if (next !== undefined) {
          if (next.kind === 'frame') this.send({ kind: 'credit', frames: 1 });
          yield next;
        } else if (this.over) return;
        else
          await new Promise<void>((resolve) => {
            this.wake = resolve;
          });
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.closed.signal.aborted) return this.exited;
    this.closed.abort();
    const child = this.child;
    if (child?.connected === true) child.disconnect();
    const timer = setTimeout(() => child?.kill('SIGKILL'), GRACE_MS);
    await this.exited;
    clearTimeout(this.hung);
    clearTimeout(timer);
    this.end();
  }

  private receive(message: FromCamera): void {
    switch (message.kind) {
      case 'frame':
        this.deaths = 0;
        // The process sends no more than the window allows, so this queue is bounded by it.
        return this.put({ kind: 'frame', frame: message.frame, atMono: this.deps.clock.monoMs() });
      case 'log':
        return this.deps.log[message.level](message.event, message.fields);
      case 'alive':
        return;
      case 'state':
        this.skipped = message.skipped;
        this.put({ kind: 'state', state: message.state, code: message.code, skipped: message.skipped });
        if (message.state === 'ended' || (message.state === 'failed' && this.options.source.kind === 'file'))
          this.end();
    }
  }

  private put(next: CameraSignal): void {
    if (this.queue.length >= FRAME_WINDOW + MAX_STATES) {
      const oldest = this.queue.findIndex((waiting) => waiting.kind === 'state');
      this.queue.splice(Math.max(0, oldest), 1);
    }
    this.queue.push(next);
    this.wake?.();
  }

  private end(): void {
    this.over = true;
    this.wake?.();
  }

  private async restart(code: number | null, by: NodeJS.Signals | null): Promise<void> {
    if (this.closed.signal.aborted || this.over) return this.end();
    this.deps.log.warn('camera-process-lost', { code, signal: by });
    this.put({ kind: 'state', state: 'failed', code: 'camera-process-lost', skipped: this.skipped });
    // A clip cannot go on where it broke off.
    if (this.options.source.kind === 'file') return this.end();
    const waitMs = Math.min(RESTART_MS.longest, RESTART_MS.first * 2 ** Math.min(this.deaths, 10));
    this.deaths += 1;
    try {
      await this.deps.clock.sleep(waitMs, this.closed.signal);
      this.start();
    } catch {
      this.end(); // closed while it waited
    }
  }

  private send(message: ToCamera): void {
    if (this.child?.connected === true) this.child.send(message);
  }
}

/** Runs the process's entry beside this module: compiled, or as source under the loader that runs this one. */
function forkModule(): ChildProcess {
  const source = import.meta.url.endsWith('.ts');
  const entry = fileURLToPath(new URL(source ? './camera-process.ts' : './camera-process.js', import.meta.url));
  const loader = source ? ['--import', createRequire(import.meta.url).resolve('tsx')] : [];
  // Also in the process's own environment: see no-telemetry.ts.
  // Two malloc arenas: with one per thread the pictures of a day leave 60 MiB of holes.
  const env = { MALLOC_ARENA_MAX: '2', ...process.env, ORT_DISABLE_TELEMETRY: '1', ORT_TELEMETRY_DISABLED: '1' };
  return fork(entry, [], { env, execArgv: loader, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
}
