import { expect, test } from 'vitest';
import { RETRY_MS, WAITING_ROWS } from './intake.ts';
import { bench, event, numbers, settled } from './testing/intake-bench.ts';

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
