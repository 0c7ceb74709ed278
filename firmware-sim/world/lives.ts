import type { KitConfig } from '../../agent/config/read-config.ts';
import type { Ledger } from '../../agent/core/ledger.ts';
import { runAgent } from '../../agent/run-agent.ts';
import { AgentError } from '../../drivers/api/agent-error.ts';
import { makeLife, type Life } from './life.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimBroker } from './sim-broker.ts';
import type { SimDisk } from './sim-disk.ts';
import type { Trace } from './trace.ts';
import type { WorldHost } from './world-host.ts';

export interface LivesParts {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly disk: SimDisk;
  readonly broker: SimBroker;
  readonly config: KitConfig;
  /** The machine as the agent finds it in its life of this number, from 1. */
  readonly host: (life: Life, number: number) => WorldHost;
  readonly opened: (epoch: string) => void;
  /** Whether the card has lost anything that a read may still meet. */
  readonly damaged: () => boolean;
  /** The agent ended although nobody told it to. */
  readonly failed: (why: string) => void;
}

/** The agent's process on one machine, from start to death and again. */
export interface Lives {
  /** How often it has started. */
  readonly started: number;
  /** How often it has died. */
  readonly died: number;
  /** How long it stays away when it ends by itself or by a cut transaction. */
  nextDownMs: number;
  /** The machine under it; null between two lives. */
  readonly host: WorldHost | null;
  /** Its ledger while that is open. */
  ledger(): Ledger | null;
  start(): void;
  /** Tells it to stop. */
  stop(): void;
  /** Kills it; it starts again after `downMs`. */
  die(why: string, downMs: number): void;
  /** Ends the present life for good. */
  end(): void;
}

interface Current {
  readonly life: Life;
  readonly host: WorldHost;
  readonly stop: AbortController;
  ledger(): Ledger | null;
}

export function makeLives(parts: LivesParts): Lives {
  const { disk, trace } = parts;
  let current: Current | null = null;
  let started = 0;
  let died = 0;

  const ended = (life: Life, error: unknown): void => {
    if (!life.alive || current?.life !== life) return;
    const told = current.stop.signal.aborted;
    // Damage that only a read finds ends the run: the next start sets the file aside.
    const damaged = parts.damaged() && error instanceof AgentError && error.code === 'ledger-corrupt';
    if (!damaged && (error !== null || !told))
      parts.failed(`the agent ended: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    lives.die(told ? 'stopped' : 'ended', lives.nextDownMs);
  };

  const lives: Lives = {
    get started() {
      return started;
    },
    get died() {
      return died;
    },
    nextDownMs: 1_000,
    get host() {
      return current?.host ?? null;
    },
    ledger: () => current?.ledger() ?? null,
    start() {
      if (current !== null) return;
      started += 1;
      trace.note('start', String(started));
      const life = makeLife();
      const host = parts.host(life, started);
      const stop = new AbortController();
      let ledger: Ledger | null = null;
      const watched: WorldHost = Object.create(host, {
        openLedger: {
          value: (asked: Parameters<WorldHost['openLedger']>[0]) => {
            ledger = host.openLedger(asked);
            parts.opened(ledger.epoch);
            return ledger;
          },
        },
      }) as WorldHost;
      current = { life, host, stop, ledger: () => (ledger !== null && disk.isOpen(ledger) ? ledger : null) };
      void runAgent(watched, parts.config, stop.signal).then(
        () => ended(life, null),
        (error: unknown) => ended(life, error),
      );
    },
    stop: () => current?.stop.abort(new Error('told to stop')),
    die(why, downMs) {
      if (current === null) return;
      trace.note('died', why);
      died += 1;
      current.life.end();
      current = null;
      disk.freeze();
      parts.broker.dropLinks();
      parts.scheduler.after(downMs, () => lives.start());
    },
    end: () => current?.life.end(),
  };
  return lives;
}
