import type { DetectionFrame } from '../api/transports.ts';
import {
  type CountLine,
  type Crossing,
  type FootPoint,
  LineCounter,
  LINE_COUNTER,
  type Point,
} from './line-counter.ts';
import { isInside } from './polygon.ts';
import { Tracker, type Sighting } from './tracker.ts';
import { type CountZone, type Dwell, ZoneCounter } from './zones.ts';

export interface PeopleCounterOptions {
  readonly lines: readonly CountLine[];
  readonly zones?: readonly CountZone[];
  /** Areas, in source pixels, where feet are not looked at: a screen, a mirror, a tree that looks like a man. */
  readonly masks: readonly (readonly Point[])[];
  /** Count each person's net crossing when he has gone. */
  readonly late: boolean;
}

export interface CountedFrame {
  readonly crossings: readonly Crossing[];
  readonly occupancy: ReadonlyMap<string, number>;
  readonly dwells: readonly Dwell[];
}

/** A crossing by a track that is not yet solid waits so long for it to become so, then it is dropped. */
const HOLD_MS = 2_000;

/**
 * Two tracks over one line at once and at one place may be one person with two boxes, of which the second outlives the
 * first. They count as two once both are seen in one frame afterwards, each as a person of its own.
 */
const TWIN_MS = 700;
const TWIN_HEIGHTS = 0.35;

/** Crossings of one track that may wait. */
const MAX_HELD = 8;

/** Boxes in, crossings out: tracker, lines and zones put together. Pure; one camera, frames in order. */
export class PeopleCounter {
  private readonly options: PeopleCounterOptions;
  private readonly tracker = new Tracker();
  private readonly lines: LineCounter;
  private readonly zones: ZoneCounter;
  /** By track. */
  private readonly held = new Map<number, Crossing[]>();
  /** Counted lately. */
  private counted: Crossing[] = [];
  /** Tracks alive that have been solid. */
  private readonly proven = new Set<number>();

  constructor(options: PeopleCounterOptions) {
    this.options = options;
    this.lines = new LineCounter(options.lines, { ...LINE_COUNTER, late: options.late });
    this.zones = new ZoneCounter(options.zones ?? []);
  }

  update(frame: Pick<DetectionFrame, 'frame' | 'atMs' | 'detections'>): CountedFrame {
    const boxes = frame.detections.filter(
      (box) => !this.options.masks.some((mask) => isInside(mask, { x: box.x + box.width / 2, y: box.y + box.height })),
    );
    const { seen, ended } = this.tracker.update(boxes, frame.atMs);
    const crossings: Crossing[] = [];
    this.counted = this.counted.filter((crossing) => frame.atMs - crossing.atMs <= HOLD_MS + TWIN_MS);
    const shown = new Set(seen.flatMap(({ trackId, proven }) => (proven ? [trackId] : [])));
    for (const sighting of seen)
      crossings.push(...this.release(sighting, frame.atMs, this.lines.see(footOf(sighting, frame)), shown));
    for (const trackId of ended) {
      const net = this.lines.forget(trackId);
      if (this.proven.delete(trackId)) crossings.push(...net);
      this.held.delete(trackId);
    }
    const solid = seen.filter((sighting) => sighting.solid).map((sighting) => footOf(sighting, frame));
    return { crossings, ...this.zones.update(solid, ended) };
  }

  private release(
    sighting: Sighting,
    atMs: number,
    fresh: readonly Crossing[],
    shown: ReadonlySet<number>,
  ): readonly Crossing[] {
    const { trackId, solid, box } = sighting;
    const waiting = [...(this.held.get(trackId) ?? []), ...fresh].filter((crossing) => atMs - crossing.atMs <= HOLD_MS);
    this.held.delete(trackId);
    if (solid) this.proven.add(trackId);
    const free: Crossing[] = [];
    const held: Crossing[] = [];
    for (const crossing of waiting) {
      const twin = this.twinOf(crossing, box.height);
      const two = twin === undefined || (shown.has(trackId) && shown.has(twin.trackId) && atMs > crossing.atMs);
      (solid && two ? free : held).push(crossing);
      if (solid && two) this.counted.push(crossing);
    }
    if (held.length > 0) this.held.set(trackId, held.slice(-MAX_HELD));
    return free;
  }

  private lengthOf(lineId: string): number {
    const line = this.options.lines.find(({ id }) => id === lineId);
    return line === undefined ? 0 : Math.hypot(line.to.x - line.from.x, line.to.y - line.from.y);
  }

  /** Another track's crossing that was counted and may be this one's. */
  private twinOf(crossing: Crossing, heightPx: number): Crossing | undefined {
    return this.counted.find(
      (other) =>
        other.trackId !== crossing.trackId &&
        other.lineId === crossing.lineId &&
        other.direction === crossing.direction &&
        Math.abs(other.atMs - crossing.atMs) <= TWIN_MS &&
        Math.abs(other.place - crossing.place) * this.lengthOf(crossing.lineId) <= TWIN_HEIGHTS * heightPx,
    );
  }
}

function footOf({ trackId, box }: Sighting, frame: Pick<DetectionFrame, 'frame' | 'atMs'>): FootPoint {
  return {
    trackId,
    frame: frame.frame,
    atMs: frame.atMs,
    heightPx: box.height,
    x: box.x + box.width / 2,
    y: box.y + box.height,
  };
}
