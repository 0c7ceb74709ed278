import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readApdu, writeApdu } from './apdu.ts';
import { decodeApdu } from './decode.ts';
import { zvtApdu, zvtFrame } from './formats.ts';
import { createFrameReader, encodeFrame } from './frame.ts';
import vectors from './vectors.json' with { type: 'json' };

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const formats = { 'zvt-frame': zvtFrame, 'zvt-apdu': zvtApdu } as const;
const decode = (format: string, input: Uint8Array) => formats[format as keyof typeof formats](input, {});

describe('published and derived bytes', () => {
  test.each(vectors.map((row) => [row.means, row] as const))('%s', (_means, row) => {
    const decoded = decode(row.format, bytes(row.hex));
    if (!row.expect.ok) {
      expect(decoded).toMatchObject({ ok: false, error: { code: (row.expect as { code: string }).code } });
      return;
    }
    expect(decoded).toMatchObject(row.expect);
  });

  test('name their origin', () => {
    for (const row of vectors) {
      expect(['spec', 'capture', 'other-implementation']).toContain(row.origin);
      expect(row.source).not.toBe('');
    }
  });
});

describe('a decoder that meets anything', () => {
  test('reads no truncation and no single flipped bit of a frame as a whole one', () => {
    for (const row of vectors.filter(({ format, expect: wanted }) => format === 'zvt-frame' && wanted.ok)) {
      const whole = bytes(row.hex);
      const start = whole.indexOf(0x10);
      for (let length = 0; length < whole.length; length += 1) {
        const cut = decode('zvt-frame', whole.subarray(0, length));
        if (row.means !== 'two frames') expect(cut.ok).toBe(false);
      }
      for (let bit = start * 8; bit < whole.length * 8; bit += 1) {
        const flipped = Uint8Array.from(whole);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        if (row.means !== 'two frames') expect(decode('zvt-frame', flipped).ok).toBe(false);
      }
    }
  });

  test('answers every truncation and flipped bit of an APDU without throwing', () => {
    for (const row of vectors.filter(({ format }) => format === 'zvt-apdu')) {
      const whole = bytes(row.hex);
      for (let length = 0; length < whole.length; length += 1) decode('zvt-apdu', whole.subarray(0, length));
      for (let bit = 0; bit < whole.length * 8; bit += 1) {
        const flipped = Uint8Array.from(whole);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        decode('zvt-apdu', flipped);
      }
    }
  });

  test('answers random bytes without throwing, whole APDUs of random data included', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 0xffff }), (data, control) => {
        decode('zvt-frame', data);
        decode('zvt-apdu', data);
        decode('zvt-apdu', writeApdu(control, data));
        decode('zvt-apdu', writeApdu(0x040f, Uint8Array.of(0x06, Math.min(0x7f, data.length)), data));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('an APDU', () => {
  test('of any length is written and read back', () => {
    for (const length of [0, 1, 254, 255, 256, 65_535]) {
      const data = new Uint8Array(length).fill(7);
      expect(readApdu(writeApdu(0x06d3, data))).toEqual({ control: 0x06d3, data });
    }
    expect(() => writeApdu(0x06d3, new Uint8Array(65_536))).toThrow(RangeError);
  });
});

describe('the line', () => {
  const blocks = vectors.filter(({ format, expect: wanted }) => format === 'zvt-frame' && wanted.ok);

  test('gives the same blocks in whatever pieces they come', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 200 }), (sizes) => {
        const stream = Buffer.concat(blocks.map((row) => bytes(row.hex)));
        const whole = createFrameReader().push(stream);
        const reader = createFrameReader();
        const pieces = [];
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const size = sizes[turn % sizes.length]!;
          pieces.push(...reader.push(stream.subarray(at, at + size)));
          at += size;
        }
        expect(pieces).toEqual(whole);
      }),
    );
  });

  test('carries any APDU, also one whose checksum looks like its end', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }).chain((data) =>
          fc.constantFrom(
            data,
            data.map((b) => (b & 1 ? 0x10 : 0x03)),
          ),
        ),
        (data) => {
          const apdu = writeApdu(0x040f, data);
          expect(createFrameReader().push(encodeFrame(apdu))).toEqual([{ kind: 'block', apdu }]);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('finds back after noise, a cut block and a block that begins inside another', () => {
    const good = encodeFrame(writeApdu(0x8000));
    const reader = createFrameReader();
    expect(reader.push(Uint8Array.of(0x00, 0xff, ...good.subarray(0, 4), ...good))).toMatchObject([{ kind: 'block' }]);
    expect(reader.noiseBytes).toBe(2);
    reader.push(good.subarray(0, 4));
    expect(reader.midBlock).toBe(true);
    expect(reader.gap()).toBe(true);
    // The rest of the cut block holds what would be an ACK; it is none.
    expect(reader.push(Uint8Array.of(0x06, 0x15))).toEqual([]);
    expect(reader.gap()).toBe(false);
    expect(reader.push(Uint8Array.of(0x06, ...good))).toMatchObject([{ kind: 'ack' }, { kind: 'block' }]);
  });

  test('holds no more than one APDU', () => {
    const reader = createFrameReader();
    const endless = new Uint8Array(70_000).fill(0x41);
    const tokens = [...reader.push(Uint8Array.of(0x10, 0x02)), ...reader.push(endless)];
    expect(tokens).toEqual([{ kind: 'bad', why: 'too-long' }]);
    expect(reader.push(encodeFrame(writeApdu(0x8000)))).toMatchObject([{ kind: 'block' }]);
  });
});

describe('card data', () => {
  const pan = '4111111111111111';
  const field = (hex: string) => bytes(hex);
  const status = (...fields: readonly Uint8Array[]) => JSON.stringify(decodeApdu(writeApdu(0x040f, ...fields)));

  test('of tracks, verification codes, PIN and chip never leaves the decoder', () => {
    const told = status(
      field(`22f1f1${pan}d2912f`),
      field(`23f1f5${pan}d2912201000000`),
      field(`24f0f1f0${pan}0000`),
      field(`2df1f7${Buffer.from(`B${pan}`).toString('hex')}`),
      field('3a1234'),
      field(`d1f0f8${pan}`),
      field(`2ef0f0f8${pan}`),
      field(`a7f0f8${pan}`),
      field(`aff0f0f8${pan}`),
      field(`9af0f0f8${pan}`),
      field(`060a5a08${pan}`),
    );
    expect(told).not.toContain(pan);
    expect(told).not.toContain(pan.slice(0, 10));
    expect(told).not.toContain('1234"');
  });

  test('in free text keeps first 6 and last 4, in bitmaps, lines and blocks of text', () => {
    const text = Buffer.from(`Karte ${pan} OK`);
    const wanted = 'Karte 411111******1111 OK';
    expect(decodeApdu(writeApdu(0x040f, field('3cf0f2f5'), text))?.fields.text).toBe(wanted);
    expect(decodeApdu(writeApdu(0x06d1, Uint8Array.of(0), text))?.fields.text).toBe(wanted);
    const line = Uint8Array.of(0x07, text.length, ...text);
    const block = writeApdu(0x06d3, Uint8Array.of(0x06, line.length + 2, 0x25, line.length, ...line));
    expect(decodeApdu(block)?.fields.text).toBe(wanted);
  });

  test('that the terminal masked stays masked, whatever it left open', () => {
    const masked = (hex: string): string | undefined =>
      decodeApdu(writeApdu(0x040f, bytes(`22f0f${hex.length / 2}${hex}`)))?.fields.maskedPan;
    expect(masked('559883eeeeee8074')).toBe('559883******8074');
    expect(masked('4111111111ee1111')).toBe('411111******1111');
    expect(masked('eeeeeeeeeeee4771')).toBe('************4771');
    expect(masked('378282246310005f')).toBe('378282*****0005');
  });
});
