import { performance } from 'node:perf_hooks';
import type { AgentError } from '../../../drivers/api/agent-error.ts';
import type { CameraFeed, CameraRegion, CameraSource, DetectionFrame } from '../../../drivers/api/transports.ts';
import type { CountLine, Crossing, Point } from '../../../drivers/camera-counter/line-counter.ts';
import { PeopleCounter } from '../../../drivers/camera-counter/people-counter.ts';
import { cameraErrors, cameraFailure } from '../../../drivers/lib/camera-errors.ts';
import type { CameraErrorCode } from '../../../drivers/lib/camera-errors.ts';

export interface CountOptions {
  readonly source: CameraSource;
  readonly lines: readonly CountLine[];
  readonly masks: readonly (readonly Point[])[];
  /** Of wall time for a live source, of media time for a file. */
  readonly seconds: number | null;
}

/** What the command prints last. */
export interface CountSummary {
  /** Frames that were looked at. */
  readonly frames: number;
  /** Broken, too large, or overtaken by a newer one. */
  readonly skipped: number;
  /** Frames looked at per second of wall time. */
  readonly fps: number;
  readonly lines: Readonly<Record<string, { readonly in: number; readonly out: number }>>;
  /** Mean time per frame and stage. */
  readonly ms: { readonly decode: number; readonly inference: number; readonly post: number; readonly count: number };
  /** The part of the picture that was looked at in the end, source pixels; `null` = all of it. */
  readonly region: CameraRegion | null;
}

export interface CountProgress {
  readonly frame: (frame: DetectionFrame, lines: CountSummary['lines']) => void;
  readonly crossing: (crossing: Crossing) => Promise<void>;
  /** The source's state in a word, with its error code. */
  readonly state: (state: string, code: string | null) => void;
}

/** A live source that has never shown a picture and says no for so long is given up. */
const GIVE_UP_MS = 15_000;

/**
 * Reads a feed to its end, or until the signal fires or the time is up, and counts.
 * @throws AgentError of the camera's table when not one frame could be looked at
 */
export async function countFeed(
  feed: CameraFeed,
  options: CountOptions,
  progress: CountProgress,
  signal: AbortSignal,
): Promise<CountSummary> {
  const tally = new Tally(options, progress);
  const live = options.source.kind !== 'file';
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const deadline =
    live && options.seconds !== null ? setTimeout(() => stop.abort(), options.seconds * 1000) : undefined;
  const giveUp = live ? setTimeout(() => tally.hopeless() && stop.abort(), GIVE_UP_MS) : undefined;
  try {
    for await (const heard of feed.signals(both)) {
      if (heard.kind === 'state') tally.state(heard.state, heard.code, heard.skipped);
      else {
        if (!live && options.seconds !== null && heard.frame.atMs >= options.seconds * 1000) break;
        await tally.frame(heard.frame);
      }
    }
  } catch (error) {
    if (!both.aborted) throw error;
  } finally {
    clearTimeout(deadline);
    clearTimeout(giveUp);
  }
  return tally.summary();
}

class Tally {
  private readonly progress: CountProgress;
  private readonly counter: PeopleCounter;
  private readonly lines: Record<string, { in: number; out: number }>;
  private readonly sums = { decode: 0, inference: 0, post: 0, count: 0 };
  private region: CameraRegion | null = null;
  private frames = 0;
  private skipped = 0;
  private firstMs = performance.now();
  private lastState = '';
  private lastCode: string | null = null;

  constructor(options: CountOptions, progress: CountProgress) {
    this.progress = progress;
    this.counter = new PeopleCounter({ lines: options.lines, masks: options.masks, late: false });
    this.lines = Object.fromEntries(options.lines.map(({ id }) => [id, { in: 0, out: 0 }]));
  }

  state(state: string, code: string | null, skipped: number): void {
    this.skipped = skipped;
    this.lastState = state;
    this.lastCode = code;
    if (state === 'running' && this.frames === 0) this.firstMs = performance.now();
    this.progress.state(state, code);
  }

  async frame(frame: DetectionFrame): Promise<void> {
    const started = performance.now();
    const { crossings } = this.counter.update(frame);
    for (const crossing of crossings) {
      const line = this.lines[crossing.lineId];
      if (line !== undefined) line[crossing.direction] += 1;
    }
    this.frames += 1;
    this.region = frame.region ?? null;
    this.sums.decode += frame.stagesMs.decode;
    this.sums.inference += frame.stagesMs.inference;
    this.sums.post += frame.stagesMs.post;
    this.sums.count += performance.now() - started;
    for (const crossing of crossings) await this.progress.crossing(crossing);
    this.progress.frame(frame, this.lines);
  }

  /** Never a picture, and the source says why. */
  hopeless(): boolean {
    return this.frames === 0 && this.lastState === 'failed';
  }

  summary(): CountSummary {
    if (this.frames === 0) throw this.failure();
    const mean = (sum: number): number => round(sum / this.frames);
    const { decode, inference, post, count } = this.sums;
    return {
      frames: this.frames,
      skipped: this.skipped,
      fps: round((this.frames * 1000) / Math.max(1, performance.now() - this.firstMs)),
      lines: this.lines,
      ms: { decode: mean(decode), inference: mean(inference), post: mean(post), count: mean(count) },
      region: this.region,
    };
  }

  private failure(): AgentError {
    const code = this.lastCode;
    return cameraFailure(code !== null && isCameraCode(code) ? code : 'camera-no-picture');
  }
}

function isCameraCode(code: string): code is CameraErrorCode {
  return Object.hasOwn(cameraErrors, code);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
