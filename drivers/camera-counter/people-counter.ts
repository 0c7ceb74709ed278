import type { DetectionFrame } from '../api/transports.ts';
import { type CountLine, type Crossing, LineCounter, LINE_COUNTER, type Point } from './line-counter.ts';
import { Tracker, TRACKER, type Sighting } from './tracker.ts';

export interface PeopleCounterOptions {
  readonly lines: readonly CountLine[];
  /** Areas, in source pixels, where feet are not looked at: a screen, a mirror, a tree that looks like a man. */
  readonly masks: readonly (readonly Point[])[];
  /** Count each person's net crossing when he has gone. */
  readonly late: boolean;
}

export interface CountedFrame {
  readonly crossings: readonly Crossing[];
  readonly seen: readonly Sighting[];
}

/** Boxes in, crossings out: tracker and line counter put together. Pure; one camera, frames in order. */
export class PeopleCounter {
  private readonly options: PeopleCounterOptions;
  private readonly tracker = new Tracker(TRACKER);
  private readonly lines: LineCounter;

  constructor(options: PeopleCounterOptions) {
    this.options = options;
    this.lines = new LineCounter(options.lines, { ...LINE_COUNTER, late: options.late });
  }

  update(frame: Pick<DetectionFrame, 'frame' | 'atMs' | 'detections'>): CountedFrame {
    const boxes = frame.detections.filter(
      (box) => !this.options.masks.some((mask) => isInside(mask, { x: box.x + box.width / 2, y: box.y + box.height })),
    );
    const { seen, ended } = this.tracker.update(boxes, frame.atMs);
    const crossings: Crossing[] = [];
    for (const { trackId, box } of seen)
      crossings.push(
        ...this.lines.see({
          trackId,
          frame: frame.frame,
          atMs: frame.atMs,
          heightPx: box.height,
          x: box.x + box.width / 2,
          y: box.y + box.height,
        }),
      );
    for (const trackId of ended) crossings.push(...this.lines.forget(trackId));
    return { crossings, seen };
  }
}

/** True when the point lies in the polygon (even-odd rule). */
export function isInside(polygon: readonly Point[], point: Point): boolean {
  let inside = false;
  for (let at = 0, before = polygon.length - 1; at < polygon.length; before = at, at += 1) {
    const a = polygon[at] as Point;
    const b = polygon[before] as Point;
    if (a.y > point.y === b.y > point.y) continue;
    if (point.x < ((b.x - a.x) * (point.y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside;
}
