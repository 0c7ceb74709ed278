import { z } from 'zod';
import type { MonoMs } from '../api/clock.ts';
import type { Driver, DriverIo, DriverSession, Emission } from '../api/driver.ts';
import type { JsonObject, Reading, StateReading } from '../api/reading.ts';
import type { CameraFeed, CameraSignal } from '../api/transports.ts';
import { cameraErrors } from '../lib/camera-errors.ts';
import { type CameraCounterConfig, cameraCounterConfig } from './config.ts';
import type { Point } from './line-counter.ts';
import { PeopleCounter } from './people-counter.ts';
import { TRACKER } from './tracker.ts';

const crossingEmission: Emission = {
  type: 'barrow.footfall.crossing.v1',
  stream: 'footfall',
  // A count and a direction, nothing of a person: no track number, no place, no picture.
  data: z.strictObject({
    counterId: z.string(),
    lineId: z.string(),
    direction: z.enum(['in', 'out']),
  }),
};

const occupancyEmission: Emission = {
  type: 'barrow.footfall.occupancy.v1',
  stream: 'footfall',
  data: z.strictObject({ counterId: z.string(), zoneId: z.string(), persons: z.int().min(0) }),
};

const dwellEmission: Emission = {
  type: 'barrow.footfall.dwell.v1',
  stream: 'footfall',
  data: z.strictObject({ counterId: z.string(), zoneId: z.string(), dwellS: z.int().min(0) }),
};

/** A zone's occupancy is told at most this often: it flickers while people hide one another. */
const OCCUPANCY_EVERY_MS = 10_000;

const errors = {
  ...cameraErrors,
  'clip-ended': {
    sentence: 'The clip has been played to its end',
    hint: 'A file is counted once; name a camera to go on counting',
  },
} as const;

function session(settings: CameraCounterConfig, io: DriverIo, feed: CameraFeed): DriverSession {
  return {
    tellsState: true,
    readings: (signal) => readings(settings, io, feed, signal),
    [Symbol.asyncDispose]: () => feed[Symbol.asyncDispose](),
  };
}

async function* readings(
  settings: CameraCounterConfig,
  io: DriverIo,
  feed: CameraFeed,
  signal: AbortSignal,
): AsyncGenerator<Reading, void, undefined> {
  const counter = new PeopleCounter({
    lines: settings.lines.map(({ id, from, to }) => ({ id, from: point(from), to: point(to) })),
    zones: settings.zones.map(({ id, corners }) => ({ id, corners: corners.map(point) })),
    masks: settings.masks.map((mask) => mask.map(point)),
    late: settings.count === 'net',
  });
  const told = new Map<string, { readonly persons: number; readonly atMs: number }>();
  for await (const heard of feed.signals(signal)) {
    if (heard.kind === 'state') {
      yield stateReading(heard);
      continue;
    }
    const { atMs } = heard.frame;
    const { crossings, dwells, occupancy } = counter.update(heard.frame);
    const event = (emission: Emission, data: JsonObject, happenedMs: number): Reading => ({
      kind: 'event',
      type: emission.type,
      atMono: Math.round(heard.atMono - atMs + happenedMs) as MonoMs,
      data: { counterId: io.driverId, ...data },
    });
    for (const { lineId, direction, atMs: crossedMs } of crossings)
      yield event(crossingEmission, { lineId, direction }, crossedMs);
    for (const { zoneId, dwellMs, atMs: leftMs } of dwells)
      yield event(dwellEmission, { zoneId, dwellS: Math.round(dwellMs / 1000) }, leftMs);
    for (const [zoneId, persons] of occupancy) {
      const last = told.get(zoneId);
      if (persons === (last?.persons ?? 0) || (last !== undefined && atMs - last.atMs < OCCUPANCY_EVERY_MS)) continue;
      told.set(zoneId, { persons, atMs });
      yield event(occupancyEmission, { zoneId, persons }, atMs);
    }
  }
  // A clip is over, the driver is not: starting it again would count the same people twice.
  while (!signal.aborted) await io.clock.sleep(3_600_000, signal);
}

function point([x, y]: readonly [number, number]): Point {
  return { x, y };
}

function stateReading({ state, code }: Extract<CameraSignal, { readonly kind: 'state' }>): StateReading {
  switch (state) {
    case 'running':
      return { kind: 'state', state: 'ready', code: null };
    case 'stalled':
      return { kind: 'state', state: 'silent', code };
    case 'failed':
      return { kind: 'state', state: 'failed', code };
    case 'ended':
      return { kind: 'state', state: code === null ? 'silent' : 'failed', code: code ?? 'clip-ended' };
  }
}

/** A camera over a door: persons whose feet cross a line. */
export const driver: Driver<CameraCounterConfig> = {
  type: 'camera-counter',
  emits: [crossingEmission, occupancyEmission, dwellEmission],
  errors,
  config: cameraCounterConfig,
  example: {
    source: { kind: 'mjpeg', url: 'http://192.168.1.20/video.mjpg' },
    fps: 5,
    lines: [{ id: 'entrance', from: [350, 180], to: [350, 420] }],
  },
  open: async (settings, io, signal) => {
    const { source, fps, input = null, threads, niceness, precision } = settings;
    const places = [
      ...settings.lines.map(({ from, to }) => [from, to].map(point)),
      ...settings.zones.map(({ corners }) => corners.map(point)),
    ];
    const feed = await io.camera(
      { source, fps, input, threads, niceness, precision, places, minScore: TRACKER.lowScore },
      signal,
    );
    return session(settings, io, feed);
  },
};
