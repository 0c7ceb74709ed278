import { describe, expect, test } from 'vitest';
import type { MonoMs, WallMs } from '../api/clock.ts';
import type { DriverIo } from '../api/driver.ts';
import type { Reading } from '../api/reading.ts';
import type { CameraOptions, CameraSignal, Detection } from '../api/transports.ts';
import { driver } from './index.ts';

const settings = driver.config.parse({
  source: { kind: 'mjpeg', url: 'http://127.0.0.1:1/stream' },
  lines: [{ id: 'entrance', from: [200, 100], to: [200, 300] }],
});

const person = (x: number): Detection => ({ x: x - 15, y: 140, width: 30, height: 80, score: 0.7 });

function frame(at: number, detections: readonly Detection[]): CameraSignal {
  return {
    kind: 'frame',
    atMono: 50_000 + at * 200,
    frame: {
      frame: at + 1,
      atMs: at * 200,
      widthPx: 400,
      heightPx: 400,
      detections,
      stagesMs: { decode: 0, inference: 0, post: 0 },
    },
  };
}

const state = (word: 'running' | 'stalled' | 'failed' | 'ended', code: string | null): CameraSignal => ({
  kind: 'state',
  state: word,
  code,
  skipped: 0,
});

/** Runs the driver over a feed that says these things; `asked` is what it asked of the host. */
async function run(
  signals: readonly CameraSignal[],
  config = settings,
): Promise<{ readings: Reading[]; asked: CameraOptions[]; closed: number }> {
  const stop = new AbortController();
  const asked: CameraOptions[] = [];
  let closed = 0;
  const nothing = (): undefined => undefined;
  const io = {
    driverId: 'door',
    clock: {
      monoMs: () => 0 as MonoMs,
      wallMs: () => 0 as WallMs,
      sleep: async () => stop.abort(new Error('the feed is over')),
    },
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    camera: async (options: CameraOptions) => {
      asked.push(options);
      return {
        async *signals() {
          yield* signals;
        },
        [Symbol.asyncDispose]: async () => void (closed += 1),
      };
    },
  } as unknown as DriverIo;
  const session = await driver.open(config, io, stop.signal);
  const readings: Reading[] = [];
  for await (const reading of session.readings(stop.signal)) readings.push(reading);
  await session[Symbol.asyncDispose]();
  return { readings, asked, closed };
}

describe('the camera counter', () => {
  test('says which counter, which line and which way, and nothing of the person', async () => {
    const { readings } = await run(Array.from({ length: 18 }, (_, at) => frame(at, [person(320 - at * 14)])));
    expect(readings).toEqual([
      {
        kind: 'event',
        type: 'barrow.footfall.crossing.v1',
        atMono: expect.any(Number) as number,
        data: { counterId: 'door', lineId: 'entrance', direction: 'in' },
      },
    ]);
    // Frame 9 stood at 208 px, frame 10 at 194: the crossing lies between them.
    const [reading] = readings;
    expect(reading?.kind === 'event' && reading.atMono >= 51_600 && reading.atMono <= 51_800).toBe(true);
  });

  test('tells a zone’s occupancy now and then and how long a stay was, in whole seconds', async () => {
    const corners = [[100, 200], [180, 200], [180, 260], [100, 260]]; // prettier-ignore
    const zoned = driver.config.parse({ ...driver.example, zones: [{ id: 'till', corners }] });
    const walk = [250, 235, 220, 205, 190, 175, 160, ...Array.from({ length: 20 }, () => 140), 110, 95, 80, 65];
    const { readings } = await run(
      walk.map((x, at) => frame(at, [person(x)])),
      zoned,
    );
    expect(readings.map((reading) => reading.kind === 'event' && [reading.type, reading.data])).toEqual([
      ['barrow.footfall.occupancy.v1', { counterId: 'door', zoneId: 'till', persons: 1 }],
      ['barrow.footfall.dwell.v1', { counterId: 'door', zoneId: 'till', dwellS: 5 }],
    ]);
  });

  test('tells how the camera fares', async () => {
    const { readings } = await run([
      state('running', null),
      state('stalled', 'camera-stalled'),
      state('failed', 'camera-unreachable'),
      state('running', null),
      state('ended', null),
    ]);
    expect(readings).toEqual([
      { kind: 'state', state: 'ready', code: null },
      { kind: 'state', state: 'silent', code: 'camera-stalled' },
      { kind: 'state', state: 'failed', code: 'camera-unreachable' },
      { kind: 'state', state: 'ready', code: null },
      { kind: 'state', state: 'silent', code: 'clip-ended' },
    ]);
    for (const reading of readings)
      if (reading.kind === 'state' && reading.code !== null) expect(driver.errors).toHaveProperty(reading.code);
  });

  test('asks for five frames a second on one thread behind the till, and closes what it opened', async () => {
    const { asked, closed } = await run([]);
    expect(asked).toEqual([
      {
        source: { kind: 'mjpeg', url: 'http://127.0.0.1:1/stream' },
        fps: 5,
        input: null,
        threads: 1,
        niceness: 10,
        precision: 'fp32',
        minScore: 0.12,
        places: [
          [
            { x: 200, y: 100 },
            { x: 200, y: 300 },
          ],
        ],
      },
    ]);
    expect(closed).toBe(1);
  });

  test('names lines and zones as the places where people matter', async () => {
    const corners = [
      [0, 0],
      [90, 0],
      [90, 80],
    ];
    const { asked } = await run(
      [],
      driver.config.parse({ ...settings, input: undefined, zones: [{ id: 'shelf', corners }] }),
    );
    expect(asked[0]?.places?.[1]).toEqual(corners.map(([x, y]) => ({ x, y })));
    expect(asked[0]?.places).toHaveLength(2);
  });

  test('refuses a line of no length, two lines of one name, a foreign address and an unknown key', () => {
    const line = { id: 'a', from: [1, 1], to: [2, 2] };
    const source = { kind: 'mjpeg', url: 'http://camera/' };
    for (const broken of [
      { source, lines: [{ ...line, to: [1, 1] }] },
      { source, lines: [line, line] },
      { source, lines: [] },
      { source: { kind: 'mjpeg', url: 'file:///etc/passwd' }, lines: [line] },
      { source: { kind: 'picture', path: 'x' }, lines: [line] },
      { source, lines: [line], frames: 'keep' },
      { source, lines: [line], input: { width: 417, height: 320 } },
    ])
      expect({ broken, accepted: driver.config.safeParse(broken).success }).toEqual({ broken, accepted: false });
    expect(driver.config.safeParse({ source, lines: [line] }).success).toBe(true);
  });
});
