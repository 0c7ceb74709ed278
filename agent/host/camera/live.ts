import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { AgentError } from '../../../drivers/api/agent-error.ts';
import { cameraErrors, type CameraErrorCode } from '../../../drivers/lib/camera-errors.ts';
import type { PictureOptions, PictureReader, SourceState } from './picture.ts';
import type { PictureSlot } from './picture-slot.ts';

/** A live source without a new picture for so long is stalled; the connection is given up and made again. */
export const STALL_MS = 10_000;

/** First and longest wait between two connections; each is drawn from half to all of it. */
const BACKOFF_MS = { first: 250, longest: 15_000 } as const;

export interface LiveOptions extends PictureOptions {
  readonly slot: PictureSlot;
  readonly stallMs?: number;
  /** Told of every change. */
  readonly state: (state: SourceState) => void;
}

/**
 * Keeps a live source flowing into the slot until the signal fires: connects, watches for a stall, and connects again
 * with jittered back-off whatever went wrong. Frame numbers and media time go on over a reconnection.
 */
export async function keepLive(read: PictureReader, options: LiveOptions, signal: AbortSignal): Promise<void> {
  const startedMs = performance.now();
  const tell = stateTeller(options.state);
  let frames = 0;
  for (let failures = 0; !signal.aborted;) {
    const connectedMs = performance.now() - startedMs;
    const before = frames;
    const first = frames;
    let code: CameraErrorCode | null = null;
    const watchdog = new Watchdog(options.stallMs ?? STALL_MS);
    const both = AbortSignal.any([signal, watchdog.signal]);
    try {
      for await (const picture of read(options, both)) {
        watchdog.pet();
        frames = first + picture.frame;
        options.slot.put({ ...picture, frame: frames, atMs: Math.round(connectedMs + picture.atMs) });
        tell({ state: 'running', code: null });
      }
      code = frames > before ? 'camera-stalled' : 'camera-no-picture';
    } catch (error) {
      if (signal.aborted) return;
      code = watchdog.signal.aborted ? 'camera-stalled' : codeOf(error);
    } finally {
      watchdog.stop();
    }
    if (signal.aborted) return;
    tell({ state: code === 'camera-stalled' ? 'stalled' : 'failed', code });
    failures = frames > before ? 1 : failures + 1;
    const waitMs = Math.min(BACKOFF_MS.longest, BACKOFF_MS.first * 2 ** Math.min(failures - 1, 10));
    await delay(waitMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
  }
}

/** Passes on changes only. */
function stateTeller(tell: (state: SourceState) => void): (state: SourceState) => void {
  let last = '';
  return (state) => {
    const key = `${state.state} ${state.code}`;
    if (key !== last) tell(state);
    last = key;
  };
}

function codeOf(error: unknown): CameraErrorCode {
  // A stream that breaks off or a child that speaks nonsense: the camera is there no longer.
  if (error instanceof AgentError && Object.hasOwn(cameraErrors, error.code)) return error.code as CameraErrorCode;
  return 'camera-unreachable';
}

/** Fires when it was not petted for a while. */
class Watchdog {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;

  constructor(ms: number) {
    this.timer = setTimeout(() => this.controller.abort(new Error('no picture in time')), ms);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  pet(): void {
    this.timer.refresh();
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
