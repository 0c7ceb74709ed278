import type { InputSize } from './manifest.ts';

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

/** The same choice in the words of ffmpeg's `scale`, for pictures whose shape only ffmpeg knows. */
export function scaleExpressions(): { readonly width: string; readonly height: string } {
  const choose = (side: keyof InputSize): string =>
    `if(gte(iw*${WIDE.height}\\,ih*${LANDSCAPE.width})\\,${WIDE[side]}\\,` +
    `if(gte(iw\\,ih)\\,${LANDSCAPE[side]}\\,` +
    `if(gte(iw*${LANDSCAPE.width}\\,ih*${WIDE.height})\\,${PORTRAIT[side]}\\,${TALL[side]})))`;
  return { width: choose('width'), height: choose('height') };
}
