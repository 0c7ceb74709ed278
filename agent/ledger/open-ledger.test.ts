import { expect, test } from 'vitest';
import type { MonoMs } from '../../drivers/api/clock.ts';
import { SETTLED_PAYMENTS } from './payment-table.ts';
import { all, bench, event, fill, sequences } from './testing/bench.ts';

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
