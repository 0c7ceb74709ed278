import { expect, test } from 'vitest';
import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { Stream } from '../../drivers/api/reading.ts';
import type { ClockTrust, PendingEvent } from '../core/event.ts';
import { SETTLED_PAYMENTS } from './payment-table.ts';
import { openLedger } from './open-ledger.ts';
import type { SqliteLedger } from './sqlite-ledger.ts';

const HOUR_MS = 3_600_000;
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

class TestClock {
  mono = 1000;
  wall = Date.parse('2026-11-27T10:00:00Z');
  bootId = 'boot-1';
  trusted: ClockTrust = 'synced';
  monoMs(): MonoMs {
    return this.mono as MonoMs;
  }
  wallMs(): WallMs {
    return this.wall as WallMs;
  }
  trust(): ClockTrust {
    return this.trusted;
  }
  sleep(): Promise<void> {
    return Promise.reject(new Error('the ledger never sleeps'));
  }
  pass(ms: number): void {
    this.mono += ms;
    this.wall += ms;
  }
}

interface Bench {
  ledger: SqliteLedger;
  readonly clock: TestClock;
  /** What a crash leaves: the committed content, opened anew. */
  crash(): void;
}

function bench(options: { maxBytes?: number; retainAckedMs?: number } = {}): Bench {
  const clock = new TestClock();
  let next = 0;
  const open = (image: Uint8Array | null): SqliteLedger =>
    openLedger({
      store: { image },
      maxBytes: options.maxBytes ?? 64 * 1024 * 1024,
      retainAckedMs: options.retainAckedMs ?? HOUR_MS,
      clock,
      chance: { float: () => 0.5, bytes: (length) => Uint8Array.from({ length }, () => (next = (next + 7) % 256)) },
      log: quiet,
    });
  const result: Bench = {
    ledger: open(null),
    clock,
    crash() {
      result.ledger = open(result.ledger.image());
    },
  };
  return result;
}

function event(stream: Stream, n: number, size = 0): PendingEvent {
  return {
    type: 'barrow.test.v1',
    stream,
    subject: 'test',
    atMono: 1000 as MonoMs,
    data: { n, fill: 'x'.repeat(size) },
  };
}

function fill(ledger: SqliteLedger, stream: Stream, count: number, size = 0): void {
  ledger.transaction((tx) => {
    for (let n = 1; n <= count; n += 1) tx.append(event(stream, n, size));
  });
}

const all = { maxRows: 10_000, maxBytes: Infinity };
const sequences = (ledger: SqliteLedger, stream: Stream): number[] =>
  ledger.peek(stream, 0, all).map((row) => row.sequence);

test('sequences count from 1 per stream and go on after a crash in the same epoch', () => {
  const kit = bench();
  const { epoch } = kit.ledger;
  fill(kit.ledger, 'sale', 2);
  fill(kit.ledger, 'scan', 3);
  kit.clock.bootId = 'boot-2';
  kit.crash();
  fill(kit.ledger, 'sale', 1);
  expect(kit.ledger.epoch).toBe(epoch);
  expect(sequences(kit.ledger, 'sale')).toEqual([1, 2, 3]);
  expect(sequences(kit.ledger, 'scan')).toEqual([1, 2, 3]);
});

test('two ledgers never share an epoch that chance gave differently', () => {
  const kit = bench();
  expect(kit.ledger.epoch).toMatch(/^[0-9a-hjkmnp-tv-z]{16}$/);
});

test('a transaction that throws leaves nothing: no row, no saved value, no gap', () => {
  const { ledger } = bench();
  expect(() =>
    ledger.transaction((tx) => {
      tx.append(event('sale', 1));
      tx.save('till', 'last', 1);
      throw new Error('till burnt down');
    }),
  ).toThrow('till burnt down');
  fill(ledger, 'sale', 1);
  expect(sequences(ledger, 'sale')).toEqual([1]);
  expect(ledger.saved('till', 'last')).toBeUndefined();
});

test('a transaction handle is dead once its work has returned, and work cannot wait', () => {
  const { ledger } = bench();
  const leaked = ledger.transaction((tx) => tx);
  expect(() => leaked.append(event('sale', 1))).toThrow(TypeError);
  expect(() => ledger.transaction(async () => undefined)).toThrow(TypeError);
  expect(() => ledger.transaction(() => ledger.transaction(() => undefined))).toThrow(TypeError);
  expect(sequences(ledger, 'sale')).toEqual([]);
});

test('the time of an event is when it happened, not when it was committed', () => {
  const { ledger, clock } = bench();
  clock.pass(250);
  const stored = ledger.transaction((tx) => tx.append(event('scan', 1)));
  expect(stored.wallMs).toBe(clock.wall - 250);
});

test('acknowledgements come out of order, twice and for rows that never were', () => {
  const { ledger } = bench();
  fill(ledger, 'scan', 5);
  ledger.ack('scan', [3, 5, 99, 0, -1]);
  ledger.ack('scan', [3]);
  expect(sequences(ledger, 'scan')).toEqual([1, 2, 4]);
  expect(ledger.depth().streams.find((each) => each.stream === 'scan')).toMatchObject({ last: 5, pendingRows: 3 });
  ledger.ackThrough('scan', 4);
  expect(sequences(ledger, 'scan')).toEqual([]);
});

test('peek keeps to rows and bytes, but always gives one row', () => {
  const { ledger } = bench();
  fill(ledger, 'scan', 5, 1000);
  expect(ledger.peek('scan', 0, { maxRows: 3, maxBytes: Infinity })).toHaveLength(3);
  expect(ledger.peek('scan', 2, { maxRows: 9, maxBytes: 2500 }).map((row) => row.sequence)).toEqual([3, 4]);
  expect(ledger.peek('scan', 0, { maxRows: 9, maxBytes: 1 })).toHaveLength(1);
});

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

test('a row that no broker takes is set aside: declared, out of the way, still readable', () => {
  const { ledger } = bench();
  fill(ledger, 'sale', 3);
  ledger.quarantine('sale', 2, 'payload-format');
  ledger.quarantine('sale', 2, 'payload-format');
  const waiting = ledger.peek('sale', 0, all);
  expect(waiting.map((row) => row.sequence)).toEqual([1, 3, 4]);
  expect(waiting.at(-1)).toMatchObject({
    type: 'barrow.loss.v1',
    data: { from: 2, to: 2, count: 1, reason: 'payload-format' },
  });
  expect(ledger.range('sale', 2, 2, 1)).toHaveLength(1);
  expect(ledger.manifest('sale').losses).toEqual([{ from: 2, to: 2, count: 1, reason: 'payload-format' }]);
});

test('events that could not be stored get their sequences and one declaration', () => {
  const { ledger } = bench();
  fill(ledger, 'scan', 2);
  ledger.transaction((tx) => {
    tx.declareLoss('scan', { count: 7, bytes: 700, reason: 'ledger-full', atMono: 1 as MonoMs });
    tx.append(event('scan', 3));
  });
  expect(ledger.peek('scan', 2, all).map((row) => [row.sequence, row.type])).toEqual([
    [10, 'barrow.loss.v1'],
    [11, 'barrow.test.v1'],
  ]);
  expect(ledger.manifest('scan').losses).toEqual([{ from: 3, to: 9, count: 7, reason: 'ledger-full' }]);
});

test('a full ledger drops the oldest sensor events, declared in their stream, and never a sale', () => {
  const { ledger, clock } = bench({ maxBytes: 2 * 1024 * 1024 });
  fill(ledger, 'sale', 50, 200);
  for (let round = 0; round < 60; round += 1) {
    fill(ledger, 'footfall', 100, 300);
    ledger.maintain(clock.monoMs());
  }
  const { bytes, maxBytes, streams } = ledger.depth();
  expect(bytes).toBeLessThanOrEqual(maxBytes);
  expect(sequences(ledger, 'sale')).toHaveLength(50);
  const footfall = streams.find((each) => each.stream === 'footfall')!;
  expect(footfall.lostRows).toBeGreaterThan(0);
  const rows = ledger.peek('footfall', 0, all);
  const { losses } = ledger.manifest('footfall');
  expect(losses.reduce((sum, loss) => sum + loss.count, 0)).toBe(footfall.lostRows);
  expect(rows.filter((row) => row.type === 'barrow.loss.v1').length).toBeGreaterThan(0);
  expect(rows.length + footfall.lostRows).toBe(footfall.last);
});

test('what is left at the end belongs to sales', () => {
  const { ledger } = bench({ maxBytes: 1024 * 1024 });
  expect(() => {
    for (let n = 0; n < 1000; n += 1) fill(ledger, 'price', 10, 400);
  }).toThrow(expect.objectContaining({ code: 'ledger-full' }));
  const kit = bench({ maxBytes: 1024 * 1024 });
  let refused = 0;
  for (let n = 0; n < 3000 && refused === 0; n += 1) {
    try {
      fill(kit.ledger, 'price', 1, 400);
      fill(kit.ledger, 'scan', 1, 10);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ledger-full' });
      refused += 1;
    }
  }
  expect(refused).toBe(1);
  fill(kit.ledger, 'sale', 1, 400);
  expect(sequences(kit.ledger, 'sale')).toEqual([1]);
});

test('delivered sales make room for new ones before a sale is refused', () => {
  const { ledger, clock } = bench({ maxBytes: 1024 * 1024 });
  for (let round = 0; round < 60; round += 1) {
    fill(ledger, 'sale', 50, 300);
    ledger.ackThrough('sale', (round + 1) * 50);
    ledger.maintain(clock.monoMs());
  }
  expect(ledger.manifest('sale')).toMatchObject({ last: 3000, losses: [] });
  expect(ledger.manifest('sale').first).toBeGreaterThan(1);
});

test('sensor values thin to one a minute before anything is dropped', () => {
  const { ledger, clock } = bench({ maxBytes: 1024 * 1024 });
  let round = 0;
  while (ledger.manifest('shelf').losses.length === 0 && round < 400) {
    ledger.transaction((tx) => {
      for (let n = 0; n < 10; n += 1) {
        clock.pass(1000);
        const data = { sensorId: 's1', measurements: [{ name: 'temperature', value: n, unit: '°C' }], rssiDbm: -60 };
        tx.append({ type: 'barrow.sensor.v1', stream: 'shelf', subject: 's1', atMono: clock.monoMs(), data });
      }
    });
    ledger.maintain(clock.monoMs());
    round += 1;
  }
  const [loss] = ledger.manifest('shelf').losses;
  expect(loss?.reason).toBe('thinned');
  const first = ledger.peek('shelf', 0, all)[0]!;
  expect(first.data['measurements']).toMatchObject([{ name: 'temperature', min: 0, max: 9 }]);
  expect(loss!.count).toBeLessThan(loss!.to - loss!.from + 1);
});

test('undelivered sensor events end with their age', () => {
  const { ledger, clock } = bench();
  fill(ledger, 'agent', 5);
  ledger.maintain(clock.monoMs());
  clock.pass(31 * 24 * HOUR_MS);
  fill(ledger, 'agent', 1);
  const declared = ledger.maintain(clock.monoMs());
  expect(declared.map((each) => each.data)).toMatchObject([{ from: 1, to: 5, count: 5, reason: 'age' }]);
  expect(sequences(ledger, 'agent')).toEqual([6, 7]);
});

test('a set clock gives its time to the rows that wait, and only to those of this boot', () => {
  const kit = bench();
  kit.clock.trusted = 'unset';
  kit.clock.wall = 0;
  fill(kit.ledger, 'scan', 1);
  kit.clock.bootId = 'boot-2';
  kit.crash();
  fill(kit.ledger, 'scan', 2);
  kit.ledger.ack('scan', [2]);
  expect(kit.ledger.restamp(1_764_000_000_000, 'synced')).toBe(1);
  const rows = kit.ledger.range('scan', 1, 3, 10);
  expect(rows.map((row) => [row.clockTrust, row.wallMs])).toEqual([
    ['unset', 0],
    ['unset', 0],
    ['synced', 1_764_000_001_000],
  ]);
});

test('settled payments beyond the newest 20,000 are forgotten, open and unknown ones never', () => {
  const { ledger, clock } = bench();
  ledger.transaction((tx) => {
    const put = (n: number, step: 'done' | 'sent', outcome: 'approved' | 'unknown' | 'pending'): void =>
      tx.tables.payments.put({ intentId: `p${n}`, driverId: 't', step, outcome, body: {} });
    put(1, 'done', 'unknown');
    put(2, 'sent', 'pending');
    for (let n = 3; n <= SETTLED_PAYMENTS + 10; n += 1) put(n, 'done', 'approved');
  });
  ledger.maintain(clock.monoMs());
  ledger.transaction((tx) => {
    expect(tx.tables.payments.unsettled('t').map((row) => row.intentId)).toEqual(['p1', 'p2']);
    expect(tx.tables.payments.find('p10')).toBeUndefined();
    expect(tx.tables.payments.find('p11')).toBeDefined();
  });
});

test('payments, answers and saved values live through a crash', () => {
  const kit = bench();
  kit.ledger.transaction((tx) => {
    tx.tables.payments.put({ intentId: 'a', driverId: 't', step: 'sent', outcome: 'pending', body: { amount: 1 } });
    tx.tables.payments.put({ intentId: 'b', driverId: 't', step: 'done', outcome: 'unknown', body: {} });
    tx.tables.payments.put({ intentId: 'c', driverId: 't', step: 'done', outcome: 'approved', body: {} });
    tx.tables.idempotency.put('k', { bodyHash: 'h', status: 201, answer: { ok: true }, atMono: 1 as MonoMs });
    tx.save('driver/shelves', 'count', { s1: 4 });
    tx.save('driver/shelves', 'gone', 1);
    tx.save('driver/shelves', 'gone', null);
  });
  kit.crash();
  expect(kit.ledger.saved('driver/shelves', 'count')).toEqual({ s1: 4 });
  expect(kit.ledger.saved('driver/shelves', 'gone')).toBeUndefined();
  kit.ledger.transaction((tx) => {
    expect(tx.tables.payments.unsettled('t').map((row) => row.intentId)).toEqual(['a', 'b']);
    expect(tx.tables.payments.find('c')).toMatchObject({ outcome: 'approved' });
    expect(tx.tables.idempotency.find('k')).toEqual({ bodyHash: 'h', status: 201, answer: { ok: true } });
    expect(() => tx.save('driver/x', 'big', 'x'.repeat(70_000))).toThrow(
      expect.objectContaining({ code: 'ledger-value' }),
    );
  });
});
