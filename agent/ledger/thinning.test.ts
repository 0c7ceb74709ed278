import { expect, test } from 'vitest';
import type { JsonObject } from '../../drivers/api/reading.ts';
import type { EventRow } from './stream-log.ts';
import { thin } from './thinning.ts';

function row(seq: number, mono: number, data: JsonObject, subject = 's1', type = 'barrow.sensor.v1'): EventRow {
  return [seq, type, subject, JSON.stringify(data), mono, 1, 0, 2];
}

const temperature = (value: number): JsonObject => ({
  sensorId: 's1',
  measurements: [{ name: 'temperature', value, unit: '°C' }],
  rssiDbm: -60,
});

test('one row a minute stays and says the minute’s minimum, maximum and mean', () => {
  const { drop, rewrite } = thin([
    row(1, 0, temperature(20)),
    row(2, 30_000, temperature(26)),
    row(3, 59_999, temperature(23)),
    row(4, 60_000, temperature(1)),
  ]);
  expect(drop.map(([seq]) => seq)).toEqual([1, 2]);
  expect(rewrite.map(({ row: [seq], data }) => [seq, JSON.parse(data) as unknown])).toEqual([
    [
      3,
      {
        sensorId: 's1',
        measurements: [{ name: 'temperature', unit: '°C', value: 23, min: 20, max: 26, mean: 23, n: 3 }],
        rssiDbm: -60,
      },
    ],
  ]);
});

test('a minute that was thinned before counts with its weight', () => {
  const before: JsonObject = {
    sensorId: 's1',
    measurements: [{ name: 'temperature', unit: '°C', value: 10, min: 8, max: 12, mean: 10, n: 3 }],
  };
  const { rewrite } = thin([row(3, 100, before), row(4, 200, temperature(20))]);
  expect(JSON.parse(rewrite[0]!.data).measurements).toEqual([
    { name: 'temperature', unit: '°C', value: 20, min: 8, max: 20, mean: 12.5, n: 4 },
  ]);
});

test('two thermometers of one sensor, other sensors, other boots and other types keep apart', () => {
  const twice: JsonObject = {
    measurements: [
      { name: 'temperature', value: 1 },
      { name: 'temperature', value: 9 },
    ],
  };
  const otherBoot: EventRow = [5, 'barrow.sensor.v1', 's1', '{}', 10, 2, 0, 2];
  const { drop, rewrite } = thin([
    row(1, 0, twice),
    row(2, 10, twice),
    row(3, 20, temperature(4), 's2'),
    row(4, 30, {}, 's1', 'barrow.shelf.count.v1'),
    otherBoot,
  ]);
  expect(drop.map(([seq]) => seq)).toEqual([1]);
  expect(JSON.parse(rewrite[0]!.data).measurements).toEqual([
    { name: 'temperature', value: 1, min: 1, max: 1, mean: 1, n: 2 },
    { name: 'temperature', value: 9, min: 9, max: 9, mean: 9, n: 2 },
  ]);
});

test('a value that is no number keeps its last word', () => {
  const moving = (value: boolean): JsonObject => ({ measurements: [{ name: 'moving', value }] });
  const { rewrite } = thin([row(1, 0, moving(true)), row(2, 10, moving(false))]);
  expect(JSON.parse(rewrite[0]!.data).measurements).toEqual([{ name: 'moving', value: false, n: 2 }]);
});
