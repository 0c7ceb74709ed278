import { type InputSize, nanodet } from './manifest.ts';

/** A part of a source frame, in its pixels. */
export interface FramePart extends InputSize {
  readonly x: number;
  readonly y: number;
}

/** How a source frame, or a part of it, is laid into the network's input: top left, the rest is the mean colour. */
export interface Letterbox {
  readonly input: InputSize;
  /** Size of what is laid in, in pixels of the input. */
  readonly width: number;
  readonly height: number;
  /** Where in the scaled frame it begins; 0 for the whole frame. */
  readonly left: number;
  readonly top: number;
  /** Size of the whole frame when it is scaled the same. */
  readonly whole: InputSize;
  /** Input pixels per source pixel, by axis: rounding to whole pixels makes them differ slightly. */
  readonly scaleX: number;
  readonly scaleY: number;
}

/** Fits a frame of `source` pixels into the input without changing its shape. */
export function letterbox(source: InputSize, input: InputSize): Letterbox {
  return laidIn(source, input, { x: 0, y: 0, ...source }, fittingScale(source, input));
}

/**
 * Fits a part of a frame into the input without changing its shape, with at most `most` input pixels per source pixel: made-up
 * pixels cost time and show nothing.
 */
export function letterboxPart(source: InputSize, input: InputSize, part: FramePart, most: number): Letterbox {
  return laidIn(source, input, part, Math.min(most, fittingScale(part, input)));
}

/** Input pixels per source pixel with which the input just holds it. */
export function fittingScale(source: InputSize, input: InputSize): number {
  return Math.min(input.width / source.width, input.height / source.height);
}

function laidIn(source: InputSize, input: InputSize, part: FramePart, scale: number): Letterbox {
  const whole = {
    width: Math.max(1, Math.round(source.width * scale)),
    height: Math.max(1, Math.round(source.height * scale)),
  };
  const scaleX = whole.width / source.width;
  const scaleY = whole.height / source.height;
  const left = Math.min(whole.width - 1, Math.round(part.x * scaleX));
  const top = Math.min(whole.height - 1, Math.round(part.y * scaleY));
  const width = Math.max(1, Math.min(input.width, whole.width - left, Math.round(part.width * scaleX)));
  const height = Math.max(1, Math.min(input.height, whole.height - top, Math.round(part.height * scaleY)));
  return { input, width, height, left, top, whole, scaleX, scaleY };
}

/** Normalised values of the 256 levels of each plane: a look-up is three times as quick as the arithmetic. */
const levels: readonly Float32Array[] = nanodet.planes.map(({ mean, std }) =>
  Float32Array.from({ length: 256 }, (_, level) => (level - mean) / std),
);

/** Channel of an RGB pixel that feeds each plane. */
const channels: readonly number[] = nanodet.planes.map(({ channel }) => ['red', 'green', 'blue'].indexOf(channel));

/** An input tensor's storage, 1×3×height×width: made once and refilled for every frame. Zero is the mean colour. */
export function inputPlanes(input: InputSize): Float32Array {
  return new Float32Array(3 * input.width * input.height);
}

/**
 * Fills `planes` from a scaled frame.
 * @param pixels interleaved RGB, 8 bits, `box.width` × `box.height`; what is missing at the end counts as mean colour
 */
export function fillPlanes(planes: Float32Array, pixels: Uint8Array, box: Letterbox): void {
  const { width: inputWidth, height: inputHeight } = box.input;
  const whole = box.width === inputWidth && box.height === inputHeight;
  if (!whole) planes.fill(0);
  const plane = inputWidth * inputHeight;
  const rows = Math.min(box.height, Math.floor(pixels.length / (3 * box.width)));
  for (let index = 0; index < 3; index += 1) {
    const level = levels[index] as Float32Array;
    const channel = channels[index] as number;
    for (let y = 0; y < rows; y += 1) {
      let from = y * box.width * 3 + channel;
      const start = index * plane + y * inputWidth;
      for (let to = start; to < start + box.width; to += 1, from += 3)
        planes[to] = level[pixels[from] as number] as number;
    }
  }
}
