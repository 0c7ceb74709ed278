import { stat } from 'node:fs/promises';
import { AgentError } from '../../drivers/api/agent-error.ts';
import type { Log } from '../../drivers/api/driver.ts';
import { registry } from '../../drivers/registry.ts';
import type { KitConfig } from '../config/read-config.ts';
import type { Host, ServiceManager } from '../core/host.ts';
import { machineHost } from '../host/machine-host.ts';
import { readKit } from '../host/read-kit.ts';
import { errorReason, faultReasons, holdUnready, type Unready } from '../unready.ts';

/** How often a kit.yaml that somebody may be correcting is looked at. */
const LOOK_MS = 2_000;
/** A start that failed over something beside kit.yaml (a secret, an address, a folder) is tried again after this. */
const RETRY_MS = 30_000;

/** A box fresh from the shelf has done nothing wrong. */
const NOT_YET = {
  sentence: 'This kit has no kit.yaml yet',
  hint: 'Put it on the card’s boot partition, or in /etc/barrow; it is taken as soon as it is there',
} as const;

export interface StayParts {
  readonly configPath: string;
  readonly log: Log;
  /** Calls `reload` when the operator asks for another look, until the signal fires. */
  readonly reloads: (reload: () => void, signal: AbortSignal) => void;
  /** Runs the agent until it is stopped. */
  readonly run: (config: KitConfig, service: ServiceManager) => Promise<void>;
}

/**
 * Runs the agent as soon as kit.yaml can work; until then the status page says what is wrong with it. Where the start
 * fails over something else that a person must mend, the page says that for half a minute, and then the error is thrown,
 * for the service manager to begin anew in a fresh process.
 */
export async function runOrStay(parts: StayParts, signal: AbortSignal): Promise<void> {
  const { configPath, log } = parts;
  const held = await machineHost({ configPath, stateDir: '.', log });
  while (!signal.aborted) {
    const changed = fileChanged(held, configPath, await stamp(configPath));
    const read = await readOrTell(configPath);
    if (!('config' in read)) {
      await hold(held, read, [changed, asked(parts.reloads)], signal);
      continue;
    }
    try {
      return await parts.run(read.config, held.service);
    } catch (error) {
      if (!(error instanceof AgentError) || error.exit !== 2) throw error;
      const { kit, api, ledger } = read.config;
      const unready: Unready = { reasons: [errorReason(error)], sound: { kit, api, ledger } };
      const again: Until = (ended) => held.clock.sleep(RETRY_MS, ended);
      await hold(held, unready, [again, changed, asked(parts.reloads)], signal);
      if (!signal.aborted) throw error;
    }
  }
}

async function readOrTell(path: string): Promise<{ readonly config: KitConfig } | Unready> {
  try {
    const read = await readKit(path, registry);
    return read.ok ? { config: read.config } : { reasons: faultReasons(path, read.faults), sound: read.sound };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    const reason = errorReason(error);
    return { reasons: [(await stamp(path)) === '' ? { ...reason, ...NOT_YET } : reason], sound: {} };
  }
}

/** Resolves when there is something new; the signal ends the waiting. */
type Until = (ended: AbortSignal) => Promise<void>;

/** Holds until the first of `untils` or the signal. */
async function hold(host: Host, unready: Unready, untils: readonly Until[], signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  const waiting = untils.map((until) => until(ended.signal).then(end, end));
  try {
    await holdUnready(host, unready, ended.signal);
  } finally {
    end();
    signal.removeEventListener('abort', end);
    await Promise.all(waiting);
  }
}

function fileChanged({ clock }: Host, path: string, before: string): Until {
  return async (ended) => {
    while ((await stamp(path)) === before) await clock.sleep(LOOK_MS, ended);
  };
}

/** Which file lies there and in which state; empty when there is none. */
async function stamp(path: string): Promise<string> {
  try {
    const { ino, size, ctimeMs } = await stat(path);
    return `${ino} ${size} ${ctimeMs}`;
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return '';
    throw error;
  }
}

function asked(reloads: StayParts['reloads']): Until {
  return (ended) =>
    new Promise((resolve) => {
      ended.addEventListener('abort', () => resolve(), { once: true });
      reloads(resolve, ended);
    });
}
