import { expect, test } from 'vitest';
import { all, bench, fill, sequences } from './testing/bench.ts';

const HOUR_MS = 3_600_000;

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
