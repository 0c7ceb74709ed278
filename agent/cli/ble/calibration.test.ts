import { describe, expect, it } from 'vitest';
import type { Advertisement } from '../../../drivers/api/transports.ts';
import { RSSI_UNKNOWN } from '../../../drivers/ble-shelf/protocol.ts';
import { calibrate, quantum, SAMPLES, steady, tooLight } from './calibration.ts';
import { nearbyDevices, nearbyTable, NEARBY_MAX } from './nearby.ts';

const series = (grams: number, step = 0): number[] =>
  Array.from({ length: SAMPLES }, (_, index) => grams + ((index % 3) - 1) * step);

const advert = (address: string, rssiDbm: number, hex = ''): Advertisement => ({
  address,
  addressType: 'public',
  rssiDbm,
  connectable: false,
  atMono: 1_000,
  serviceData: hex === '' ? [] : [{ uuid: 'fcd2', data: Uint8Array.from(Buffer.from(hex, 'hex')) }],
  manufacturerData: undefined,
});

describe('calibration', () => {
  it('waits for enough samples that agree', () => {
    expect(steady(series(500).slice(1))).toBeUndefined();
    expect(steady(series(500, 1))?.grams).toBeCloseTo(500);
    expect(steady([...series(500).slice(0, -1), 900])).toBeUndefined();
  });

  it('finds unit, tare, noise and step', () => {
    const empty = steady(series(40, 10))!;
    const full = steady(series(1_840, 10))!;
    const result = calibrate(
      empty,
      full,
      10,
      quantum([
        [30, 40, 50],
        [1_830, 1_840],
      ]),
    )!;
    expect(result).toMatchObject({ unitGrams: 180, emptyGrams: 40, quantumGrams: 10 });
    expect(tooLight(result)).toBe(false);
    expect(tooLight({ ...result, unitGrams: 15 })).toBe(true);
    expect(calibrate(full, empty, 10, 1)).toBeUndefined();
  });
});

describe('the step of a sensor', () => {
  it('is not what was put on the shelf, however steady both weighings were', () => {
    expect(quantum([Array(12).fill(40), Array(12).fill(1_840)])).toBe(10);
    expect(quantum([Array(12).fill(40), [1_840, 1_840.5, 1_841]])).toBe(0.5);
    expect(quantum([])).toBe(10);
  });
});

describe('nearby devices', () => {
  it('bring the loudest to the top and keep the newest of each', () => {
    const nearby = nearbyDevices([]);
    nearby.hear(advert('00:00:00:00:00:01', -80, '40015d'));
    nearby.hear(advert('00:00:00:00:00:02', -40));
    nearby.hear(advert('00:00:00:00:00:01', -80, '40015c'));
    const [first, second] = nearby.loudestFirst();
    expect(first?.address).toBe('00:00:00:00:00:02');
    expect(second).toMatchObject({ formats: ['bthome'], measurements: [{ name: 'battery', value: 92 }], adverts: 2 });
    expect(nearbyTable(nearby.loudestFirst(), 3_000)[2]).toMatch(/bthome\s+-80 dBm\s+2 s\s+battery 92 %/);
  });

  it('do not take a strength that was not measured for the loudest', () => {
    const nearby = nearbyDevices([]);
    nearby.hear(advert('AA:00:00:00:00:01', RSSI_UNKNOWN));
    nearby.hear(advert('AA:00:00:00:00:02', -90));
    expect(nearby.loudestFirst().map(({ address }) => address)).toEqual(['AA:00:00:00:00:02', 'AA:00:00:00:00:01']);
    nearby.hear(advert('AA:00:00:00:00:02', RSSI_UNKNOWN));
    expect(nearby.loudestFirst()[0]).toMatchObject({ rssiDbm: -90, smoothedRssiDbm: -90 });
  });

  it('forget the longest unheard beyond their bound', () => {
    const nearby = nearbyDevices([]);
    for (let index = 0; index <= NEARBY_MAX; index += 1) nearby.hear(advert(`n${index}`, -60));
    expect(nearby.loudestFirst()).toHaveLength(NEARBY_MAX);
    expect(nearby.loudestFirst().some(({ address }) => address === 'n0')).toBe(false);
  });
});

it.each([3, 4, 5, 6, 7, 8, 9])('items put down after sample %i of twelve are not weighed half', (before) => {
  const samples = Array.from({ length: SAMPLES }, (_, index) => (index < before ? 100 : 907) + (index % 2));
  expect(steady(samples)).toBeUndefined();
  expect(steady([...samples, ...Array.from({ length: SAMPLES }, () => 907)])).toMatchObject({ grams: 907 });
});

it('a sensor that wavers by hundreds of grams all the time is still weighed', () => {
  expect(steady(Array.from({ length: SAMPLES }, (_, index) => (index % 2) * 400))).toMatchObject({ grams: 200 });
});
