import { isInside } from './polygon.ts';
import type { FootPoint, Point } from './line-counter.ts';

export interface CountZone {
  readonly id: string;
  readonly corners: readonly Point[];
}

/** Somebody left a zone. */
export interface Dwell {
  readonly zoneId: string;
  readonly trackId: number;
  readonly dwellMs: number;
  readonly atMs: number;
}

export interface ZoneUpdate {
  /** Persons in each zone now. */
  readonly occupancy: ReadonlyMap<string, number>;
  readonly dwells: readonly Dwell[];
}

/**
 * A track that never came farther than this from where it began, in its own heights, is a thing, not a visitor: a traffic
 * cone scored as a person in two frames of three of a real clip.
 */
const LEAST_MOVE = 0.4;

/** A visit shorter than this is a passer-by clipping the corner. */
const LEAST_DWELL_MS = 1_000;

interface Visitor {
  readonly first: FootPoint;
  moved: boolean;
  last: FootPoint;
  /** Media time at which each zone was entered. */
  readonly entered: Map<string, number>;
}

/** How many persons are in each zone and how long they stayed; knows nobody again. */
export class ZoneCounter {
  private readonly zones: readonly CountZone[];
  /** Bounded by the tracker: {@link forget} removes what it drops. */
  private readonly visitors = new Map<number, Visitor>();

  constructor(zones: readonly CountZone[]) {
    this.zones = zones;
  }

  /** Takes all sightings of one frame and the tracks that ended with it. */
  update(points: readonly FootPoint[], ended: readonly number[]): ZoneUpdate {
    const dwells: Dwell[] = [];
    for (const point of points) this.see(point, dwells);
    for (const trackId of ended) {
      const visitor = this.visitors.get(trackId);
      this.visitors.delete(trackId);
      if (visitor !== undefined)
        for (const zoneId of visitor.entered.keys()) leave(visitor, zoneId, visitor.last.atMs, dwells);
    }
    const occupancy = new Map(this.zones.map(({ id }) => [id, 0]));
    for (const visitor of this.visitors.values())
      if (visitor.moved)
        for (const zoneId of visitor.entered.keys()) occupancy.set(zoneId, (occupancy.get(zoneId) ?? 0) + 1);
    return { occupancy, dwells };
  }

  private see(point: FootPoint, dwells: Dwell[]): void {
    let visitor = this.visitors.get(point.trackId);
    if (visitor === undefined) {
      visitor = { first: point, moved: false, last: point, entered: new Map() };
      this.visitors.set(point.trackId, visitor);
    }
    visitor.last = point;
    const way = Math.hypot(point.x - visitor.first.x, point.y - visitor.first.y);
    if (way >= LEAST_MOVE * point.heightPx) visitor.moved = true;
    for (const zone of this.zones) {
      const inside = isInside(zone.corners, point);
      if (inside && !visitor.entered.has(zone.id)) visitor.entered.set(zone.id, point.atMs);
      else if (!inside && visitor.entered.has(zone.id)) leave(visitor, zone.id, point.atMs, dwells);
    }
  }
}

function leave(visitor: Visitor, zoneId: string, atMs: number, dwells: Dwell[]): void {
  const dwellMs = atMs - (visitor.entered.get(zoneId) ?? atMs);
  visitor.entered.delete(zoneId);
  if (visitor.moved && dwellMs >= LEAST_DWELL_MS) dwells.push({ zoneId, trackId: visitor.last.trackId, dwellMs, atMs });
}
