/** What a network camera does wrong. `stall` keeps the line open and says nothing; `drop` hangs up. */
export type CameraFault =
  | 'stall'
  | 'drop'
  | 'refuse'
  /** Bytes inside the picture are changed: it can no longer be decoded, or looks wrong. */
  | 'corrupt'
  /** The second half of the picture is missing. */
  | 'truncate'
  /** A picture of 16 MiB. */
  | 'huge'
  /** A picture whose header claims 60,000 × 60,000 pixels. */
  | 'giant'
  /** Bytes that are no picture at all. */
  | 'noise';

/** What goes over the wire for one picture; `end` hangs up afterwards. */
export interface CameraParts {
  readonly chunks: readonly Uint8Array[];
  readonly end: boolean;
}

/** As RFC 2046 §5.1 wants it; the boundary of many a real camera. */
export const BOUNDARY = 'barrowframe';
export const CONTENT_TYPE: string = `multipart/x-mixed-replace; boundary=${BOUNDARY}`;

const HUGE_BYTES = 16 * 1024 * 1024;

/** Marker SOF0 of ITU-T T.81: its payload begins with length, precision, height, width. */
const SOF0 = 0xc0;

/**
 * A network camera's answer, picture by picture: the wire's framing and its faults, pure.
 * @see RFC 2046 §5.1 multipart; `multipart/x-mixed-replace` is how cameras stream JPEG over HTTP
 */
export function cameraParts(jpeg: Uint8Array, fault: CameraFault | null): CameraParts {
  switch (fault) {
    case null:
      return { chunks: part(jpeg), end: false };
    case 'stall':
      return { chunks: [], end: false };
    case 'drop':
    case 'refuse':
      return { chunks: [], end: true };
    case 'corrupt':
      return { chunks: part(corrupted(jpeg)), end: false };
    case 'truncate':
      return { chunks: part(jpeg.subarray(0, jpeg.length >> 1)), end: false };
    case 'huge':
      return { chunks: part(grown(jpeg)), end: false };
    case 'giant':
      return { chunks: part(resized(jpeg)), end: false };
    case 'noise':
      return { chunks: part(new TextEncoder().encode('<html>503 busy</html>'.repeat(40))), end: false };
  }
}

function part(body: Uint8Array): readonly Uint8Array[] {
  const header = `--${BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: ${body.length}\r\n\r\n`;
  return [new TextEncoder().encode(header), body, Uint8Array.of(0x0d, 0x0a)];
}

/** Every seventh byte of the entropy-coded data changed; markers stay whole, so only the decoder can tell. */
function corrupted(jpeg: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(jpeg);
  for (let at = copy.length >> 2; at < copy.length - 2; at += 7)
    if (copy[at] !== 0xff && copy[at - 1] !== 0xff) copy[at] = 0x5a;
  return copy;
}

/** The picture's entropy-coded data repeated until it is too large for any camera. */
function grown(jpeg: Uint8Array): Uint8Array {
  const body = jpeg.subarray(jpeg.length >> 1, jpeg.length - 2);
  const copy = new Uint8Array(HUGE_BYTES);
  copy.set(jpeg.subarray(0, jpeg.length - 2));
  for (let at = jpeg.length - 2; at < HUGE_BYTES - 2; at += body.length)
    copy.set(body.subarray(0, Math.min(body.length, HUGE_BYTES - 2 - at)), at);
  copy.set([0xff, 0xd9], HUGE_BYTES - 2);
  return copy;
}

function resized(jpeg: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(jpeg);
  for (let at = 0; at + 9 < copy.length; at += 1)
    if (copy[at] === 0xff && copy[at + 1] === SOF0) {
      copy.set([0xea, 0x60, 0xea, 0x60], at + 5);
      break;
    }
  return copy;
}
