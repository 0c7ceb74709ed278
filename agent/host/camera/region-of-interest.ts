import type { Detection, DetectionFrame, PicturePoint } from '../../../drivers/api/transports.ts';
import { iou } from '../../../models/nanodet-g/decode.ts';
import type { FramePart } from '../../../models/nanodet-g/preprocess.ts';

/** Lengths in heights of the people there, times in media time. */
export interface RegionOptions {
  /** A box from this score on tells how tall people are. */
  readonly minScore: number;
  /** Its foot lies at most so far from a line or zone. */
  readonly near: number;
  /** A box that shares more than this with one known tells nothing new: else a thing that never moves would be all there is. */
  readonly maxShare: number;
  /** Boxes that are remembered, and how many there must be before anything is learned from them. */
  readonly memory: number;
  readonly least: number;
  /** The part of them, nearest by depth, that tells how tall people are at a corner; and which of these is taken, by rank. */
  readonly depthShare: number;
  readonly rank: number;
  /** What is looked at beyond the lines and zones. */
  readonly above: number;
  readonly below: number;
  readonly beside: number;
  /** A region is made for people so many times as tall, so that it need not change with the next. */
  readonly spare: number;
  /** A smaller region is taken when it has less than this share of the area, and not so soon after the last change. */
  readonly shrink: number;
  readonly settleMs: number;
  /** A region larger than this share of the picture is not worth it. */
  readonly most: number;
  /**
   * Who is so many times as tall as others, cut by the region's border and seen in so many boxes within `giantWithinMs` has it
   * made larger, for so long. One box alone is a lamp-post or two people.
   */
  readonly giant: number;
  readonly giantBoxes: number;
  readonly giantWithinMs: number;
  readonly giantMs: number;
  /** The whole picture is looked at so often, for one frame. */
  readonly roundMs: number;
}

/** Chosen on two real clips and other lines of one of them: see the model's card. */
export const REGION: RegionOptions = {
  minScore: 0.4,
  near: 1,
  maxShare: 0.7,
  memory: 128,
  least: 12,
  depthShare: 1 / 3,
  rank: 0.75,
  above: 1.5,
  below: 0.75,
  beside: 2,
  spare: 1.1,
  shrink: 0.75,
  settleMs: 10_000,
  most: 0.8,
  giant: 1.4,
  giantBoxes: 3,
  giantWithinMs: 2_000,
  giantMs: 60_000,
  roundMs: 30_000,
};

/** A part with a shorter side shows the network nothing, px. */
const LEAST_SIDE_PX = 32;

/** A box that ends so near to the region's border is cut by it, px. */
const BORDER_PX = 3;

/**
 * Decides which part of the picture is looked at. The network takes few pixels; only the surroundings of the lines and zones
 * matter, and how much of them depends on how tall people are there, which is learned from the boxes. Until it is known, and where a part
 * would save little, the whole picture is looked at. Pure: the same frames give the same parts.
 */
export class RegionOfInterest {
  private readonly places: readonly (readonly PicturePoint[])[];
  private readonly options: RegionOptions;
  /** The newest boxes that stood near a place, no two alike. Bounded by `memory`; the oldest go. */
  private known: Detection[] = [];
  private picture = { width: 0, height: 0 };
  private inUse: FramePart | null = null;
  private changedMs = -Infinity;
  private roundMs = -Infinity;
  /** The newest boxes of somebody far taller: `giantBoxes` at most. */
  private giants: { readonly heightPx: number; readonly atMs: number }[] = [];
  private giant = { heightPx: 0, untilMs: -Infinity };

  /** @param places lines (two corners) and zones (more), in pixels of the source */
  constructor(places: readonly (readonly PicturePoint[])[], options: RegionOptions = REGION) {
    this.places = places.filter((place) => place.length > 0);
    this.options = options;
  }

  /** The part to look at in the picture of that size and media time; `null` = all of it. */
  partOf({ width, height }: { readonly width: number; readonly height: number }, atMs: number): FramePart | null {
    if (width !== this.picture.width || height !== this.picture.height) {
      this.picture = { width, height };
      this.known = [];
      this.giants = [];
      this.inUse = null;
      this.giant = { heightPx: 0, untilMs: -Infinity };
    }
    // Time that jumps back makes the round due as well.
    const sinceMs = atMs - this.roundMs;
    if (this.inUse !== null && sinceMs >= 0 && sinceMs < this.options.roundMs) return this.inUse;
    this.roundMs = atMs;
    return null;
  }

  /** The region in use, apart from the rounds; `null` = the whole picture. */
  get region(): FramePart | null {
    return this.inUse;
  }

  /** Learns from what was found in a picture, looked at in whole or in part. */
  see({ atMs, detections }: Pick<DetectionFrame, 'atMs' | 'detections'>): void {
    if (this.places.length === 0) return;
    const { minScore, near } = this.options;
    const boxes = detections.filter(
      (box) => box.score >= minScore && this.places.some((place) => distance(place, foot(box)) <= near * box.height),
    );
    for (const box of boxes) this.remember(box, atMs);
    if (this.known.length < this.options.least) return;
    const needed = this.around(1, atMs);
    const wanted = this.around(this.options.spare, atMs);
    const region = this.inUse;
    const sinceMs = Math.abs(atMs - this.changedMs);
    const smaller =
      wanted !== null && areaOf(wanted) < this.options.shrink * areaOf(region ?? { x: 0, y: 0, ...this.picture });
    const outgrown = region !== null && (needed === null || !holds(region, needed));
    if (!outgrown && !(smaller && (region === null || sinceMs >= this.options.settleMs))) return;
    this.inUse = wanted;
    this.changedMs = atMs;
  }

  private remember(box: Detection, atMs: number): void {
    const { inUse: region, options } = this;
    if (region !== null && this.isCut(box, region)) {
      // How tall he is cannot be seen; only that the region is too small for such a one.
      if (box.height >= options.giant * this.heightAt(foot(box))) this.meetGiant(box.height, atMs);
      return;
    }
    if (this.known.some((other) => iou(other, box) > options.maxShare)) return;
    this.known.push(box);
    if (this.known.length > options.memory) this.known.shift();
  }

  private meetGiant(heightPx: number, atMs: number): void {
    const { giantBoxes, giantWithinMs, giantMs } = this.options;
    this.giants = [...this.giants.filter((met) => Math.abs(atMs - met.atMs) <= giantWithinMs), { heightPx, atMs }];
    if (this.giants.length < giantBoxes) return;
    this.giants = this.giants.slice(-giantBoxes);
    // The least of them: all were as tall.
    this.giant = { heightPx: Math.min(...this.giants.map((met) => met.heightPx)), untilMs: atMs + giantMs };
  }

  /** True when the box reaches over the region's border, or to it, where that is not the picture's. */
  private isCut(box: Detection, region: FramePart): boolean {
    return (
      (region.x > 0 && box.x <= region.x + BORDER_PX) ||
      (region.y > 0 && box.y <= region.y + BORDER_PX) ||
      (right(region) < this.picture.width && right(box) >= right(region) - BORDER_PX) ||
      (bottom(region) < this.picture.height && bottom(box) >= bottom(region) - BORDER_PX)
    );
  }

  /** How tall people are at that depth, px: who stands lower in the picture is nearer. */
  private heightAt(point: PicturePoint): number {
    const { depthShare, rank } = this.options;
    const count = Math.ceil(this.known.length * depthShare);
    const heights = this.known
      .toSorted((one, other) => Math.abs(bottom(one) - point.y) - Math.abs(bottom(other) - point.y))
      .slice(0, count)
      .map(({ height }) => height)
      .toSorted((one, other) => one - other);
    return heights[Math.min(count - 1, Math.floor(count * rank))] ?? 0;
  }

  /** What must be seen for people so many times as tall as those known; `null` = the whole picture. */
  private around(times: number, atMs: number): FramePart | null {
    const { above, below, beside, most } = this.options;
    const { width, height } = this.picture;
    const least = atMs < this.giant.untilMs ? this.giant.heightPx : 0;
    let [left, top, rightmost, lowest] = [width, height, 0, 0];
    for (const corner of this.places.flat()) {
      const tall = times * Math.max(least, this.heightAt(corner));
      left = Math.min(left, corner.x - beside * tall);
      top = Math.min(top, corner.y - above * tall);
      rightmost = Math.max(rightmost, corner.x + beside * tall);
      lowest = Math.max(lowest, corner.y + below * tall);
    }
    const x = Math.max(0, Math.floor(left));
    const y = Math.max(0, Math.floor(top));
    const part = {
      x,
      y,
      width: Math.min(width, Math.ceil(rightmost)) - x,
      height: Math.min(height, Math.ceil(lowest)) - y,
    };
    // A line beside the picture leaves nothing to look at.
    if (!(part.width >= LEAST_SIDE_PX && part.height >= LEAST_SIDE_PX)) return null;
    return areaOf(part) > most * width * height ? null : part;
  }
}

type Rectangle = Omit<Detection, 'score'>;

const right = ({ x, width }: Rectangle): number => x + width;
const bottom = ({ y, height }: Rectangle): number => y + height;
const areaOf = ({ width, height }: Rectangle): number => width * height;
const foot = (box: Rectangle): PicturePoint => ({ x: box.x + box.width / 2, y: bottom(box) });

function holds(outer: Rectangle, inner: Rectangle): boolean {
  return inner.x >= outer.x && inner.y >= outer.y && right(inner) <= right(outer) && bottom(inner) <= bottom(outer);
}

/** Distance of a point from a line of two corners or an area of more, px; 0 inside. */
function distance(corners: readonly PicturePoint[], point: PicturePoint): number {
  let inside = false;
  let least = Infinity;
  corners.forEach((a, at) => {
    const b = corners[(at + 1) % corners.length] ?? a;
    if (a.y > point.y !== b.y > point.y && point.x < ((b.x - a.x) * (point.y - a.y)) / (b.y - a.y) + a.x)
      inside = !inside;
    least = Math.min(least, distanceFrom(a, b, point));
  });
  return inside ? 0 : least;
}

function distanceFrom(a: PicturePoint, b: PicturePoint, point: PicturePoint): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const along = (dx * (point.x - a.x) + dy * (point.y - a.y)) / (dx * dx + dy * dy || 1);
  const part = Math.min(1, Math.max(0, along));
  return Math.hypot(point.x - a.x - part * dx, point.y - a.y - part * dy);
}
