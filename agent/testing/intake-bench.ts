import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { KitClock } from '../core/host.ts';
import type { Stream } from '../../drivers/api/reading.ts';
import type { PendingEvent, StoredEvent } from '../core/event.ts';
import type { Ledger, LedgerTx } from '../core/ledger.ts';
import { createIntake, type Intake } from '../intake.ts';
import { ledgerFailure } from '../ledger/errors.ts';
import { openLedger } from '../ledger/open-ledger.ts';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A clock whose sleepers wake only when the test lets time pass. */
export class StepClock implements KitClock {
  readonly bootId = 'boot-1';
  mono = 0;
  #sleepers: { at: number; wake: () => void }[] = [];
  monoMs(): MonoMs {
    return this.mono as MonoMs;
  }
  wallMs(): WallMs {
    return (1_764_000_000_000 + this.mono) as WallMs;
  }
  trust(): 'synced' {
    return 'synced';
  }
  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      this.#sleepers.push({ at: this.mono + ms, wake: resolve });
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }
  async pass(ms: number): Promise<void> {
    await settled();
    this.mono += ms;
    for (const sleeper of this.#sleepers.filter((each) => each.at <= this.mono)) sleeper.wake();
    this.#sleepers = this.#sleepers.filter((each) => each.at > this.mono);
    await settled();
  }
}

/** Everything has gone on that can without time. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

/** An intake over a ledger in memory that can be made to fail. */
export interface Bench {
  readonly intake: Intake;
  readonly ledger: Ledger;
  readonly clock: StepClock;
  readonly published: StoredEvent[][];
  /** Makes every transaction fail with this code, `null` makes the disk well again. */
  fail: (code: 'ledger-full' | 'ledger-io' | 'ledger-corrupt' | null, streams?: readonly Stream[]) => void;
  readonly stop: () => Promise<void>;
  readonly running: Promise<void>;
}

export function bench(observe: (tx: LedgerTx, events: readonly StoredEvent[]) => void = () => undefined): Bench {
  const clock = new StepClock();
  const ledger = openLedger({
    store: { image: null },
    maxBytes: 64 * 1024 * 1024,
    retainAckedMs: 3_600_000,
    clock,
    chance: { float: () => 0, bytes: (length) => new Uint8Array(length) },
    log: quiet,
  });
  let failing: 'ledger-full' | 'ledger-io' | 'ledger-corrupt' | null = null;
  let only: readonly Stream[] | undefined;
  const faulty: Ledger = Object.create(ledger, {
    transaction: {
      value: <T>(work: (tx: LedgerTx) => T): T =>
        ledger.transaction((tx) => {
          if (failing !== null && only === undefined) throw ledgerFailure(failing);
          return work({
            ...tx,
            append(event) {
              if (failing !== null && only?.includes(event.stream) === true) throw ledgerFailure(failing);
              return tx.append(event);
            },
          });
        }),
    },
  }) as Ledger;
  const published: StoredEvent[][] = [];
  const intake = createIntake({
    ledger: faulty,
    clock,
    log: quiet,
    observe,
    published: (events) => void published.push([...events]),
  });
  const stopper = new AbortController();
  const running = intake.run(stopper.signal);
  return {
    intake,
    ledger,
    clock,
    published,
    running,
    fail: (code, streams) => {
      failing = code;
      only = streams;
    },
    stop: async () => {
      stopper.abort();
      await running;
    },
  };
}

export function event(stream: Stream, n: number): PendingEvent {
  return { type: 'barrow.test.v1', stream, subject: 'test', atMono: 0 as MonoMs, data: { n } };
}

export function value(n: number): PendingEvent {
  return { ...event('shelf', n), type: 'barrow.sensor.v1' };
}

export const numbers = (ledger: Ledger, stream: Stream): unknown[] =>
  ledger.range(stream, 1, 1e6, 1e6).map((row) => (row.type === 'barrow.loss.v1' ? row.data['count'] : row.data['n']));
