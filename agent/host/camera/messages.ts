import type { CameraOptions, CameraSignal, DetectionFrame } from '../../../drivers/api/transports.ts';
import type { JsonObject } from '../../../drivers/api/reading.ts';

/** To the camera process. */
export type ToCamera =
  | { readonly kind: 'open'; readonly options: CameraOptions; readonly modelPath: string }
  /** The reader has taken that many frames; so many more may come. */
  | { readonly kind: 'credit'; readonly frames: number };

type StateSignal = Omit<Extract<CameraSignal, { readonly kind: 'state' }>, 'kind'>;

/** From the camera process: numbers and words, never a pixel. */
export type FromCamera =
  | { readonly kind: 'frame'; readonly frame: DetectionFrame }
  | ({ readonly kind: 'state' } & StateSignal)
  /** Nothing to tell, but not hung: every {@link ALIVE_EVERY_MS}. */
  | { readonly kind: 'alive' }
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn';
      readonly event: string;
      readonly fields: JsonObject;
    };

/** Frames that may be under way between the camera process and its reader. */
export const FRAME_WINDOW = 64;

export const ALIVE_EVERY_MS = 2_000;
