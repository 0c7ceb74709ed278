/** One raw picture: interleaved RGB, 8 bits. */
export interface RawPicture {
  readonly width: number;
  readonly height: number;
  /** A view that is valid until the next picture is asked for. */
  readonly pixels: Uint8Array;
}

/** A header is `P6\n<width> <height>\n255\n`: never longer than this for pictures that we accept. */
const MAX_HEADER_BYTES = 32;

/**
 * Cuts binary PPM pictures out of what our own ffmpeg writes. They name their size, so a stream may change it.
 * @throws RangeError on anything else: it is our own child process that speaks, and a lost byte is lost for good
 * @see https://netpbm.sourceforge.net/doc/ppm.html
 */
export class PpmSplitter {
  private readonly maxPixels: number;
  private header = '';
  private width = 0;
  private height = 0;
  private pixels = new Uint8Array(0);
  private filled = 0;

  constructor(maxPixels: number) {
    this.maxPixels = maxPixels;
  }

  *push(chunk: Uint8Array): Generator<RawPicture, void, undefined> {
    let at = 0;
    while (at < chunk.length) {
      if (this.width === 0) at = this.readHeader(chunk, at);
      else {
        const size = 3 * this.width * this.height;
        const part = chunk.subarray(at, at + size - this.filled);
        this.pixels.set(part, this.filled);
        this.filled += part.length;
        at += part.length;
        if (this.filled === size) {
          yield { width: this.width, height: this.height, pixels: this.pixels.subarray(0, size) };
          this.width = 0;
          this.filled = 0;
        }
      }
    }
  }

  private readHeader(chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      this.header += String.fromCharCode(chunk[at] as number);
      const match = /^P6\s(\d{1,5})\s(\d{1,5})\s255\s$/.exec(this.header);
      if (match !== null) {
        this.header = '';
        this.width = Number(match[1]);
        this.height = Number(match[2]);
        const count = this.width * this.height;
        if (count === 0 || count > this.maxPixels) throw new RangeError(`a picture of ${count} pixels`);
        if (this.pixels.length < 3 * count) this.pixels = new Uint8Array(3 * count);
        return at + 1;
      }
      if (this.header.length >= MAX_HEADER_BYTES) throw new RangeError('no PPM header');
    }
    return chunk.length;
  }
}
