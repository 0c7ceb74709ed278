import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from './free-port.ts';

/** Debian installs the broker outside the ordinary user's PATH. */
const PLACES = ['mosquitto', '/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'];
const READY_TRIES = 200;
const READY_PAUSE_MS = 25;
const LOG_LINES = 400;

export interface MosquittoOptions {
  /** Lines of mosquitto.conf; `listener`, `persistence_location` and `allow_anonymous` are set where missing. */
  readonly config?: readonly string[];
  /** Keep what was PUBACKed across restarts: written to disk within a second of each change. */
  readonly persistent?: boolean;
  /** A port to listen on; an ephemeral one by default. */
  readonly port?: number;
}

/** A real mosquitto on loopback. Disposing it ends the process by its id and removes its folder. */
export interface Mosquitto extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  /** What the broker wrote, newest last, at most 400 lines. */
  log(): readonly string[];
  /** Ends the process; the folder and the port stay. SIGKILL unless told otherwise. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and folder. */
  start(): Promise<void>;
}

/** Starts mosquitto and waits until it accepts connections. Throws when it is not installed or dies at start. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const port = options.port ?? (await freePort());
  const folder = await mkdtemp(join(tmpdir(), 'barrow-mosquitto-'));
  const configFile = join(folder, 'mosquitto.conf');
  const lines = configLines(options, port, folder);
  await writeFile(configFile, `${lines.join('\n')}\n`);
  const log: string[] = [];
  let child: ChildProcess | null = null;

  const stop = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    const running = child;
    child = null;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, 'exit');
    running.kill(signal);
    await gone;
  };
  const start = async (): Promise<void> => {
    child = await launch(configFile, port, log);
  };
  const dispose = async (): Promise<void> => {
    await stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    folder,
    log: () => [...log],
    stop,
    start,
    [Symbol.asyncDispose]: dispose,
  };
}

function configLines(options: MosquittoOptions, port: number, folder: string): readonly string[] {
  const own = options.config ?? [];
  const has = (key: string): boolean => own.some((line) => line.startsWith(`${key} `));
  return [
    ...(has('listener') ? [] : [`listener ${port} 127.0.0.1`]),
    ...(has('allow_anonymous') ? [] : ['allow_anonymous true']),
    ...(has('max_queued_messages') ? [] : ['max_queued_messages 0']),
    ...(options.persistent === true
      ? [
          'persistence true',
          `persistence_location ${folder}/`,
          'autosave_interval 1',
          'autosave_on_changes true',
          // Run by root, mosquitto would change to its own user and lose the folder.
          ...(process.getuid?.() === 0 ? ['user root'] : []),
        ]
      : ['persistence false']),
    ...own,
  ];
}

async function launch(configFile: string, port: number, log: string[]): Promise<ChildProcess> {
  for (const place of PLACES) {
    const child = spawn(place, ['-v', '-c', configFile], { stdio: ['ignore', 'pipe', 'pipe'] });
    const faults: NodeJS.ErrnoException[] = [];
    child.once('error', (error: NodeJS.ErrnoException) => faults.push(error));
    // A test process that ends early must not leave its broker behind.
    const orphan = (): void => void child.kill('SIGKILL');
    process.once('exit', orphan);
    child.once('exit', () => process.off('exit', orphan));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        log.push(...text.split('\n').filter((line) => line !== ''));
        if (log.length > LOG_LINES) log.splice(0, log.length - LOG_LINES);
      });
    }
    for (let tries = 0; tries < READY_TRIES && faults.length === 0 && child.exitCode === null; tries += 1) {
      if (await accepts(port)) return child;
      await wait(READY_PAUSE_MS);
    }
    const [fault] = faults;
    if (fault?.code === 'ENOENT') continue;
    child.kill('SIGKILL');
    throw new Error(`mosquitto did not start: ${fault?.message ?? log.slice(-3).join(' | ')}`);
  }
  throw new Error('mosquitto is not installed (Debian: apt-get install mosquitto)');
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
