import { expect, test } from 'vitest';
import type { MonoMs, WallMs } from '../drivers/api/clock.ts';
import type { Stream } from '../drivers/api/reading.ts';
import type { PendingEvent, StoredEvent } from './core/event.ts';
import type { Ledger, LedgerTx } from './core/ledger.ts';
import {
  BUSY_MS,
  BUSY_PER_S,
  createIntake,
  GROUP_ROWS,
  PATIENT_MS,
  PROMPT_MS,
  RETRY_MS,
  WAITING_ROWS,
  type Intake,
} from './intake.ts';
import { ledgerFailure } from './ledger/errors.ts';
import { openLedger } from './ledger/open-ledger.ts';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A clock whose sleepers wake only when the test lets time pass. */
class StepClock {
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

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

interface Bench {
  readonly intake: Intake;
  readonly ledger: Ledger;
  readonly clock: StepClock;
  readonly published: StoredEvent[][];
  /** Makes every transaction fail with this code, `null` makes the disk well again. */
  fail: (code: 'ledger-full' | 'ledger-io' | 'ledger-corrupt' | null, streams?: readonly Stream[]) => void;
  readonly stop: () => Promise<void>;
  readonly running: Promise<void>;
}

function bench(observe: (tx: LedgerTx, events: readonly StoredEvent[]) => void = () => undefined): Bench {
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

function event(stream: Stream, n: number): PendingEvent {
  return { type: 'barrow.test.v1', stream, subject: 'test', atMono: 0 as MonoMs, data: { n } };
}

function value(n: number): PendingEvent {
  return { ...event('shelf', n), type: 'barrow.sensor.v1' };
}

const numbers = (ledger: Ledger, stream: Stream): unknown[] =>
  ledger.range(stream, 1, 1e6, 1e6).map((row) => (row.type === 'barrow.loss.v1' ? row.data['count'] : row.data['n']));

test('the first event after a pause is committed at once', async () => {
  const { intake, ledger, stop } = bench();
  await intake.put(event('scan', 1));
  await settled();
  expect(numbers(ledger, 'scan')).toEqual([1]);
  await stop();
});

test('a sensor’s value waits for those of the others, a second from the first of them', async () => {
  const { intake, ledger, clock, published, stop } = bench();
  await clock.pass(60_000);
  await intake.put(value(1));
  await clock.pass(400);
  await intake.put(value(2));
  await clock.pass(599);
  expect(numbers(ledger, 'shelf')).toEqual([]);
  await clock.pass(1);
  expect(published.at(-1)?.map((each) => each.data['n'])).toEqual([1, 2]);
  await stop();
});

test('what people do shares a commit for at most 20 ms, what machines say by themselves for at most a second', async () => {
  const { intake, ledger, clock, published, stop } = bench();
  await intake.put(event('scan', 0));
  await intake.put(value(2));
  await settled();
  await intake.put(value(3));
  await clock.pass(PATIENT_MS);
  expect(numbers(ledger, 'shelf')).toEqual([2, 3]);
  await intake.put(value(3));
  await intake.put(event('scan', 1));
  await intake.put(event('scan', 2));
  await clock.pass(PROMPT_MS - 1);
  expect(numbers(ledger, 'scan')).toEqual([0]);
  await clock.pass(1);
  expect(numbers(ledger, 'scan')).toEqual([0, 1, 2]);
  expect(published.at(-1)?.map((each) => each.stream)).toEqual(['shelf', 'scan', 'scan']);
  await stop();
});

/** Values come evenly for a while; how long each waited for its commit in the last second, and in how many commits. */
async function valuesAtRate(perS: number, seconds: number): Promise<{ longestMs: number; commits: number }> {
  const { intake, ledger, clock, stop } = bench();
  const stepMs = 1_000 / perS;
  const putMs: number[] = [];
  const waitedMs: number[] = [];
  let stored = 0;
  let commitsBefore = 0;
  const last = (n: number): boolean => n >= perS * (seconds - 1);
  for (let n = 0; n < perS * seconds; n += 1) {
    if (n === perS * (seconds - 1)) commitsBefore = intake.health().commits;
    putMs.push(clock.mono);
    await intake.put(value(n));
    await clock.pass(stepMs);
    for (const end = ledger.manifest('shelf').last ?? 0; stored < end; stored += 1)
      if (last(stored)) waitedMs.push(clock.mono - putMs[stored]!);
  }
  const commits = intake.health().commits - commitsBefore;
  await stop();
  return { longestMs: Math.max(...waitedMs), commits };
}

test('values that come faster than a commit can be filled wait 20 ms, not for their hundredth row', async () => {
  const { longestMs, commits } = await valuesAtRate(500, 3);
  expect(longestMs).toBeLessThanOrEqual(BUSY_MS + 2);
  // One each 20 ms, so that the card is spared as far as the wait allows.
  expect(commits).toBeGreaterThanOrEqual(45);
  expect(commits).toBeLessThanOrEqual(50);
});

test('values at a rate that fills no commit share one a second', async () => {
  expect((await valuesAtRate(50, 4)).commits).toBeLessThanOrEqual(2);
  expect((await valuesAtRate(BUSY_PER_S / 2, 4)).commits).toBeLessThanOrEqual(2);
});

test('after a burst of values the patience is back', async () => {
  const { intake, ledger, clock, stop } = bench();
  for (let n = 0; n < BUSY_PER_S * 2; n += 1) {
    await intake.put(value(n));
    await clock.pass(2);
  }
  await clock.pass(BUSY_MS);
  await clock.pass(3_000);
  const before = ledger.manifest('shelf').last;
  await intake.put(value(-1));
  await clock.pass(BUSY_MS * 2);
  expect(ledger.manifest('shelf').last).toBe(before);
  await clock.pass(PATIENT_MS);
  expect(ledger.manifest('shelf').last).toBe((before ?? 0) + 1);
  await stop();
});

test('a hundred rows are committed without waiting', async () => {
  const { intake, ledger, stop } = bench();
  await intake.put(event('scan', 0));
  await settled();
  for (let n = 1; n <= GROUP_ROWS; n += 1) await intake.put(event('scan', n));
  expect(numbers(ledger, 'scan')).toHaveLength(GROUP_ROWS + 1);
  await stop();
});

test('a sale is on disk when commit returns, after what waited and with it', async () => {
  const { intake, ledger, published, stop } = bench();
  await intake.put(event('scan', 0));
  await settled();
  await intake.put(event('scan', 1), 'driver/scanner', { last: 1 });
  const stored = intake.commit((tx) => tx.append(event('sale', 7)));
  expect(stored.sequence).toBe(1);
  expect(numbers(ledger, 'sale')).toEqual([7]);
  expect(numbers(ledger, 'scan')).toEqual([0, 1]);
  expect(ledger.saved('driver/scanner', 'last')).toBe(1);
  expect(published.at(-1)?.map((each) => each.stream)).toEqual(['scan', 'sale']);
  await stop();
});

test('a commit whose work throws leaves nothing of it, and what waited still comes', async () => {
  const { intake, ledger, stop } = bench();
  await intake.put(event('scan', 0));
  await settled();
  await intake.put(event('scan', 1));
  expect(() =>
    intake.commit((tx) => {
      tx.append(event('sale', 1));
      throw new Error('no such basket');
    }),
  ).toThrow('no such basket');
  await stop();
  expect(numbers(ledger, 'sale')).toEqual([]);
  expect(numbers(ledger, 'scan')).toEqual([0, 1]);
});

test('observers decide inside the transaction that stored the events', async () => {
  const { intake, ledger, published, stop } = bench((tx, events) => {
    for (const each of events) if (each.stream === 'scan') tx.append(event('price', each.sequence));
  });
  await intake.put(event('scan', 1));
  await settled();
  expect(numbers(ledger, 'price')).toEqual([1]);
  expect(published).toHaveLength(1);
  await stop();
});

test('stopping commits what waits', async () => {
  const { intake, ledger, stop } = bench();
  await intake.put(value(1));
  await settled();
  await intake.put(value(2));
  await stop();
  expect(numbers(ledger, 'shelf')).toEqual([1, 2]);
});

test('while the disk fails events wait, the oldest beyond the bound are counted, and all is declared in order after', async () => {
  const { intake, ledger, clock, fail, stop } = bench();
  await intake.put(event('scan', 0));
  await settled();
  fail('ledger-io');
  const over = 5;
  for (let n = 1; n <= WAITING_ROWS + over; n += 1) await intake.put(event('scan', n));
  expect(intake.health()).toMatchObject({ code: 'ledger-io', waitingRows: WAITING_ROWS, unstoredRows: over });
  await clock.pass(RETRY_MS);
  expect(intake.health().code).toBe('ledger-io');
  fail(null);
  await clock.pass(RETRY_MS);
  expect(intake.health()).toMatchObject({ code: null, waitingRows: 0, unstoredRows: over });
  expect(ledger.manifest('scan')).toMatchObject({
    last: 1 + over + 1 + WAITING_ROWS,
    losses: [{ from: 2, to: 1 + over, count: over, reason: 'ledger-io' }],
  });
  expect(numbers(ledger, 'scan').slice(0, 3)).toEqual([0, over, over + 1]);
  await stop();
});

test('a sale fits where the waiting rows do not', async () => {
  const { intake, ledger, clock, fail, stop } = bench();
  await intake.put(event('scan', 0));
  await settled();
  await intake.put(event('scan', 1));
  fail('ledger-full', ['scan']);
  intake.commit((tx) => tx.append(event('sale', 1)));
  expect(numbers(ledger, 'sale')).toEqual([1]);
  expect(intake.health()).toMatchObject({ code: 'ledger-full', waitingRows: 1 });
  fail(null);
  await clock.pass(RETRY_MS);
  expect(numbers(ledger, 'scan')).toEqual([0, 1]);
  await stop();
});

test('a damaged ledger ends the run, so that the next start can mend it', async () => {
  const { intake, running, fail } = bench();
  fail('ledger-corrupt');
  await intake.put(event('scan', 1));
  await expect(running).rejects.toMatchObject({ code: 'ledger-corrupt' });
});

test('a sale that cannot be stored says so to its till', async () => {
  const { intake, clock, fail, stop } = bench();
  fail('ledger-io');
  expect(() => intake.commit((tx) => tx.append(event('sale', 1)))).toThrow(
    expect.objectContaining({ code: 'ledger-io' }),
  );
  await expect(intake.put(event('sale', 1))).rejects.toMatchObject({ code: 'ledger-io' });
  fail(null);
  await clock.pass(RETRY_MS);
  expect(intake.health().code).toBeNull();
  await stop();
});

test('a sale that the disk refuses makes the ledger refuse, until a probe is stored', async () => {
  const { intake, clock, fail, stop } = bench();
  fail('ledger-full', ['sale']);
  expect(() => intake.commit((tx) => tx.append(event('sale', 1)))).toThrow(
    expect.objectContaining({ code: 'ledger-full' }),
  );
  expect(intake.health()).toMatchObject({ code: 'ledger-full', waitingRows: 0 });
  await clock.pass(RETRY_MS);
  expect(intake.health().code).toBeNull();
  await stop();
});
