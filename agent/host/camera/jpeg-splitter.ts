/** A whole JPEG picture as it stood in the stream, with the size that its frame header states. */
export interface JpegPicture {
  /** A view that is valid until the next picture is asked for. */
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface JpegLimits {
  readonly maxBytes: number;
  readonly maxPixels: number;
}

/** A 12-megapixel still at high quality; anything beyond is a fault or an attack, not a counting camera. */
export const JPEG_LIMITS: JpegLimits = { maxBytes: 8 * 1024 * 1024, maxPixels: 4096 * 3072 };

/** Markers of ITU-T T.81 table B.1. */
const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;

type Phase =
  /** Between pictures: looking for the start marker. */
  | 'idle'
  /** At a marker of the header. */
  | 'header'
  /** In entropy-coded data: up to the next marker that is neither stuffing nor a restart. */
  | 'scan';

/**
 * Cuts JPEG pictures out of a byte stream, whatever stands between them (multipart headers, boundaries, noise).
 * Walks the marker segments, so a thumbnail inside a picture does not end it, and needs no Content-Length.
 * Holds at most one picture; never throws. What is cut short, too large or no picture is counted in `skipped`.
 * @see ITU-T T.81 (JPEG) annex B
 */
export class JpegSplitter {
  /** Pictures that were dropped: cut short, too many bytes or pixels, broken segments. */
  skipped = 0;

  private readonly limits: JpegLimits;
  private buffer: Uint8Array;
  private length = 0;
  private phase: Phase = 'idle';
  /** Where to read on; never behind `length`, save that a segment may reach beyond what has come. */
  private at = 0;
  private width = 0;
  private height = 0;
  /** Length of the picture that has just become whole. */
  private end = 0;

  constructor(limits: JpegLimits = JPEG_LIMITS) {
    this.limits = limits;
    this.buffer = new Uint8Array(Math.min(256 * 1024, limits.maxBytes));
  }

  /** Takes the next bytes and yields each picture that is now whole, in order. */
  *push(chunk: Uint8Array): Generator<JpegPicture, void, undefined> {
    for (let from = 0; from < chunk.length; from += CHUNK_BYTES) {
      this.append(chunk.subarray(from, from + CHUNK_BYTES));
      while (this.step()) {
        if (this.end === 0) continue;
        const { end, width, height } = this;
        this.end = 0;
        yield { bytes: this.buffer.subarray(0, end), width, height };
        this.drop(end);
        this.phase = 'idle';
      }
      if (this.length >= this.limits.maxBytes) this.reject();
    }
  }

  /** The stream ended or is replaced: a picture under way counts as cut short. */
  reset(): void {
    if (this.phase !== 'idle') this.skipped += 1;
    this.phase = 'idle';
    this.length = 0;
    this.at = 0;
  }

  private append(chunk: Uint8Array): void {
    const needed = this.length + chunk.length;
    if (needed > this.buffer.length) {
      const grown = new Uint8Array(Math.max(needed, Math.min(this.buffer.length * 2, this.limits.maxBytes)));
      grown.set(this.buffer.subarray(0, this.length));
      this.buffer = grown;
    }
    this.buffer.set(chunk, this.length);
    this.length = needed;
  }

  /** One step; false when more bytes are needed. */
  private step(): boolean {
    switch (this.phase) {
      case 'idle':
        return this.findStart();
      case 'header':
        return this.readSegment();
      case 'scan':
        return this.findMarker();
    }
  }

  private findStart(): boolean {
    for (;;) {
      const start = this.indexOfMark(this.at);
      if (start === -1) {
        this.drop(this.length);
        return false;
      }
      if (start + 2 >= this.length) {
        this.drop(start);
        return false;
      }
      // A start marker is always followed by another marker.
      if (this.buffer[start + 1] === SOI && this.buffer[start + 2] === 0xff) {
        this.drop(start);
        this.phase = 'header';
        this.at = 2;
        this.width = 0;
        this.height = 0;
        return true;
      }
      this.at = start + 1;
    }
  }

  private readSegment(): boolean {
    if (this.at + 2 > this.length) return false;
    if (this.buffer[this.at] !== 0xff) return this.reject();
    const marker = this.buffer[this.at + 1] as number;
    if (marker === 0xff) {
      this.at += 1; // fill byte, B.1.1.2
      return true;
    }
    if (marker === EOI) return this.finish();
    if (marker === SOI) return this.reject();
    if ((marker >= 0xd0 && marker <= 0xd7) || marker === 0x01) {
      this.at += 2;
      return true;
    }
    if (marker < 0xc0) return this.reject();
    if (this.at + 4 > this.length) return false;
    const size = (this.u8(this.at + 2) << 8) | this.u8(this.at + 3);
    if (size < 2) return this.reject();
    if (isFrameHeader(marker)) {
      if (this.at + 9 > this.length) return false;
      this.height = (this.u8(this.at + 5) << 8) | this.u8(this.at + 6);
      this.width = (this.u8(this.at + 7) << 8) | this.u8(this.at + 8);
      const pixels = this.width * this.height;
      if (pixels === 0 || pixels > this.limits.maxPixels) return this.reject();
    }
    if (this.at + 2 + size > this.length) return false;
    this.at += 2 + size;
    if (marker === SOS) this.phase = 'scan';
    return true;
  }

  private findMarker(): boolean {
    for (;;) {
      const mark = this.indexOfMark(this.at);
      if (mark === -1 || mark + 1 >= this.length) {
        this.at = mark === -1 ? this.length : mark;
        return false;
      }
      const next = this.buffer[mark + 1] as number;
      this.at = mark;
      if (next === 0x00 || (next >= 0xd0 && next <= 0xd7)) this.at = mark + 2;
      else if (next === 0xff) this.at = mark + 1;
      else {
        this.phase = 'header';
        return true;
      }
    }
  }

  private finish(): boolean {
    this.at += 2;
    if (this.width * this.height === 0 || this.at > this.limits.maxBytes) return this.reject();
    this.end = this.at;
    return true;
  }

  /** Gives the picture up and looks for the next start behind its first byte. */
  private reject(): boolean {
    this.skipped += 1;
    this.phase = 'idle';
    this.drop(Math.min(this.length, Math.max(1, Math.min(this.at, this.length))));
    return true;
  }

  private drop(count: number): void {
    this.buffer.copyWithin(0, count, this.length);
    this.length -= count;
    this.at = 0;
  }

  private indexOfMark(from: number): number {
    const found = this.buffer.subarray(0, this.length).indexOf(0xff, from);
    return found;
  }

  private u8(at: number): number {
    return this.buffer[at] as number;
  }
}

/** Bounds what one push can add beyond the limit. */
const CHUNK_BYTES = 64 * 1024;

/** SOF0 … SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}
