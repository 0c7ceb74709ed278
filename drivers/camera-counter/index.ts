import { z } from 'zod';
import type { MonoMs } from '../api/clock.ts';
import type { Driver, DriverIo, DriverSession, Emission } from '../api/driver.ts';
import type { Reading, StateReading } from '../api/reading.ts';
import type { CameraFeed, CameraSignal } from '../api/transports.ts';
import { cameraErrors } from '../lib/camera-errors.ts';
import { type CameraCounterConfig, cameraCounterConfig } from './config.ts';
import type { Crossing } from './line-counter.ts';
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

const errors = {
  ...cameraErrors,
  'clip-ended': {
    sentence: 'The clip has been played to its end',
    hint: 'A file is counted once; name a camera to go on counting',
  },
} as const;

function session(settings: CameraCounterConfig, io: DriverIo, feed: CameraFeed): DriverSession {
  return {
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
    lines: settings.lines.map(({ id, from, to }) => ({
      id,
      from: { x: from[0], y: from[1] },
      to: { x: to[0], y: to[1] },
    })),
    masks: settings.masks.map((mask) => mask.map(([x, y]) => ({ x, y }))),
    late: settings.count === 'net',
  });
  for await (const heard of feed.signals(signal)) {
    if (heard.kind === 'state') yield stateReading(heard);
    else
      for (const crossing of counter.update(heard.frame).crossings)
        yield crossingReading(
          io.driverId,
          crossing,
          Math.round(heard.atMono - heard.frame.atMs + crossing.atMs) as MonoMs,
        );
  }
  // A clip is over, the driver is not: starting it again would count the same people twice.
  while (!signal.aborted) await io.clock.sleep(3_600_000, signal);
}

function crossingReading(counterId: string, crossing: Crossing, atMono: MonoMs): Reading {
  return {
    kind: 'event',
    type: crossingEmission.type,
    atMono,
    data: { counterId, lineId: crossing.lineId, direction: crossing.direction },
  };
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
  emits: [crossingEmission],
  errors,
  config: cameraCounterConfig,
  example: {
    source: { kind: 'mjpeg', url: 'http://192.168.1.20/video.mjpg' },
    fps: 5,
    lines: [{ id: 'entrance', from: [350, 180], to: [350, 420] }],
  },
  open: async (settings, io, signal) => {
    const { source, fps, input, threads, niceness } = settings;
    const feed = await io.camera({ source, fps, input, threads, niceness, minScore: TRACKER.lowScore }, signal);
    return session(settings, io, feed);
  },
};
