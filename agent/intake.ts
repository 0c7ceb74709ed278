import { AgentError } from '../drivers/api/agent-error.ts';
import type { Clock, MonoMs } from '../drivers/api/clock.ts';
import type { Log } from '../drivers/api/driver.ts';
import { type Saves, type Stream } from '../drivers/api/reading.ts';
import type { PendingEvent, StoredEvent } from './core/event.ts';
import type { Ledger, LedgerTx } from './core/ledger.ts';

/** Rows that make a commit at once. */
export const GROUP_ROWS = 100;
/** Longest time from an event to its commit while the disk keeps up. */
export const GROUP_MS = 20;
/** Rows that wait at most; beyond it `put` waits, or with a failing disk the oldest row gives way and is counted. */
export const WAITING_ROWS = 1_000;
/** Pause between attempts while the ledger cannot be written. */
export const RETRY_MS = 250;

export interface IntakeOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
  /** Runs inside the transaction that stores the events; what it appends belongs to the same commit. */
  readonly observe: (tx: LedgerTx, events: readonly StoredEvent[]) => void;
  /** Runs after the commit with everything that it stored, in order. */
  readonly published: (events: readonly StoredEvent[]) => void;
}

export interface IntakeHealth {
  readonly waitingRows: number;
  /** Code of the error that keeps events from being stored; `null` when all is well. */
  readonly code: string | null;
  /** Events given up since start because the ledger could not take them; each is declared when it can again. */
  readonly unstoredRows: number;
  readonly commits: number;
  readonly lastCommitMono: MonoMs | null;
}

/**
 * The one way into the ledger: bounded, group-committed, in order of arrival.
 * `run` must be awaited for as long as events come; it ends when the signal fires, after a last commit.
 */
export interface Intake {
  /**
   * Takes one event, with state to keep in the same transaction. Resolves once it waits for its commit, at most
   * {@link GROUP_MS} away; while {@link WAITING_ROWS} wait it resolves only when there is room.
   */
  put(event: PendingEvent, owner?: string, saves?: Saves): Promise<void>;
  /** Keeps state without an event. */
  save(owner: string, saves: Saves): Promise<void>;
  /**
   * Commits at once: what waits goes first, in the same transaction. When it returns, all is on disk.
   * Throws the ledger's errors and whatever `work` throws; then nothing of `work` remains.
   */
  commit<T>(work: (tx: LedgerTx) => T): T;
  /** Commits what waits, now. False when the ledger could not take it. */
  flush(): boolean;
  run(signal: AbortSignal): Promise<void>;
  health(): IntakeHealth;
}

interface Waiting {
  readonly event: PendingEvent | null;
  readonly owner: string | undefined;
  readonly saves: Saves | undefined;
}

interface Unstored {
  count: number;
  bytes: number;
  reason: string;
}

export function createIntake(options: IntakeOptions): Intake {
  const { ledger, clock, log } = options;
  let queue: Waiting[] = [];
  let roomFor: (() => void)[] = [];
  let wake: (() => void) | null = null;
  let code: string | null = null;
  let commits = 0;
  let unstoredRows = 0;
  let lastCommitMono: MonoMs | null = null;
  const unstored = new Map<Stream, Unstored>();

  /** Appends what waits and what was given up before it; returns how many of the waiting rows were taken. */
  const drain = (tx: LedgerTx): number => {
    for (const [stream, { count, bytes, reason }] of unstored)
      tx.declareLoss(stream, { count, bytes, reason, atMono: clock.monoMs() });
    for (const { event, owner, saves } of queue) {
      if (event !== null) tx.append(event);
      if (owner === undefined || saves === undefined) continue;
      for (const [key, value] of Object.entries(saves)) tx.save(owner, key, value);
    }
    return queue.length;
  };

  /** One transaction: the queue (unless it is left out), then `work`, then the observers. */
  const store = <T>(withQueue: boolean, work: (tx: LedgerTx) => T): T => {
    const stored: StoredEvent[] = [];
    let taken = 0;
    const result = ledger.transaction((tx) => {
      const watched = watch(tx, stored);
      if (withQueue) taken = drain(watched);
      const value = work(watched);
      options.observe(watched, [...stored]);
      return value;
    });
    if (withQueue) {
      queue = queue.slice(taken);
      unstored.clear();
      recovered();
    }
    commits += 1;
    lastCommitMono = clock.monoMs();
    if (stored.length > 0) options.published(stored);
    return result;
  };

  const recovered = (): void => {
    if (code !== null) log.info('intake-recovered', { code });
    code = null;
    const waiters = roomFor;
    roomFor = [];
    for (const resume of waiters) resume();
  };

  const failed = (error: unknown): void => {
    if (!isLedgerFailure(error)) throw error;
    if (code !== error.code) log.error('intake-failing', { code: error.code, detail: error.message });
    code = error.code;
    // Devices go on being read: waiting readers may pass, and the oldest rows give way to the newest.
    const waiters = roomFor;
    roomFor = [];
    for (const resume of waiters) resume();
  };

  const flush = (): boolean => {
    if (queue.length === 0 && unstored.size === 0) return true;
    try {
      store(true, () => undefined);
      return true;
    } catch (error) {
      failed(error);
      return false;
    }
  };

  /** Makes room for one more row while the ledger fails. Sales never give way: they do not come through here. */
  const giveWay = (): void => {
    const index = queue.findIndex((row) => row.event !== null);
    const [row] = queue.splice(Math.max(0, index), 1);
    if (row?.event == null) return;
    const entry = unstored.get(row.event.stream) ?? { count: 0, bytes: 0, reason: code ?? 'ledger-io' };
    entry.count += 1;
    entry.bytes += Buffer.byteLength(JSON.stringify(row.event.data));
    unstored.set(row.event.stream, entry);
    unstoredRows += 1;
  };

  const enqueue = async (row: Waiting): Promise<void> => {
    while (queue.length >= WAITING_ROWS) {
      if (code !== null) giveWay();
      else if (flush()) break;
      else if (code === null) await new Promise<void>((resolve) => roomFor.push(resolve));
    }
    queue.push(row);
    if (queue.length >= GROUP_ROWS && code === null) flush();
    else wake?.();
  };

  return {
    put: (event, owner, saves) => enqueue({ event, owner, saves }),
    save: (owner, saves) => enqueue({ event: null, owner, saves }),
    commit(work) {
      let ran = false;
      const once = (tx: LedgerTx): ReturnType<typeof work> => {
        ran = true;
        return work(tx);
      };
      try {
        return store(code === null, once);
      } catch (error) {
        // The queue did not fit: what cannot wait goes alone, into the room that is kept for it.
        if (ran || code !== null || !isLedgerFailure(error)) throw error;
        failed(error);
        return store(false, work);
      }
    },
    flush,
    async run(signal) {
      const stopped = (): void => wake?.();
      signal.addEventListener('abort', stopped, { once: true });
      try {
        while (!signal.aborted) {
          if (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
          wake = null;
          if (signal.aborted) break;
          const idleMs = lastCommitMono === null ? GROUP_MS : clock.monoMs() - lastCommitMono;
          const pauseMs = code === null ? Math.max(0, GROUP_MS - idleMs) : RETRY_MS;
          if (!(await pause(clock, pauseMs, signal))) break;
          flush();
        }
      } finally {
        signal.removeEventListener('abort', stopped);
        flush();
      }
    },
    health: () => ({ waitingRows: queue.length, code, unstoredRows, commits, lastCommitMono }),
  };
}

function watch(tx: LedgerTx, stored: StoredEvent[]): LedgerTx {
  return {
    append(event) {
      const event_ = tx.append(event);
      stored.push(event_);
      return event_;
    },
    declareLoss(stream, loss) {
      const event = tx.declareLoss(stream, loss);
      stored.push(event);
      return event;
    },
    save: (owner, key, value) => tx.save(owner, key, value),
    saved: (owner, key) => tx.saved(owner, key),
    tables: tx.tables,
  };
}

/** A failure of the disk under the ledger, after which events wait or are counted; anything else is a bug. */
function isLedgerFailure(error: unknown): error is AgentError {
  return error instanceof AgentError && error.code.startsWith('ledger-');
}

/** False when the signal fired first. */
async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
