import { describe, expect, test } from 'vitest';
import { BOUNDARY, cameraParts, CONTENT_TYPE } from './mjpeg-camera.ts';

/** Markers and a little entropy-coded data: SOI, SOF0 of 768×576, SOS, 200 bytes, EOI. */
const jpeg = Uint8Array.from([
  0xff, 0xd8, 0xff, 0xc0, 0x00, 0x0b, 0x08, 0x02, 0x40, 0x03, 0x00, 0x01, 0x01, 0x11, 0x00, 0xff, 0xda, 0x00, 0x08,
  0x01, 0x01, 0x00, 0x00, 0x3f, 0x00, ...Array.from({ length: 200 }, (_, at) => at % 200), 0xff, 0xd9,
]); // prettier-ignore

const body = (fault: Parameters<typeof cameraParts>[1]): Uint8Array =>
  cameraParts(jpeg, fault).chunks[1] ?? new Uint8Array();

describe('a network camera', () => {
  test('sends each picture as a part with its length', () => {
    const { chunks, end } = cameraParts(jpeg, null);
    expect(new TextDecoder().decode(chunks[0])).toBe(
      `--${BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`,
    );
    expect([...chunks[1]!]).toEqual([...jpeg]);
    expect([...chunks[2]!]).toEqual([0x0d, 0x0a]);
    expect(end).toBe(false);
    expect(CONTENT_TYPE).toContain(`boundary=${BOUNDARY}`);
  });

  test('hangs up on drop and is silent on stall', () => {
    expect(cameraParts(jpeg, 'drop')).toEqual({ chunks: [], end: true });
    expect(cameraParts(jpeg, 'stall')).toEqual({ chunks: [], end: false });
  });

  test('corrupts the picture without touching its markers', () => {
    const changed = body('corrupt');
    expect(changed.length).toBe(jpeg.length);
    expect([...changed]).not.toEqual([...jpeg]);
    jpeg.forEach((byte, at) => {
      if (byte === 0xff) expect([...changed.subarray(at, at + 2)]).toEqual([...jpeg.subarray(at, at + 2)]);
    });
  });

  test('truncates, inflates, lies about the size, or sends something else', () => {
    expect(body('truncate').length).toBe(jpeg.length >> 1);
    expect(body('huge').length).toBe(16 * 1024 * 1024);
    expect([...body('huge').subarray(-2)]).toEqual([0xff, 0xd9]);
    expect([...body('giant').subarray(7, 11)]).toEqual([0xea, 0x60, 0xea, 0x60]);
    expect(new TextDecoder().decode(body('noise'))).toContain('<html>');
  });
});
