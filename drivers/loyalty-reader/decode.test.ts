import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FormatDecoder } from '../api/format.ts';
import { decodeSwipe } from './decode-magstripe.ts';
import { decodePn532, decodeTargets } from './decode-pn532.ts';
import { magstripe, pn532 } from './formats.ts';
import { EXTENDED_MAX, pn532Frame } from './pn532-protocol.ts';

interface Vector {
  readonly hex: string;
  readonly means: Record<string, unknown>;
  readonly source: string;
}
const load = (file: string): Vector[] => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as Vector[];
const swipes = load('vectors-magstripe.json');
const frames = load('vectors-pn532.json');

const said = (format: FormatDecoder, bytes: Uint8Array): unknown => {
  const decoded = format(bytes, {});
  if (!decoded.ok) return { refused: (decoded.error as { code: string }).code };
  const { ok: _, measurements, ...rest } = decoded;
  expect(measurements).toEqual([]);
  return rest;
};

function batter(format: FormatDecoder, vectors: readonly Vector[]): void {
  for (const { hex } of vectors) {
    const whole = Buffer.from(hex, 'hex');
    for (let length = 0; length <= whole.length; length += 1) format(whole.subarray(0, length), {});
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const flipped = Uint8Array.from(whole);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(typeof format(flipped, {}).ok).toBe('boolean');
    }
  }
}

describe('a swipe', () => {
  test.each(swipes)('$hex means what $source says', ({ hex, means }) => {
    expect(said(magstripe, Buffer.from(hex, 'hex'))).toEqual(means);
  });

  test('survives every truncation and every flipped bit', () => batter(magstripe, swipes));

  test('survives random bytes, also between sentinels', () => {
    const character = fc.constantFrom(...'%;+#!?=^BE0149\u001b\r\u0002'.split('').map((text) => text.charCodeAt(0)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.array(character, { maxLength: 120 })), (bytes) => {
        const result = decodeSwipe(Uint8Array.from(bytes));
        return result.ok ? result.swipe.id.length > 0 : typeof result.code === 'string';
      }),
      { numRuns: 3_000 },
    );
  });

  test('hands out its id as a view, so that wiping the swipe wipes the id', () => {
    const line = new TextEncoder().encode(';9900001234567=?');
    const result = decodeSwipe(line);
    if (!result.ok) throw new Error(result.code);
    line.fill(0);
    expect(result.swipe.id.every((byte) => byte === 0)).toBe(true);
  });

  test.each(['4111111111111111', '5555555555554444', '378282246310005', '6759649826438453', '30569309025904'])(
    'with %s is refused wherever the number stands, and nothing of it is said',
    (pan) => {
      for (const text of [`;${pan}=2512101?`, `%${pan}^X?`, `;990=?+01${pan}=?`, `;${pan}?`, pan, `;99=${pan}?\r`]) {
        const decoded = magstripe(new TextEncoder().encode(text), {});
        expect(decoded).toMatchObject({ ok: false, error: { code: 'payment-card' } });
        expect(JSON.stringify(decoded)).not.toMatch(/\d{4}/);
      }
    },
  );
});

describe('a PN532 frame', () => {
  test.each(frames)('$hex means what $source says', ({ hex, means }) => {
    expect(said(pn532, Buffer.from(hex, 'hex'))).toEqual(means);
  });

  test('survives every truncation and every flipped bit', () => batter(pn532, frames));

  test('survives random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const result = decodePn532(bytes);
        return result.end <= bytes.length && (result.ok || typeof result.code === 'string');
      }),
      { numRuns: 2_000 },
    );
  });

  test('is found behind any noise that holds no start code', () => {
    const noise = fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.map((byte) => (byte === 0xff ? 0xfe : byte)));
    fc.assert(
      fc.property(noise, fc.uint8Array({ maxLength: EXTENDED_MAX - 2 }), (before, data) => {
        const frame = pn532Frame(Uint8Array.of(0xd5, 0x41, ...data));
        const result = decodePn532(Uint8Array.of(...before, ...frame));
        expect(result.ok && result.frame).toEqual({ kind: 'response', code: 0x41, data: Uint8Array.from(data) });
      }),
    );
  });

  test('with one flipped bit behind its start code is never read as another answer', () => {
    const whole = Buffer.from('0000ff0ff1d54b01010044000704123456789abc2500', 'hex');
    for (let bit = 24; bit < whole.length * 8; bit += 1) {
      const flipped = Uint8Array.from(whole);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(decodePn532(flipped).ok).toBe(false);
    }
  });
});

describe('a list of targets', () => {
  test('may hold two cards, each with its answer to select', () => {
    const data = Uint8Array.of(
      2,
      1,
      0x03,
      0x44,
      0x20,
      4,
      1,
      2,
      3,
      4,
      3,
      0x78,
      0x80,
      2,
      0x00,
      0x04,
      0x08,
      4,
      5,
      6,
      7,
      8,
    );
    expect(decodeTargets(data)).toEqual([
      { number: 1, atqa: 0x0344, sak: 0x20, uid: Uint8Array.of(1, 2, 3, 4) },
      { number: 2, atqa: 0x0004, sak: 0x08, uid: Uint8Array.of(5, 6, 7, 8) },
    ]);
  });

  test('is refused when it is cut, too long, or has a UID of no such length', () => {
    const whole = Uint8Array.of(1, 1, 0x00, 0x44, 0x00, 7, 4, 1, 2, 3, 4, 5, 6);
    expect(decodeTargets(whole)?.length).toBe(1);
    for (let length = 0; length < whole.length; length += 1)
      expect(decodeTargets(whole.subarray(0, length))).toBeNull();
    expect(decodeTargets(Uint8Array.of(...whole, 0))).toBeNull();
    expect(decodeTargets(Uint8Array.of(1, 1, 0, 0x44, 0, 5, 1, 2, 3, 4, 5))).toBeNull();
    expect(decodeTargets(Uint8Array.of(3))).toBeNull();
  });
});
