/** What a serial port needs to be opened. 8 data bits unless said. */
export interface SerialOptions {
  /** Any path: a device, a by-id link, a link that is re-pointed. */
  readonly path: string;
  readonly baudRate: number;
  readonly stopBits?: 1 | 2;
  readonly parity?: 'none' | 'even' | 'odd';
  /** USB identity (4 hex digits each) that the port must have; unchecked when absent. */
  readonly usb?: { readonly vendor: string; readonly product: string; readonly serial?: string };
  /** How long to wait for a port that is not there, before `port-missing`; woken by the file system. Absent: 0. */
  readonly waitMs?: number;
}

/** One connection to a byte stream: a serial port or a TCP socket. Never re-used after it closed. */
export interface ByteLink extends AsyncDisposable {
  /** Chunks as they come, copied. Ends when the link closes, throws an AgentError when it was lost. Read by one reader. */
  chunks(signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Resolves when the bytes have left this process; rejects when the link is closed. Nothing is queued for a later connection. */
  write(bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Bytes dropped because the reader was too slow: the bound is 1 MiB. Grows when the reader comes to the gap. */
  readonly droppedBytes: number;
  /** When the chunk that was handed out last came in (MonoMs), however late it is read. Absent: not known. */
  readonly chunkAtMono?: number;
  close(): Promise<void>;
}

/** One advertisement or scan response as the radio heard it. The bytes are copies. */
export interface Advertisement {
  /** Upper case, colons: `A4:C1:38:8D:18:B2`. */
  readonly address: string;
  readonly addressType: 'public' | 'random' | 'unknown';
  readonly rssiDbm: number;
  readonly connectable: boolean;
  readonly atMono: number;
  readonly localName?: string;
  /** `uuid` as four lower-case hex digits when 16-bit, else 32. */
  readonly serviceData: readonly { readonly uuid: string; readonly data: Uint8Array }[];
  /** Begins with the company id, little-endian, as on air. */
  readonly manufacturerData: Uint8Array | undefined;
}

/** A connection to one peripheral. Every call is timed out by the host and throws an AgentError. */
export interface GattLink extends AsyncDisposable {
  read(service: string, characteristic: string, signal: AbortSignal): Promise<Uint8Array>;
  write(service: string, characteristic: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Notifications and indications until the link closes or the signal fires. */
  notifications(service: string, characteristic: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface RadioHealth {
  readonly state: 'starting' | 'scanning' | 'silent' | 'failed';
  readonly code: string | null;
  readonly adverts: number;
  readonly dropped: number;
  readonly restarts: number;
  readonly lastAdvertMono: number | null;
}

/** What a radio hears or becomes, in order. */
export type RadioSignal =
  | { readonly kind: 'advert'; readonly advert: Advertisement }
  | { readonly kind: 'health'; readonly health: RadioHealth };

/** A Bluetooth radio that heals itself; one scan, bounded queue (8,192 adverts, oldest dropped and counted). */
export interface BleRadio extends AsyncDisposable {
  signals(signal: AbortSignal): AsyncIterable<RadioSignal>;
  connect(address: string, timeoutMs: number, signal: AbortSignal): Promise<GattLink>;
  health(): RadioHealth;
}

export type RadioOptions = {
  /** Which noble: the owner's choice is the default. */
  readonly library?: 'abandonware' | 'stoprocent';
} & (
  | { readonly kind: 'hci'; readonly adapter: number }
  | { readonly kind: 'hci-socket'; readonly path: string }
  | { readonly kind: 'hci-socket'; readonly host: string; readonly port: number }
);

/** One box that the model drew: pixels of the source frame, y down; score in [0, 1]. */
export interface Detection {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly score: number;
}

/** A part of the source's picture: whole pixels, y down. */
export interface CameraRegion extends PicturePoint {
  readonly width: number;
  readonly height: number;
}

/** What leaves the camera process: numbers, never pixels. */
export interface DetectionFrame {
  /** Number of the source's decoded frame, from 1, before thinning. */
  readonly frame: number;
  /** Media time of the frame, ms. */
  readonly atMs: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly detections: readonly Detection[];
  /** Time spent per stage, ms. */
  readonly stagesMs: { readonly decode: number; readonly inference: number; readonly post: number };
  /** The part that is looked at from now on, apart from single pictures; absent = all of it. */
  readonly region?: CameraRegion;
}

export type CameraSignal =
  | { readonly kind: 'frame'; readonly frame: DetectionFrame; readonly atMono: number }
  | {
      readonly kind: 'state';
      readonly state: 'running' | 'stalled' | 'failed' | 'ended';
      readonly code: string | null;
      readonly skipped: number;
    };

export type CameraSource =
  | { readonly kind: 'mjpeg'; readonly url: string }
  | { readonly kind: 'snapshot'; readonly url: string }
  | { readonly kind: 'rtsp'; readonly url: string }
  | { readonly kind: 'v4l2'; readonly device: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'command'; readonly command: readonly string[] };

/** A point of the source's picture: pixels, y down. */
export interface PicturePoint {
  readonly x: number;
  readonly y: number;
}

export interface CameraOptions {
  readonly source: CameraSource;
  /** Frames analysed per second of media time; `null` = every frame. */
  readonly fps: number | null;
  /** What the picture, or the part of it that is looked at, is scaled to; `null` = by its shape. */
  readonly input: { readonly width: number; readonly height: number } | null;
  readonly threads: number;
  readonly niceness: number;
  readonly minScore: number;
  /** Arithmetic of the detector; fp32 when absent. */
  readonly precision?: 'fp32' | 'int8';
  /** Lines (two corners) and areas (three or more) where people matter: their surroundings may be all that is looked at. */
  readonly places?: readonly (readonly PicturePoint[])[];
}

/** Capture and inference in a process of its own; the newest frame wins, it reconnects by itself. */
export interface CameraFeed extends AsyncDisposable {
  signals(signal: AbortSignal): AsyncIterable<CameraSignal>;
}
