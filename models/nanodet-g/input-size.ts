import type { InputSize } from './manifest.ts';
import { fittingScale } from './preprocess.ts';

/**
 * Sizes that cost the same within four parts in a hundred, by the shape of the picture that they suit. A wide picture in
 * 416×320 leaves a quarter of the network's rows empty, and its people come out an eighth smaller than they could.
 */
const WIDE: InputSize = { width: 480, height: 288 };
const LANDSCAPE: InputSize = { width: 416, height: 320 };
const PORTRAIT: InputSize = { width: 320, height: 416 };
const TALL: InputSize = { width: 288, height: 480 };

/** Pixels of the largest of them. */
export const MAX_AUTO_PIXELS: number = WIDE.width * WIDE.height;

/** The size in which a picture of this shape comes out largest; of an unknown one that of most cameras. */
export function inputFor(picture: InputSize | null): InputSize {
  if (picture === null) return LANDSCAPE;
  const { width, height } = picture;
  if (width * WIDE.height >= height * LANDSCAPE.width) return WIDE;
  if (width >= height) return LANDSCAPE;
  return width * LANDSCAPE.width >= height * WIDE.height ? PORTRAIT : TALL;
}

/** Sides of an input are multiples of this, the model's largest stride. */
const STEP = 32;

/**
 * The size in which a part of a picture comes out largest for the same cost, the cheapest of those; not larger than life,
 * nor than `most` input pixels per source pixel.
 */
export function inputForPart(part: InputSize, most: number): InputSize {
  let best: InputSize = LANDSCAPE;
  let bestScale = 0;
  for (let height = 2 * STEP; height <= MAX_AUTO_PIXELS / (2 * STEP); height += STEP)
    for (let width = 2 * STEP; width * height <= MAX_AUTO_PIXELS; width += STEP) {
      const scale = Math.min(most, fittingScale(part, { width, height }));
      const cheaper = width * height < best.width * best.height;
      if (scale > bestScale || (scale === bestScale && cheaper)) {
        best = { width, height };
        bestScale = scale;
      }
    }
  return best;
}

/** The same choice in the words of ffmpeg's `scale`, for pictures whose shape only ffmpeg knows. */
export function scaleExpressions(): { readonly width: string; readonly height: string } {
  const choose = (side: keyof InputSize): string =>
    `if(gte(iw*${WIDE.height}\\,ih*${LANDSCAPE.width})\\,${WIDE[side]}\\,` +
    `if(gte(iw\\,ih)\\,${LANDSCAPE[side]}\\,` +
    `if(gte(iw*${LANDSCAPE.width}\\,ih*${WIDE.height})\\,${PORTRAIT[side]}\\,${TALL[side]})))`;
  return { width: choose('width'), height: choose('height') };
}
