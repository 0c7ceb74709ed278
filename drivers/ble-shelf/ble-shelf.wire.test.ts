import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { systemChance, systemClock } from '../../agent/host/clock.ts';
import { shelfBench, type ShelfBench } from '../../firmware-sim/devices/ble-shelf/shelf-bench.ts';
import { virtualGattScale, virtualRuuvi } from '../../firmware-sim/devices/ble-shelf/virtual-beacons.ts';
import { virtualShelf } from '../../firmware-sim/devices/ble-shelf/virtual-shelf.ts';
import type { EventReading, Json, JsonObject } from '../api/reading.ts';
import { driver } from './index.ts';

const POLL = { timeout: 20_000, interval: 25 };
const clock = systemClock();
const chance = systemChance();
const KEY = '231d39c1d7cc1ab1aee224cd096db932';
const A = 'A4:C1:38:8D:18:B2';
const quick = { intervalMs: 40, cell: { handMs: 80, noiseGrams: 1 } };

const ofType = (bench: ShelfBench, type: string): readonly EventReading[] =>
  bench.events.filter((event) => event.type === type);
const counts = (bench: ShelfBench): readonly JsonObject[] =>
  ofType(bench, 'barrow.shelf.count.v1').map(({ data }) => data);
const total = (bench: ShelfBench): number => counts(bench).reduce((sum, data) => sum + Number(data['delta']), 0);

describe('shelf sensors over the air', () => {
  it('counts what is taken and put, and the deltas add up', async () => {
    const shelf = virtualShelf({ address: A, unitGrams: 180, emptyGrams: 40, units: 10, clock, chance, ...quick });
    await using bench = await shelfBench([
      { id: 's1', address: A, format: 'bthome', sku: 'TEE', unitGrams: 180, emptyGrams: 40 },
    ]);
    bench.controller.add(shelf);
    await expect.poll(() => counts(bench).at(-1), POLL).toMatchObject({ count: 10, delta: 0, cause: 'first' });
    shelf.take(3);
    await expect.poll(() => counts(bench).at(-1), POLL).toMatchObject({ sku: 'TEE', count: 7, cause: 'pick' });
    shelf.put(2);
    await expect.poll(() => counts(bench).at(-1), POLL).toMatchObject({ count: 9, cause: 'put' });
    expect(10 + total(bench)).toBe(9);
    for (const event of bench.events) {
      const emission = driver.emits.find(({ type }) => type === event.type);
      expect(emission?.data.safeParse(event.data)).toMatchObject({ success: true });
    }
    expect(bench.states[0]).toMatchObject({ kind: 'state' });
    await expect
      .poll(() => bench.states.some(({ state, part }) => state === 'ready' && part === 's1'), POLL)
      .toBe(true);
  });

  it('believes an encrypting sensor and nobody who imitates it', async () => {
    const shelf = virtualShelf({
      address: A,
      unitGrams: 90,
      emptyGrams: 0,
      units: 4,
      clock,
      chance,
      ...quick,
      key: Uint8Array.from(Buffer.from(KEY, 'hex')),
    });
    await using bench = await shelfBench(
      [{ id: 's1', address: A, format: 'bthome', key: { file: 's1.key' }, sku: 'CAP', unitGrams: 90 }],
      { keys: { 's1.key': `${KEY}\n` } },
    );
    const onAir = bench.controller.add(shelf);
    await expect.poll(() => counts(bench).at(-1), POLL).toMatchObject({ count: 4 });
    onAir[Symbol.dispose]();
    const before = bench.events.length;
    const heard = { address: A, addressType: 'public', rssiDbm: -50 } as const;
    const inClear = Uint8Array.of(0x02, 0x01, 0x06, 0x07, 0x16, 0xd2, 0xfc, 0x40, 0x06, 0x00, 0x00);
    for (let index = 0; index < 5; index += 1) bench.controller.inject(heard, 'non-connectable', inClear);
    await expect
      .poll(() => bench.states.at(-1), POLL)
      .toMatchObject({ part: 's1', state: 'degraded', code: 'sensor-in-clear' });
    expect(bench.events.length).toBe(before);
  });

  it('refuses recorded frames, also after a restart of the agent', async () => {
    const saved = new Map<string, Json>();
    const sensors = [{ id: 's1', address: A, format: 'bthome', key: { file: 's1.key' }, sku: 'CAP', unitGrams: 90 }];
    const options = { keys: { 's1.key': KEY }, saved };
    const shelf = virtualShelf({
      address: A,
      unitGrams: 90,
      emptyGrams: 0,
      units: 4,
      clock,
      chance,
      ...quick,
      key: Uint8Array.from(Buffer.from(KEY, 'hex')),
    });
    const recorded: Uint8Array[] = [];
    {
      await using bench = await shelfBench(sensors, options);
      bench.controller.add({
        ...shelf,
        advertise: () => {
          const payload = shelf.advertise();
          if (payload !== undefined) recorded.push(payload.data);
          return payload;
        },
      });
      await expect.poll(() => counts(bench).at(-1), POLL).toMatchObject({ count: 4 });
    }
    await using again = await shelfBench(sensors, options);
    const heard = { address: A, addressType: 'public', rssiDbm: -50 } as const;
    await expect.poll(() => again.controller.counters.commands, POLL).toBeGreaterThan(5);
    await expect
      .poll(() => {
        for (const frame of recorded.slice(0, 3)) again.controller.inject(heard, 'non-connectable', frame);
        return again.states.some(
          ({ part, state, code }) => part === 's1' && state === 'degraded' && code === 'sensor-replayed',
        );
      }, POLL)
      .toBe(true);
    expect(again.events).toEqual([]);
  });

  it('loses no count when the radio process is killed', async () => {
    const shelf = virtualShelf({ address: A, unitGrams: 180, emptyGrams: 0, units: 10, clock, chance, ...quick });
    await using bench = await shelfBench([{ id: 's1', address: A, format: 'bthome', sku: 'TEE', unitGrams: 180 }]);
    bench.controller.add(shelf);
    await expect.poll(() => counts(bench).at(-1), POLL).toMatchObject({ count: 10 });
    const pid = bench.logged.filter(({ event }) => event === 'radio-process-started').at(-1)?.fields['pid'];
    process.kill(Number(pid), 'SIGKILL');
    shelf.take(4);
    await expect.poll(() => counts(bench).at(-1), POLL).toMatchObject({ count: 6, delta: -4, cause: 'pick' });
    expect(bench.radio.health().restarts).toBe(1);
    expect(counts(bench).map(({ cause }) => cause)).toEqual(['first', 'pick']);
  });

  it('tells a restart from a pick when the shelf changed while the agent was off', async () => {
    const saved = new Map<string, Json>();
    const sensors = [{ id: 's1', address: A, format: 'bthome', sku: 'TEE', unitGrams: 180 }];
    const shelf = virtualShelf({ address: A, unitGrams: 180, emptyGrams: 0, units: 10, clock, chance, ...quick });
    {
      await using bench = await shelfBench(sensors, { saved });
      bench.controller.add(shelf);
      await expect.poll(() => counts(bench).at(-1), POLL).toMatchObject({ count: 10 });
    }
    shelf.take(2);
    await using again = await shelfBench(sensors, { saved });
    again.controller.add(shelf);
    await expect.poll(() => counts(again).at(-1), POLL).toMatchObject({ count: 8, delta: -2, cause: 'restart' });
  });

  it('reads a connected scale and a tag without an article', async () => {
    const scale = virtualGattScale({
      address: 'D0:00:00:00:00:01',
      clock,
      chance,
      cell: { handMs: 50, noiseGrams: 1 },
    });
    scale.load(3 * 250);
    await using bench = await shelfBench([
      { id: 'g1', address: 'D0:00:00:00:00:01', format: 'weight-scale', sku: 'JAM', unitGrams: 250 },
      { id: 'r1', address: 'C0:00:00:00:00:02', format: 'ruuvi' },
    ]);
    const onAir = bench.controller.add(scale);
    bench.controller.add(virtualRuuvi({ address: 'C0:00:00:00:00:02', clock, chance, intervalMs: 100 }));
    const indicating = setInterval(() => onAir.push('2a9d', scale.measurement()), 60);
    try {
      await expect.poll(() => counts(bench).at(-1), POLL).toMatchObject({ sensorId: 'g1', count: 3, cause: 'first' });
      const tag = (): readonly JsonObject[] =>
        ofType(bench, 'barrow.sensor.v1')
          .map(({ data }) => data)
          .filter(({ sensorId }) => sensorId === 'r1');
      await expect.poll(() => tag().length, POLL).toBeGreaterThan(0);
      const names = (tag()[0]!['measurements'] as readonly { readonly name: string }[]).map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(['temperature', 'humidity', 'pressure', 'voltage']));
    } finally {
      clearInterval(indicating);
    }
  });

  it('turns captured frames of real controllers into the values that were in them', async () => {
    const vectors = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8')) as readonly {
      readonly format: string;
      readonly hex: string;
      readonly from: string;
      readonly means: readonly (readonly [string, Json])[];
    }[];
    const frames = vectors.filter(({ format }) => format === 'hci');
    const formats = [
      ['54:48:E6:8F:80:A5', 'bthome'],
      ['C8:47:8C:C0:95:89', 'xiaomi-scale'],
      ['DF:DE:44:82:14:EF', 'xiaomi-scale'],
    ] as const;
    await using bench = await shelfBench(
      formats.map(([address, format], index) => ({ id: `s${index}`, address, format })),
      { controller: { extended: false } },
    );
    await expect.poll(() => bench.radio.health().state, POLL).toBe('starting');
    await expect.poll(() => bench.controller.counters.commands, POLL).toBeGreaterThan(8);
    // As sensors do, again and again: what is sent before scanning is on, nobody hears.
    const send = (): void => {
      for (const frame of frames) bench.controller.replay(Uint8Array.from(Buffer.from(frame.hex, 'hex')));
    };
    const wanted = frames.flatMap(({ means }) => means.filter(([name]) => name !== 'packet_id'));
    const missing = (): readonly string[] => {
      send();
      const seen = bench.events.flatMap(({ data }) => data['measurements'] as readonly JsonObject[]);
      const told = new Set(seen.map(({ name, value }) => JSON.stringify([name, value])));
      return wanted.map(([name, value]) => JSON.stringify([name, value])).filter((text) => !told.has(text));
    };
    await expect.poll(missing, POLL).toEqual([]);
  });
});
