import { describe, expect, it } from 'vitest';
import type { MonoMs } from '../api/clock.ts';
import type { Reading } from '../api/reading.ts';
import type { Advertisement } from '../api/transports.ts';
import { freshReplay, judgeCounter, judgePacket, PACKET_AHEAD, RESTART_SILENCE_MS } from './bthome-replay.ts';
import { freshCadence, patienceMs, SILENT_AT_LEAST_MS, speak, UNHEARD_AFTER_MS } from './cadence.ts';
import { changedValues, NAMES_MAX, REPEAT_MS } from './changed-values.ts';
import { config } from './config.ts';
import { payloadAddress } from './payload-address.ts';
import { RSSI_UNKNOWN } from './protocol.ts';
import { readingQueue, WAITING_READINGS } from './reading-queue.ts';
import { readSaved } from './saved-sensor.ts';
import { sensor } from './sensor.ts';

const ADDRESS = 'A4:C1:38:8D:18:B2';

const advert = (hex: string, atMono: number, uuid = 'fcd2'): Advertisement => ({
  address: ADDRESS,
  addressType: 'public',
  rssiDbm: -60,
  connectable: false,
  atMono,
  serviceData: [{ uuid, data: Uint8Array.from(Buffer.from(hex, 'hex')) }],
  manufacturerData: undefined,
});

const eventsIn = (readings: readonly Reading[]): readonly Reading[] => readings.filter(({ kind }) => kind === 'event');

describe('replay counters', () => {
  it('accept what rises, ignore what repeats, refuse what falls', () => {
    let state = freshReplay(500, 0);
    const judge = (counter: number, atMono: number): string => {
      const judged = judgeCounter(state, counter, atMono);
      state = judged.state;
      return judged.verdict;
    };
    expect(judge(501, 1_000)).toBe('new');
    expect(judge(501, 1_100)).toBe('duplicate');
    expect(judge(499, 1_200)).toBe('replayed');
    expect(judge(5, 1_300)).toBe('replayed');
    expect(judge(600, 2_000)).toBe('new');
  });

  it('accept a new beginning only after the old counter fell silent', () => {
    const state = freshReplay(500, 0);
    expect(judgeCounter(state, 5, RESTART_SILENCE_MS - 1).verdict).toBe('replayed');
    expect(judgeCounter(state, 5, RESTART_SILENCE_MS).verdict).toBe('new');
    expect(judgeCounter(state, 400, RESTART_SILENCE_MS * 2).verdict).toBe('replayed');
  });

  it('take packet ids up to 63 ahead around the circle, and any after four seconds', () => {
    const at = (packetId: number) => ({ ...freshReplay(null, 0), packetId, packetMono: 0 });
    expect(judgePacket(at(9), 9, 100).verdict).toBe('duplicate');
    expect(judgePacket(at(9), 8, 100).verdict).toBe('duplicate');
    expect(judgePacket(at(250), 2, 100).verdict).toBe('new');
    expect(judgePacket(at(9), 9 + PACKET_AHEAD, 100).verdict).toBe('new');
    expect(judgePacket(at(9), 9 + PACKET_AHEAD + 1, 100).verdict).toBe('duplicate');
    expect(judgePacket(at(9), 9, 4_001).verdict).toBe('new');
  });
});

describe('changed values', () => {
  it('tell every change at once and an unchanged value once in each minute of the kit', () => {
    const changed = changedValues();
    const reading = (value: number) => [{ name: 'temperature', value, unit: '°C' }];
    expect(changed.pick(reading(20), 0)).toHaveLength(1);
    expect(changed.pick(reading(20), 1_000)).toHaveLength(0);
    expect(changed.pick(reading(21), 2_000)).toHaveLength(1);
    expect(changed.pick(reading(21), REPEAT_MS - 1)).toHaveLength(0);
    expect(changed.pick(reading(21), REPEAT_MS)).toHaveLength(1);
    expect(changed.pick(reading(21), 2 * REPEAT_MS - 1)).toHaveLength(0);
  });

  it('do not take the tremor of air and cells for news, but for the minute’s value', () => {
    const changed = changedValues();
    const air = (temperature: number) => [{ name: 'temperature', value: temperature, unit: '°C' }];
    changed.pick(air(20), 0);
    expect(changed.pick(air(20.1), 1_000)).toHaveLength(0);
    expect(changed.pick(air(19.9), 2_000)).toHaveLength(0);
    expect(changed.pick(air(20.11), 3_000)).toHaveLength(1);
    expect(changed.pick(air(20.05), REPEAT_MS)).toMatchObject([{ value: 20.05 }]);
    // Steps too small to tell still add up: they are measured from the value that was told.
    for (let step = 1; step <= 2; step += 1)
      expect(changed.pick(air(20.05 + step * 0.05), REPEAT_MS + step)).toHaveLength(0);
    expect(changed.pick(air(20.2), REPEAT_MS + 3)).toHaveLength(1);
    // What is counted, and what has another unit, has no tremor.
    const count = (value: number) => [{ name: 'count', value }];
    changed.pick(count(5), 0);
    expect(changed.pick(count(4), 1)).toHaveLength(1);
  });

  it('are repeated together, whenever each of them changed last', () => {
    const changed = changedValues();
    const both = (temperature: number, battery: number) => [
      { name: 'temperature', value: temperature, unit: '°C' },
      { name: 'battery', value: battery, unit: '%' },
    ];
    changed.pick(both(20, 90), 5_000);
    changed.pick(both(21, 90), 31_000);
    changed.pick(both(21, 89), 47_000);
    expect(changed.pick(both(21, 89), REPEAT_MS + 300)).toHaveLength(2);
    expect(changed.pick(both(21, 89), REPEAT_MS + 31_000)).toHaveLength(0);
  });

  it('do not take a frame’s own numbering for news', () => {
    const changed = changedValues();
    const frame = (id: number) => [
      { name: 'packet_id', value: id },
      { name: 'battery', value: 90, unit: '%' },
    ];
    expect(changed.pick(frame(1), 0)).toHaveLength(2);
    expect(changed.pick(frame(2), 1_000)).toHaveLength(0);
  });

  it('tell values of one name apart by their place', () => {
    const changed = changedValues();
    const pair = (first: number, second: number) => [
      { name: 'temperature', value: first },
      { name: 'temperature', value: second },
    ];
    expect(changed.pick(pair(20, 30), 0)).toHaveLength(2);
    expect(changed.pick(pair(20, 31), 1)).toEqual([{ name: 'temperature', value: 31 }]);
  });

  it('remember a bounded number of names', () => {
    const changed = changedValues();
    const many = Array.from({ length: NAMES_MAX + 5 }, (_, index) => ({ name: `n${index}`, value: 1 }));
    expect(changed.pick(many, 0)).toHaveLength(NAMES_MAX);
  });
});

describe('cadence', () => {
  it('allows ten of a sensor’s own intervals and at least half a minute', () => {
    let slow = freshCadence(0);
    for (let index = 1; index <= 20; index += 1) slow = speak(slow, index * 60_000);
    expect(patienceMs(slow, undefined)).toBeCloseTo(600_000, -3);
    let fast = freshCadence(0);
    for (let index = 1; index <= 20; index += 1) fast = speak(fast, index * 1_000);
    expect(patienceMs(fast, undefined)).toBe(SILENT_AT_LEAST_MS);
    expect(patienceMs(freshCadence(0), undefined)).toBe(UNHEARD_AFTER_MS);
    expect(patienceMs(slow, 5_000)).toBe(5_000);
  });
});

describe('one sensor', () => {
  const made = (extra: object = {}) =>
    sensor({
      config: config.parse({
        radio: { kind: 'hci', adapter: 0 },
        sensors: [{ id: 's1', address: ADDRESS, format: 'bthome', ...extra }],
      }).sensors[0]!,
      key: undefined,
      saved: undefined,
      nowMono: 0 as MonoMs,
    });

  it('gives sensor values only, where it stands under no article', () => {
    const readings = made().hear(advert('40015d06c800', 1_000));
    expect(eventsIn(readings)).toMatchObject([{ type: 'barrow.sensor.v1', data: { sensorId: 's1', rssiDbm: -60 } }]);
  });

  it('gives no signal strength where the radio measured none', () => {
    const readings = made().hear({ ...advert('40015d06c800', 1_000), rssiDbm: RSSI_UNKNOWN });
    expect(eventsIn(readings)).toMatchObject([{ data: { sensorId: 's1', rssiDbm: null } }]);
  });

  it('takes a count that the sensor keeps itself as it is', () => {
    const shelf = made({ sku: 'TEE' });
    const read = (hex: string, at: number) => eventsIn(shelf.hear(advert(hex, at))).map((entry) => entry as never);
    expect(read('40000109603d', 1_000).at(-1)).toBeUndefined();
    expect(read('4000020908', 2_000).at(-1)).toMatchObject({
      type: 'barrow.shelf.count.v1',
      data: { count: 8, delta: 0, cause: 'first', grams: null },
    });
    expect(read('4000030906', 3_000).at(-1)).toMatchObject({ data: { count: 6, delta: -2, cause: 'pick' } });
    expect(read('4000030906', 3_100)).toEqual([]);
  });

  it('stores its state with the last event of a frame', () => {
    const readings = made({ sku: 'TEE' }).hear(advert('4000020908', 2_000));
    const [first, last] = eventsIn(readings) as readonly { readonly saves?: Record<string, unknown> }[];
    expect(first?.saves).toBeUndefined();
    expect(readSaved(last?.saves?.['sensor/s1'] as never)).toMatchObject({ shelf: { count: 8 } });
  });

  it('calls a button press an event and its rest state none', () => {
    const shelf = made();
    expect(eventsIn(shelf.hear(advert('4000013a01', 1_000)))).toMatchObject([
      { data: { events: [{ name: 'button', value: 'press' }] } },
    ]);
    expect(eventsIn(shelf.hear(advert('4000013a01', 1_200)))).toEqual([]);
    expect(eventsIn(shelf.hear(advert('4000023a00', 2_000)))).toEqual([]);
  });

  it('falls silent by its own cadence, comes back, and is excused while the radio was deaf', () => {
    const shelf = made();
    for (let second = 1; second <= 20; second += 1) shelf.hear(advert('40015d', second * 1_000));
    expect(shelf.tick(49_000 as MonoMs)).toEqual([]);
    expect(shelf.tick(50_000 as MonoMs)).toMatchObject([{ state: 'silent', code: 'sensor-silent', part: 's1' }]);
    expect(shelf.tick(51_000 as MonoMs)).toEqual([]);
    expect(shelf.hear(advert('40015d', 52_000))).toMatchObject([{ state: 'ready', code: null, part: 's1' }]);
    shelf.excuse(200_000 as MonoMs);
    expect(shelf.tick(201_000 as MonoMs)).toEqual([]);
  });

  it('lets a sensor be silent that speaks only when something happens', () => {
    const shelf = made();
    shelf.hear(advert('443a01', 1_000));
    expect(shelf.tick(86_400_000 as MonoMs)).toEqual([]);
  });

  it('is degraded by three bad frames in a row, not by one', () => {
    const shelf = made();
    expect(shelf.hear(advert('4002', 1_000))).toEqual([]);
    expect(shelf.hear(advert('4002', 2_000))).toEqual([]);
    expect(shelf.hear(advert('4002', 3_000))).toMatchObject([{ state: 'degraded', code: 'sensor-damaged' }]);
    expect(shelf.refused).toBe(3);
  });
});

describe('identity in the payload', () => {
  it('is read from BTHome, Minew and Ruuvi frames', () => {
    expect(payloadAddress(advert('43a5808fe64854f196', 0))).toBe('54:48:E6:8F:80:A5');
    expect(payloadAddress(advert('a113631973aabbccddeeff', 0, 'ffe1'))).toBe('FF:EE:DD:CC:BB:AA');
    const ruuvi = Uint8Array.from(Buffer.from('99040512fc5394c37c0004fffc040cac364200cdcbb8334c884f', 'hex'));
    expect(payloadAddress({ ...advert('', 0, '0000'), manufacturerData: ruuvi })).toBe('CB:B8:33:4C:88:4F');
    expect(payloadAddress(advert('40015d', 0))).toBeUndefined();
  });
});

describe('reading queue', () => {
  it('holds its writer back when it is full, and loses nothing', async () => {
    const queue = readingQueue();
    const { signal } = new AbortController();
    const state = (index: number): Reading => ({ kind: 'state', state: 'ready', code: null, part: String(index) });
    await queue.put(
      Array.from({ length: WAITING_READINGS }, (_, index) => state(index)),
      signal,
    );
    let through = false;
    const blocked = queue.put([state(WAITING_READINGS)], signal).then(() => {
      through = true;
    });
    await Promise.resolve();
    expect(through).toBe(false);
    const taken: Reading[] = [];
    for await (const reading of queue.take(signal)) {
      taken.push(reading);
      if (taken.length === WAITING_READINGS + 1) break;
    }
    await blocked;
    expect(taken.map((reading) => (reading.kind === 'state' ? Number(reading.part) : -1))).toEqual(
      Array.from({ length: WAITING_READINGS + 1 }, (_, index) => index),
    );
  });
});

describe('configuration', () => {
  const parse = (entry: object) =>
    config.safeParse({ radio: { kind: 'hci-socket', path: 'x' }, sensors: [{ id: 's1', address: ADDRESS, ...entry }] });

  it('takes an address in either case and refuses what contradicts itself', () => {
    expect(config.parse({ radio: { kind: 'hci', adapter: 1 }, sensors: [] })).toMatchObject({ sensors: [] });
    const lower = parse({ format: 'ruuvi', address: ADDRESS.toLowerCase() });
    expect(lower.data?.sensors[0]?.address).toBe(ADDRESS);
    expect(parse({ format: 'ruuvi', key: { file: 'k' } }).success).toBe(false);
    expect(parse({ format: 'bthome', unitGrams: 5 }).success).toBe(false);
    expect(parse({ format: 'bthome', colour: 'red' }).success).toBe(false);
    const twice = { id: 's1', address: ADDRESS, format: 'ruuvi' };
    expect(config.safeParse({ radio: { kind: 'hci', adapter: 0 }, sensors: [twice, twice] }).success).toBe(false);
  });
});
