import type { CameraErrorCode } from '../../../drivers/lib/camera-errors.ts';

/** A picture on its way to the network. The bytes are only lent: until the next one is asked for. */
export interface SourcePicture {
  /** Number of the source's decoded frame, from 1, before thinning. */
  readonly frame: number;
  /** Media time, ms. */
  readonly atMs: number;
  /** Size of the source's frame. */
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
  /** `jpeg` as it came; or interleaved RGB of the whole picture, already scaled to `scaled`. */
  readonly format: 'jpeg' | { readonly scaled: { readonly width: number; readonly height: number } };
}

export interface SourceState {
  readonly state: 'running' | 'stalled' | 'failed';
  readonly code: CameraErrorCode | null;
}

/** What a picture source is asked for. */
export interface PictureOptions {
  /** Frames a second of media time; `null` = all. */
  readonly fps: number | null;
  /** What pictures that are scaled on the way are scaled to; `null` = by their shape. */
  readonly input: { readonly width: number; readonly height: number } | null;
  /** True when a part of the picture may be looked at: then it is not scaled down to the network's size on the way. */
  readonly parts?: boolean;
  /** Told how many pictures were broken or too large and left out. */
  readonly skip: (count: number) => void;
}

/** Reads one connection to a source, or one file, from its first picture to its last. */
export type PictureReader = (options: PictureOptions, signal: AbortSignal) => AsyncIterable<SourcePicture>;
