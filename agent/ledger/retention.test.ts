import { expect, test } from 'vitest';
import { bench, fill, sequences } from './testing/bench.ts';

const HOUR_MS = 3_600_000;

test('few acknowledgements are written down within minutes, without a commit to ride on too, and survive a crash after that', () => {
  const kit = bench();
  fill(kit.ledger, 'scan', 5);
  kit.ledger.ack('scan', [1, 2, 5]);
  kit.crash();
  expect(sequences(kit.ledger, 'scan')).toEqual([1, 2, 3, 4, 5]);
  kit.ledger.ack('scan', [1, 2, 5]);
  kit.clock.pass(390_000);
  kit.ledger.maintain(kit.clock.monoMs());
  kit.crash();
  expect(sequences(kit.ledger, 'scan')).toEqual([3, 4]);
});

test('a crash under load sends again fewer rows than ride on one commit, and those of two seconds', () => {
  const kit = bench();
  fill(kit.ledger, 'scan', 100);
  kit.ledger.ackThrough('scan', 69);
  kit.clock.pass(2_000);
  fill(kit.ledger, 'scan', 1);
  kit.ledger.ackThrough('scan', 100);
  kit.clock.pass(2_000);
  fill(kit.ledger, 'scan', 1);
  kit.crash();
  // 31 more had come: one too few.
  expect(sequences(kit.ledger, 'scan')[0]).toBe(70);
  kit.ledger.ackThrough('scan', 101);
  kit.clock.pass(2_000);
  fill(kit.ledger, 'scan', 1);
  kit.crash();
  expect(sequences(kit.ledger, 'scan')).toEqual([102, 103]);
});

test('marks and rows past their retention ride on a commit that is made anyway, once a minute', () => {
  const { ledger, clock } = bench({ retainAckedMs: HOUR_MS });
  const minutes = 100;
  for (let minute = 0; minute < minutes; minute += 1) {
    fill(ledger, 'scan', 1);
    ledger.ackThrough('scan', ledger.manifest('scan').last);
    const before = ledger.image();
    for (let second = 0; second < 59; second += 1) {
      clock.pass(1_000);
      ledger.maintain(clock.monoMs());
    }
    expect(Buffer.compare(ledger.image(), before), `minute ${minute}`).toBe(0);
    clock.pass(1_000);
  }
  const { first, last } = ledger.manifest('scan');
  expect(last).toBe(minutes);
  expect(last - first).toBeGreaterThanOrEqual(60);
  expect(last - first).toBeLessThanOrEqual(62);
});

test('a delivered row stays for its retention, then goes; the newest stays for ever', () => {
  const { ledger, clock } = bench({ retainAckedMs: HOUR_MS });
  fill(ledger, 'sale', 10);
  ledger.ackThrough('sale', 10);
  clock.pass(90_000);
  ledger.maintain(clock.monoMs());
  clock.pass(HOUR_MS - 120_000);
  ledger.maintain(clock.monoMs());
  expect(ledger.range('sale', 1, 10, 100)).toHaveLength(10);
  clock.pass(240_000);
  ledger.maintain(clock.monoMs());
  expect(ledger.range('sale', 1, 10, 100).map((row) => row.sequence)).toEqual([10]);
  expect(ledger.manifest('sale')).toMatchObject({ first: 10, last: 10, losses: [] });
});

test('retention counts open time: a wall clock that jumps ten years forgets nothing', () => {
  const kit = bench({ retainAckedMs: HOUR_MS });
  fill(kit.ledger, 'sale', 3);
  kit.ledger.ackThrough('sale', 3);
  kit.ledger.maintain(kit.clock.monoMs());
  kit.clock.wall += 10 * 365 * 24 * HOUR_MS;
  kit.clock.pass(90_000);
  kit.ledger.maintain(kit.clock.monoMs());
  kit.clock.wall -= 20 * 365 * 24 * HOUR_MS;
  kit.clock.mono = 5;
  kit.clock.bootId = 'boot-2';
  kit.crash();
  kit.ledger.maintain(kit.clock.monoMs());
  expect(kit.ledger.range('sale', 1, 3, 100)).toHaveLength(3);
});
