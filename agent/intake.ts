import { AgentError } from '../drivers/api/agent-error.ts';
import type { Clock, MonoMs } from '../drivers/api/clock.ts';
import type { Log } from '../drivers/api/driver.ts';
import { type Saves, type Stream } from '../drivers/api/reading.ts';
import type { PendingEvent, StoredEvent } from './core/event.ts';
import type { Ledger, LedgerTx } from './core/ledger.ts';
import { arrivalRate } from './arrival-rate.ts';
import { refusalOf } from './ledger/limits.ts';

/** Rows that make a commit at once. */
export const GROUP_ROWS = 100;
/**
 * Least time between two group commits while people's doings wait: scans, prices, picks, crossings. A steady 50 a second
 * is then committed one by one, each at once; twice that shares commits.
 */
export const PROMPT_MS = 10;
/**
 * The same for what the agent says of itself. What a sensor says by itself waits so long for others, from when the first
 * of them came: a steady 50 a second share a commit, which costs the card about 0.7 kB each instead of 5.5, and so do the
 * values that all sensors of a kit at rest repeat each minute: three tenths less written a day, measured side by side.
 */
export const PATIENT_MS = 1_000;
/**
 * What machines say this often in a second fills a commit by itself and is not held for more: 500 sensors at 1 Hz would
 * otherwise wait for their hundredth row, up to 200 ms. Below it a commit every 20 ms would hold fewer than four rows, at
 * 2 kB of card each.
 */
export const BUSY_PER_S = 200;
/** Least time between two group commits while it is that busy: about ten rows of 500 a second. */
export const BUSY_MS = 20;
/** Rows that wait at most. A healthy ledger is never that far behind; with a failing one the oldest row gives way. */
export const WAITING_ROWS = 1_000;
/** Pause between attempts while the ledger cannot be written. */
export const RETRY_MS = 250;

/** Whether a machine says it by itself, so that nobody waits for it. */
const isUnasked = (event: PendingEvent | null): boolean =>
  event === null || event.stream === 'agent' || event.type === 'barrow.sensor.v1';

/** Whether it may wait for others even after a pause. */
const isGathered = (event: PendingEvent | null): boolean => event === null || event.type === 'barrow.sensor.v1';

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
 * It rejects when the ledger's file turns out to be damaged. The ledger is synchronous, so that a caller that outruns the disk is held by the commit itself.
 */
export interface Intake {
  /**
   * Takes one event, with state to keep in the same transaction, and resolves once it waits for its commit. Events of
   * `sale` and `price` are committed before it resolves; for them it rejects with the ledger's errors.
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
  let dueMono = Infinity;
  let wake: (() => void) | null = null;
  let fatal: AgentError | null = null;
  let code: string | null = null;
  let commits = 0;
  let unstoredRows = 0;
  let lastCommitMono: MonoMs | null = null;
  const unstored = new Map<Stream, Unstored>();
  const unasked = arrivalRate();

  /** How long after the last commit this row may still wait for its own. */
  const patienceMs = (event: PendingEvent | null): number => {
    if (!isUnasked(event)) return PROMPT_MS;
    return unasked.count(clock.monoMs()) >= BUSY_PER_S ? BUSY_MS : PATIENT_MS;
  };

  /** Appends what was given up and what waits. */
  const drain = (tx: LedgerTx): void => {
    for (const [stream, { count, bytes, reason }] of unstored)
      tx.declareLoss(stream, { count, bytes, reason, atMono: clock.monoMs() });
    for (const { event, owner, saves } of queue) {
      if (event !== null) tx.append(event);
      if (owner === undefined || saves === undefined) continue;
      for (const [key, value] of Object.entries(saves)) tx.save(owner, key, value);
    }
  };

  /** One transaction: the queue (unless it is left out), then `work`, then the observers. */
  const store = <T>(withQueue: boolean, work: (tx: LedgerTx) => T): T => {
    const stored: StoredEvent[] = [];
    const result = ledger.transaction((tx) => {
      const watched = watch(tx, stored);
      if (withQueue) drain(watched);
      const value = work(watched);
      options.observe(watched, [...stored]);
      return value;
    });
    if (withQueue) {
      queue = [];
      dueMono = Infinity;
      unstored.clear();
      if (code !== null) log.info('intake-recovered', { code });
      code = null;
    }
    commits += 1;
    lastCommitMono = clock.monoMs();
    if (stored.length > 0) options.published(stored);
    return result;
  };

  const failed = (error: unknown): void => {
    if (!isLedgerFailure(error)) throw error;
    if (error.code === 'ledger-corrupt') {
      // A damaged file takes nothing more: the run ends, and the next start sets the file aside and goes on.
      fatal = error;
      wake?.();
      throw error;
    }
    if (code !== error.code) log.error('intake-failing', { code: error.code, detail: error.message });
    code = error.code;
    dueMono = clock.monoMs() + RETRY_MS;
    wake?.();
  };

  const flush = (): boolean => {
    if (queue.length === 0 && unstored.size === 0 && code === null) return true;
    try {
      // With nothing to store, a written byte is what proves that the disk takes them again.
      store(true, (tx) => (code === null ? undefined : tx.save('intake', 'probe', commits)));
      return true;
    } catch (error) {
      // One row that no ledger takes must not hold the others back for ever.
      if (error instanceof AgentError && REFUSALS.has(error.code) && refuseTooLarge() > 0) return flush();
      failed(error);
      return false;
    }
  };

  const countUnstored = (event: PendingEvent, reason: string): void => {
    const entry = unstored.get(event.stream) ?? { count: 0, bytes: 0, reason };
    entry.count += 1;
    entry.bytes += Buffer.byteLength(JSON.stringify(event.data));
    unstored.set(event.stream, entry);
    unstoredRows += 1;
  };

  /** Takes rows that are too large, or come with state that is, out of the queue; their events are declared. */
  const refuseTooLarge = (): number => {
    const kept: Waiting[] = [];
    for (const row of queue) {
      const refusal = refusalOf(row.event, row.saves);
      if (refusal === null) kept.push(row);
      else {
        log.error('intake-refused', { code: refusal, owner: row.owner ?? '', type: row.event?.type ?? '' });
        if (row.event !== null) countUnstored(row.event, refusal);
      }
    }
    const refused = queue.length - kept.length;
    queue = kept;
    return refused;
  };

  /** The oldest event goes, with the state that came with it, and is counted for its declaration. */
  const giveWay = (): void => {
    const [row] = queue.splice(0, 1);
    if (row?.event == null) return;
    countUnstored(row.event, code ?? 'ledger-io');
  };

  const enqueue = (row: Waiting): void => {
    if (queue.length >= WAITING_ROWS) giveWay();
    queue.push(row);
    const waitMs = patienceMs(row.event);
    if (code !== null) return;
    if (queue.length >= GROUP_ROWS) {
      flush();
      return;
    }
    const sinceMono = isGathered(row.event) && waitMs === PATIENT_MS ? clock.monoMs() : lastCommitMono;
    const due = sinceMono === null ? clock.monoMs() : sinceMono + waitMs;
    if (due >= dueMono) return;
    dueMono = due;
    wake?.();
  };

  const commit = <T>(work: (tx: LedgerTx) => T): T => {
    const alone = code !== null;
    let ran = false;
    const once = (tx: LedgerTx): T => {
      ran = true;
      return work(tx);
    };
    try {
      return store(!alone, once);
    } catch (error) {
      // The queue did not fit: what cannot wait goes alone, into the room that is kept for it.
      if (isLedgerFailure(error) && error.code === 'ledger-corrupt') failed(error);
      if (!isLedgerFailure(error)) throw error;
      // Also when nothing waits to be retried: the refusal is told, and a probe finds out when it is over.
      if (DISK_CODES.has(error.code)) failed(error);
      if (ran || alone) throw error;
      return store(false, work);
    }
  };

  return {
    async put(event, owner, saves) {
      if (event.stream !== 'sale' && event.stream !== 'price') {
        enqueue({ event, owner, saves });
        return;
      }
      commit((tx) => {
        tx.append(event);
        for (const [key, value] of Object.entries(saves ?? {})) tx.save(owner ?? '', key, value);
      });
    },
    async save(owner, saves) {
      enqueue({ event: null, owner, saves });
    },
    commit,
    flush,
    async run(signal) {
      const stopped = (): void => wake?.();
      signal.addEventListener('abort', stopped, { once: true });
      try {
        while (!signal.aborted) {
          if (fatal !== null) throw fatal;
          const pauseMs = dueMono - clock.monoMs();
          if (pauseMs <= 0) {
            dueMono = Infinity;
            flush();
          } else await nap(clock, pauseMs, (resume) => (wake = resume));
        }
      } finally {
        signal.removeEventListener('abort', stopped);
        wake = null;
        if (fatal === null) flush();
      }
    },
    health: () => ({ waitingRows: queue.length, code, unstoredRows, commits, lastCommitMono }),
  };
}

/** Sleeps until the time has passed or `resume` is called; without end when `ms` is infinite. */
async function nap(clock: Clock, ms: number, arm: (resume: () => void) => void): Promise<void> {
  if (ms === Infinity) {
    await new Promise<void>((resolve) => arm(resolve));
    return;
  }
  const early = new AbortController();
  arm(() => early.abort());
  try {
    await clock.sleep(ms, early.signal);
  } catch (error) {
    if (!early.signal.aborted) throw error;
  }
}

function watch(tx: LedgerTx, stored: StoredEvent[]): LedgerTx {
  const seen = (event: StoredEvent): StoredEvent => {
    stored.push(event);
    return event;
  };
  return {
    append: (event) => seen(tx.append(event)),
    declareLoss: (stream, loss) => seen(tx.declareLoss(stream, loss)),
    save: (owner, key, value) => tx.save(owner, key, value),
    saved: (owner, key) => tx.saved(owner, key),
    tables: tx.tables,
  };
}

/** What the ledger refuses a single row for. */
const REFUSALS: ReadonlySet<string> = new Set(['ledger-event', 'ledger-value']);

/** Failures of the disk that concern whatever comes next as well. */
const DISK_CODES: ReadonlySet<string> = new Set(['ledger-full', 'ledger-readonly', 'ledger-io']);

/** A failure of the disk under the ledger, after which events wait or are counted; anything else is a bug. */
function isLedgerFailure(error: unknown): error is AgentError {
  return error instanceof AgentError && error.code.startsWith('ledger-');
}
