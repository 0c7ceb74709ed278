import type { MonoMs } from '../api/clock.ts';

export interface LineSplitterOptions {
  /** Bytes that end a line; those right after another end are part of it (CR LF, CR ETX). */
  readonly terminators: readonly number[];
  /** A longer line is dropped whole and counted. */
  readonly maxBytes: number;
  /**
   * A half line older than this is dropped and counted when the next bytes come: its end was lost with the cable or the
   * power, and glued to the next line it would be a reading that never was.
   */
  readonly staleMs: number;
}

/** Cuts a byte stream into lines. Pure but for its own buffer, which never holds more than `maxBytes`. */
export interface LineSplitter {
  /** The lines that these bytes complete, copies without terminators; empty ones are left out. */
  push(bytes: Uint8Array, atMono: MonoMs): readonly Uint8Array[];
  /** Hands out the half line as a line if it is whole by its own marks; for devices that send no terminator. */
  takeHalf(isWhole: (half: Uint8Array) => boolean): Uint8Array | null;
  /** Bytes are missing between the last push and the next one: the half line goes, and so does the rest of the cut one. */
  gap(): void;
  /** A new connection: the half line goes. */
  reset(): void;
  /** Lines that were too long, stale, or cut by a gap or a reset. */
  readonly droppedLines: number;
}

export function lineSplitter(options: LineSplitterOptions): LineSplitter {
  const { maxBytes, staleMs } = options;
  const ends = new Set(options.terminators);
  const half = new Uint8Array(maxBytes);
  let length = 0;
  let lastMono = Number.NEGATIVE_INFINITY;
  // True while the bytes up to the next terminator belong to a line that is already dropped.
  let skipping = false;
  let droppedLines = 0;

  const drop = (): void => {
    if (length > 0) droppedLines += 1;
    half.fill(0, 0, length);
    length = 0;
  };

  return {
    get droppedLines() {
      return droppedLines;
    },
    push(bytes, atMono) {
      const stale = atMono - lastMono > staleMs;
      lastMono = atMono;
      if (stale) {
        drop();
        skipping = false;
      }
      const lines: Uint8Array[] = [];
      for (const byte of bytes) {
        if (ends.has(byte)) {
          if (length > 0 && !skipping) lines.push(half.slice(0, length));
          half.fill(0, 0, length);
          length = 0;
          skipping = false;
        } else if (skipping) continue;
        else if (length === maxBytes) {
          drop();
          skipping = true;
        } else {
          half[length] = byte;
          length += 1;
        }
      }
      return lines;
    },
    takeHalf(isWhole) {
      if (length === 0 || skipping || !isWhole(half.subarray(0, length))) return null;
      const line = half.slice(0, length);
      half.fill(0, 0, length);
      length = 0;
      return line;
    },
    gap() {
      drop();
      skipping = true;
    },
    reset() {
      drop();
      skipping = false;
      lastMono = Number.NEGATIVE_INFINITY;
    },
  };
}
