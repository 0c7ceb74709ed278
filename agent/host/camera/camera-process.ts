import { availableParallelism, setPriority } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { AgentError } from '../../../drivers/api/agent-error.ts';
import type { CameraOptions, CameraRegion } from '../../../drivers/api/transports.ts';
import { machineFacts } from '../machine.ts';
import { Detector } from './detector.ts';
import { cameraErrors, type CameraErrorCode } from '../../../drivers/lib/camera-errors.ts';
import { Governor } from './governor.ts';
import { requireKnownModel } from './known-model.ts';
import { keepLive } from './live.ts';
import { ALIVE_EVERY_MS, FRAME_WINDOW, type FromCamera, type ToCamera } from './messages.ts';
import type { PictureOptions, SourcePicture } from './picture.ts';
import { PictureSlot } from './picture-slot.ts';
import { readerOf } from './reader.ts';
import { RegionDetector } from './region-detector.ts';

// A process of its own per camera: a crash in a codec, a stuck device or a slow network never delays a sale.
// Only numbers leave it. It ends with its parent: the channel closes and there is nothing left to do.

const stop = new AbortController();
let skipped = 0;
const window: { credit: number; refill: (() => void) | undefined } = { credit: FRAME_WINDOW, refill: undefined };

setInterval(() => tell({ kind: 'alive' }), ALIVE_EVERY_MS).unref();
process.on('disconnect', () => stop.abort(new Error('the agent went away')));
process.on('SIGTERM', () => stop.abort(new Error('asked to stop')));
// The terminal sends it to the whole group; the parent decides what it means.
process.on('SIGINT', () => undefined);
process.on('message', (message: ToCamera) => {
  if (message.kind === 'credit') {
    window.credit += message.frames;
    window.refill?.();
  } else void run(message.options, message.modelPath).then(leave);
});

function tell(message: FromCamera): void {
  // With a callback a broken channel is no unhandled error: `disconnect` follows and ends this process.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

function leave(): void {
  if (process.connected) process.disconnect();
}

async function run(options: CameraOptions, modelPath: string): Promise<void> {
  try {
    setPriority(options.niceness);
    await requireKnownModel(modelPath);
    const detector = await Detector.load({ ...options, modelPath });
    const looker = new RegionDetector(detector, options.places ?? [], tellRegion);
    if (options.source.kind === 'file') await runFile(options, looker);
    else await runLive(options, looker);
    await detector.release();
  } catch (error) {
    if (stop.signal.aborted) return;
    tell({ kind: 'state', state: 'failed', code: codeOf(error), skipped });
  }
}

/** Every wanted frame, in order, as fast as the reader takes them. */
async function runFile(options: CameraOptions, detector: RegionDetector): Promise<void> {
  let seen = 0;
  for await (const picture of readerOf(options.source)(pictureOptions(options), stop.signal)) {
    if (seen === 0) tell({ kind: 'state', state: 'running', code: null, skipped });
    seen += 1;
    await look(detector, picture);
  }
  tell({ kind: 'state', state: 'ended', code: seen === 0 ? 'camera-no-picture' : null, skipped });
}

/** The newest frame, until the agent asks to stop. */
async function runLive(options: CameraOptions, detector: RegionDetector): Promise<void> {
  const slot = new PictureSlot();
  const flow = keepLive(
    readerOf(options.source),
    {
      ...pictureOptions(options),
      slot,
      state: (state) => tell({ kind: 'state', ...state, skipped: skipped + slot.overtaken }),
    },
    stop.signal,
  );
  try {
    const tellSkipped = skippedTeller(() => skipped + slot.overtaken);
    // Who gave the process full priority has nothing more important to do: no governor then.
    const pace = new Pace(options.niceness > 0 ? options.fps : null);
    for (;;) {
      const picture = await slot.take(stop.signal);
      const startedMs = performance.now();
      await look(detector, picture);
      tellSkipped();
      await pace.rest(startedMs);
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    await flow;
    tell({ kind: 'state', state: 'ended', code: null, skipped: skipped + slot.overtaken });
  }
}

/** How often the machine's strain is read. */
const STRAIN_EVERY_MS = 5_000;

/** Keeps the rate that the governor allows; without strain it never waits. */
class Pace {
  private readonly wantedFps: number | null;
  private readonly governor: Governor;
  private allowedFps: number | null;
  private readMs = -Infinity;

  constructor(wantedFps: number | null) {
    this.wantedFps = wantedFps;
    this.allowedFps = wantedFps;
    this.governor = new Governor(wantedFps ?? 0);
  }

  /** Waits until the next picture may be looked at. */
  async rest(startedMs: number): Promise<void> {
    const { wantedFps } = this;
    if (wantedFps === null) return;
    if (performance.now() - this.readMs >= STRAIN_EVERY_MS) {
      this.readMs = performance.now();
      const { temperatureC, load1 } = machineFacts('/');
      const loadPerCore = load1 === null ? null : load1 / availableParallelism();
      const fps = this.governor.allow({ temperatureC, loadPerCore });
      if (fps !== this.allowedFps)
        tell({
          kind: 'log',
          level: 'info',
          event: 'camera-pace',
          fields: { fps, wantedFps, temperatureC, loadPerCore },
        });
      this.allowedFps = fps;
    }
    if (this.allowedFps === null || this.allowedFps >= wantedFps) return;
    // A little early, so that the camera's own beat is not missed by a hair.
    const waitMs = startedMs + 900 / this.allowedFps - performance.now();
    if (waitMs > 0) await delay(waitMs, undefined, { signal: stop.signal });
  }
}

/** How often at most the count of skipped pictures is told anew. */
const TELL_SKIPPED_MS = 500;

/** Tells when more pictures were skipped since the last time, now and then. */
function skippedTeller(count: () => number): () => void {
  let told = count();
  let atMs = performance.now();
  return () => {
    const now = performance.now();
    if (count() === told || now - atMs < TELL_SKIPPED_MS) return;
    told = count();
    atMs = now;
    tell({ kind: 'state', state: 'running', code: null, skipped: told });
  };
}

async function look(detector: RegionDetector, picture: SourcePicture): Promise<void> {
  while (window.credit === 0 && !stop.signal.aborted)
    await new Promise<void>((resolve) => {
      window.refill = resolve;
      stop.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  const frame = await detector.detect(picture);
  if (frame === null) {
    skipped += 1;
    return;
  }
  window.credit -= 1;
  tell({ kind: 'frame', frame });
}

function tellRegion(region: CameraRegion | null): void {
  const fields = region === null ? { whole: true } : { whole: false, ...region };
  tell({ kind: 'log', level: 'info', event: 'camera-region', fields });
}

function pictureOptions(options: CameraOptions): PictureOptions {
  return {
    fps: options.fps,
    input: options.input,
    parts: (options.places ?? []).length > 0,
    skip: (count) => {
      skipped += count;
    },
  };
}

function codeOf(error: unknown): CameraErrorCode {
  if (error instanceof AgentError && Object.hasOwn(cameraErrors, error.code)) return error.code as CameraErrorCode;
  return 'camera-process-lost';
}
