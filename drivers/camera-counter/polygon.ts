import type { Point } from './line-counter.ts';

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
