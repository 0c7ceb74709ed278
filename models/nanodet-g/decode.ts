import { nanodet } from './manifest.ts';
import type { Letterbox } from './preprocess.ts';

/** A person's box in pixels of the source frame, y down, clipped to what was looked at; score in (0, 1). */
export interface PersonBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly score: number;
}

export interface DecodeOptions {
  readonly box: Letterbox;
  readonly minScore: number;
  /** Boxes that overlap a better one by more than this (intersection over union) are the same person. */
  readonly maxIou: number;
}

/** Boxes per frame that survive: more people than that in one small picture are not told apart anyway. */
export const MAX_BOXES = 200;

/** Best cells that are looked at before suppression: bounds its square cost on a noisy frame. */
const MAX_CANDIDATES = 1000;

/**
 * Reads the network's outputs.
 * A cell's centre is (i + ½)·stride; each side's distance is the expectation over its bins, times the stride.
 * @param outputs in the manifest's order, each `channels` × rows × columns
 * @see https://github.com/RangiLyu/nanodet/blob/v0.4.2/nanodet/model/head/gfl_head.py distribution over bins
 */
export function decodePersons(outputs: readonly Float32Array[], options: DecodeOptions): readonly PersonBox[] {
  const found: PersonBox[] = [];
  nanodet.outputs.forEach(({ stride }, at) => {
    const cells = outputs[at];
    if (cells !== undefined) readCells(cells, stride, options, found);
  });
  found.sort((one, other) => other.score - one.score);
  return suppress(found.slice(0, MAX_CANDIDATES), options.maxIou);
}

function readCells(cells: Float32Array, stride: number, options: DecodeOptions, found: PersonBox[]): void {
  const { box, minScore } = options;
  const columns = box.input.width / stride;
  const rows = box.input.height / stride;
  const count = columns * rows;
  if (cells.length !== count * nanodet.channels) return;
  const minLogit = Math.log(minScore / (1 - minScore));
  const offsetX = box.left / box.scaleX;
  const offsetY = box.top / box.scaleY;
  const seenWidth = box.width / box.scaleX;
  const seenHeight = box.height / box.scaleY;
  for (let cell = 0; cell < count; cell += 1) {
    const logit = cells[cell] as number;
    // Written so that NaN is left out as well.
    if (!(logit >= minLogit)) continue;
    const centreX = ((cell % columns) + 0.5) * stride;
    const centreY = (Math.floor(cell / columns) + 0.5) * stride;
    const left = clamp((centreX - stride * distance(cells, cell, count, 0)) / box.scaleX, seenWidth);
    const top = clamp((centreY - stride * distance(cells, cell, count, 1)) / box.scaleY, seenHeight);
    const right = clamp((centreX + stride * distance(cells, cell, count, 2)) / box.scaleX, seenWidth);
    const bottom = clamp((centreY + stride * distance(cells, cell, count, 3)) / box.scaleY, seenHeight);
    if (!(right > left && bottom > top)) continue;
    found.push({
      x: left + offsetX,
      y: top + offsetY,
      width: right - left,
      height: bottom - top,
      score: 1 / (1 + Math.exp(-logit)),
    });
  }
}

/** Expected bin of one side, in strides. */
function distance(cells: Float32Array, cell: number, count: number, side: number): number {
  const first = 1 + side * nanodet.bins;
  let largest = -Infinity;
  for (let bin = 0; bin < nanodet.bins; bin += 1)
    largest = Math.max(largest, cells[(first + bin) * count + cell] as number);
  let sum = 0;
  let weighted = 0;
  for (let bin = 0; bin < nanodet.bins; bin += 1) {
    const weight = Math.exp((cells[(first + bin) * count + cell] as number) - largest);
    sum += weight;
    weighted += weight * bin;
  }
  return weighted / sum;
}

function suppress(sorted: readonly PersonBox[], maxIou: number): readonly PersonBox[] {
  const kept: PersonBox[] = [];
  for (const box of sorted) {
    if (kept.length === MAX_BOXES) break;
    if (kept.every((better) => iou(better, box) <= maxIou)) kept.push(box);
  }
  return kept;
}

/** Intersection over union of two boxes, 0 … 1. */
export function iou(one: Omit<PersonBox, 'score'>, other: Omit<PersonBox, 'score'>): number {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const height = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  if (width <= 0 || height <= 0) return 0;
  const common = width * height;
  return common / (one.width * one.height + other.width * other.height - common);
}

function clamp(value: number, largest: number): number {
  return value < 0 ? 0 : value > largest ? largest : value;
}
