/** A box as the detector drew it: pixels, y down; score 0 … 1. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly score: number;
}

/** Intersection over union, 0 … 1. */
export function overlap(one: Box, other: Box): number {
  const common = commonArea(one, other);
  return common === 0 ? 0 : common / (one.width * one.height + other.width * other.height - common);
}

/** True when at least `share` of the box lies in the other one. */
export function isPart(box: Box, other: Box, share: number): boolean {
  return commonArea(box, other) >= share * box.width * box.height;
}

/** Likeness of two lengths, 0 … 1. */
export function likeness(one: number, other: number): number {
  return Math.min(one, other) / Math.max(one, other);
}

/** Grown on each side by `margin` of the width and half of `margin` of the height: walkers move sideways, not up. */
export function enlarge(box: Box, margin: number): Box {
  const dx = box.width * margin;
  const dy = box.height * margin * 0.5;
  return { ...box, x: box.x - dx, y: box.y - dy, width: box.width + 2 * dx, height: box.height + 2 * dy };
}

/** Part of the box's lower half that nearer persons cover, 0 … 1. Nearer is who stands lower in the picture. */
export function hiddenBelow(box: Box, all: readonly Box[]): number {
  const bottom = box.y + box.height;
  const lower: Box = { ...box, y: box.y + box.height / 2, height: box.height / 2 };
  let most = 0;
  for (const other of all)
    if (other !== box && other.score >= 0.3 && other.y + other.height > bottom + 0.02 * box.height)
      most = Math.max(most, commonArea(lower, other) / (lower.width * lower.height));
  return most;
}

/** Finite, with a size: what a broken detector sends must not poison the filters. */
export function isBox({ x, y, width, height, score }: Box): boolean {
  return [x, y, score].every(Number.isFinite) && width > 0 && height > 0 && width < Infinity && height < Infinity;
}

function commonArea(one: Box, other: Box): number {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const height = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  return width > 0 && height > 0 ? width * height : 0;
}
