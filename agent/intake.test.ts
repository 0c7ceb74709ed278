import { expect, test } from 'vitest';
import { BUSY_MS, BUSY_PER_S, GROUP_ROWS, PATIENT_MS, PROMPT_MS } from './intake.ts';
import { bench, event, numbers, settled, value } from './testing/intake-bench.ts';

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
