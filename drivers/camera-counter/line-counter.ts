/** Pixels of the source frame, y down. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface CountLine {
  readonly id: string;
  readonly from: Point;
  readonly to: Point;
}

/** Where a person's feet are known to have been. */
export interface FootPoint extends Point {
  readonly trackId: number;
  readonly frame: number;
  readonly atMs: number;
  /** Height of the person in the picture, px: the scale of every distance. */
  readonly heightPx: number;
}

export interface Crossing {
  readonly lineId: string;
  readonly trackId: number;
  /** `in`: from the negative to the positive side of sign(cross(to − from, foot − from)). */
  readonly direction: 'in' | 'out';
  /** Where on the line: 0 at `from`, 1 at `to`. */
  readonly place: number;
  /** Interpolated between the two sightings around the line. */
  readonly frame: number;
  readonly atMs: number;
}

/** Distances in heights of the person. */
export interface LineCounterOptions {
  /** Distance from the line from which a side counts as taken. */
  readonly settle: number;
  /** The same for going back over a line just crossed: standing on it must not count again and again. */
  readonly settleBack: number;
  /** Farthest distance on the old side plus that on the new one: a box that only trembles at the line never has it. */
  readonly travel: number;
  /** Count each person's net crossing when the track ends, not each crossing as it happens. */
  readonly late: boolean;
}

export const LINE_COUNTER: LineCounterOptions = { settle: 0.06, settleBack: 0.12, travel: 0.3, late: false };

interface Passage {
  /** Side last taken: −1 or 1; 0 while unknown. */
  side: -1 | 0 | 1;
  /** Farthest distance from the line on that side, px. */
  reach: number;
  /** True once this track has crossed the line. */
  crossed: boolean;
  last: FootPoint;
  /** The latest step over the line, with the place on it: 0 at `from`, 1 at `to`. */
  step: { readonly place: number; readonly frame: number; readonly atMs: number } | undefined;
  net: number;
  lastCrossing: Crossing | undefined;
}

/**
 * Counts persons over lines by the path of their feet. The path must cut the segment itself, not its extension, and
 * must settle on the other side; what happens between two sightings is the straight way between them.
 */
export class LineCounter {
  private readonly lines: readonly CountLine[];
  private readonly options: LineCounterOptions;
  /** By track, then by line. Bounded by the tracker's own bound: {@link forget} removes what it drops. */
  private readonly tracks = new Map<number, Map<string, Passage>>();

  constructor(lines: readonly CountLine[], options: LineCounterOptions = LINE_COUNTER) {
    this.lines = lines;
    this.options = options;
  }

  /** Takes the next sighting of a track; sightings of one track come in the order of time. */
  see(point: FootPoint): readonly Crossing[] {
    let passages = this.tracks.get(point.trackId);
    if (passages === undefined) {
      passages = new Map();
      this.tracks.set(point.trackId, passages);
    }
    const crossings: Crossing[] = [];
    for (const line of this.lines) {
      const passage = passages.get(line.id);
      if (passage === undefined) passages.set(line.id, this.start(line, point));
      else {
        const crossing = this.advance(line, passage, point);
        if (crossing !== undefined && !this.options.late) crossings.push(crossing);
      }
    }
    return crossings;
  }

  /** The track is over; yields its net crossings when counting late. */
  forget(trackId: number): readonly Crossing[] {
    const passages = this.tracks.get(trackId);
    this.tracks.delete(trackId);
    if (passages === undefined || !this.options.late) return [];
    return [...passages.values()].flatMap(({ net, lastCrossing }) =>
      net === 0 || lastCrossing === undefined ? [] : [{ ...lastCrossing, direction: net > 0 ? 'in' : 'out' } as const],
    );
  }

  private start(line: CountLine, point: FootPoint): Passage {
    const distance = distanceTo(line, point);
    const far = Math.abs(distance) >= this.options.settle * point.heightPx;
    return {
      side: far ? (distance > 0 ? 1 : -1) : 0,
      reach: Math.abs(distance),
      crossed: false,
      last: point,
      step: undefined,
      net: 0,
      lastCrossing: undefined,
    };
  }

  private advance(line: CountLine, passage: Passage, point: FootPoint): Crossing | undefined {
    const before = distanceTo(line, passage.last);
    const now = distanceTo(line, point);
    if (before < 0 !== now < 0) passage.step = stepOver(line, passage.last, before, point, now);
    passage.last = point;
    const { settle, settleBack, travel } = this.options;
    const far = Math.abs(now);
    const side = now > 0 ? 1 : -1;
    const from = passage.side;
    if (from === side) passage.reach = Math.max(passage.reach, far);
    if (far < (passage.crossed ? settleBack : settle) * point.heightPx) return undefined;
    if (from === -side && passage.reach + far < travel * point.heightPx) return undefined;
    const step = passage.step;
    passage.step = undefined;
    if (from !== side) passage.reach = far;
    passage.side = side;
    if (from === 0 || from === side || step === undefined) return undefined;
    passage.crossed = step.place >= 0 && step.place <= 1;
    if (!passage.crossed) return undefined;
    passage.net += side;
    passage.lastCrossing = {
      lineId: line.id,
      trackId: point.trackId,
      direction: side > 0 ? 'in' : 'out',
      place: step.place,
      frame: step.frame,
      atMs: step.atMs,
    };
    return passage.lastCrossing;
  }
}

/** Signed distance from the infinite line, px; positive where cross(to − from, point − from) is. */
function distanceTo(line: CountLine, point: Point): number {
  const dx = line.to.x - line.from.x;
  const dy = line.to.y - line.from.y;
  return (dx * (point.y - line.from.y) - dy * (point.x - line.from.x)) / Math.hypot(dx, dy);
}

function stepOver(
  line: CountLine,
  from: FootPoint,
  before: number,
  to: FootPoint,
  now: number,
): { readonly place: number; readonly frame: number; readonly atMs: number } {
  const part = before / (before - now);
  const between = (a: number, b: number): number => a + (b - a) * part;
  const dx = line.to.x - line.from.x;
  const dy = line.to.y - line.from.y;
  const along = dx * (between(from.x, to.x) - line.from.x) + dy * (between(from.y, to.y) - line.from.y);
  return {
    place: along / (dx * dx + dy * dy),
    frame: Math.round(between(from.frame, to.frame)),
    atMs: Math.round(between(from.atMs, to.atMs)),
  };
}
