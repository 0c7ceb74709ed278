import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DecodeOptions, Measurement } from '../api/format.ts';
import type { DeviceEvent, SensorDecoding } from './decoding.ts';
import { formats } from './formats.ts';

interface Vector {
  readonly format: string;
  readonly hex: string;
  readonly means: readonly (readonly [string, Measurement['value']])[];
  readonly events?: readonly (readonly [string, string])[];
  readonly source: string;
  readonly address?: string;
  readonly key?: string;
  readonly uuid?: string;
  readonly from?: string;
  readonly rssi?: number;
}

const vectors = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8')) as readonly Vector[];
const unhex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const decode = (format: string, bytes: Uint8Array, options: DecodeOptions = {}): SensorDecoding =>
  formats[format]!(bytes, options) as SensorDecoding;
const optionsOf = (vector: Vector): DecodeOptions => ({
  ...(vector.address === undefined ? {} : { address: vector.address }),
  ...(vector.key === undefined ? {} : { key: unhex(vector.key) }),
  ...(vector.uuid === undefined ? {} : { uuid: vector.uuid }),
});

describe('published vectors', () => {
  it.each(vectors)('$format $hex ($source)', (vector) => {
    const decoded = decode(vector.format, unhex(vector.hex), optionsOf(vector));
    expect(decoded).toMatchObject({ ok: true });
    const values = decoded.measurements.map(({ name, value }) => [name, value] as const);
    for (const pair of vector.means) expect(values).toContainEqual(pair);
    const events = (decoded['events'] ?? []) as readonly DeviceEvent[];
    for (const [name, value] of vector.events ?? [])
      expect(events).toContainEqual(expect.objectContaining({ name, value }));
    if (vector.from !== undefined) expect(decoded).toMatchObject({ address: vector.from, rssi: vector.rssi });
  });

  it('cover every format', () => {
    expect(new Set(vectors.map((vector) => vector.format))).toEqual(new Set(Object.keys(formats)));
  });
});

describe('damaged bytes', () => {
  it.each(vectors)('$format $hex: no truncation throws or passes for whole', (vector) => {
    const whole = unhex(vector.hex);
    for (let length = 0; length < whole.length; length += 1) {
      const decoded = decode(vector.format, whole.slice(0, length), optionsOf(vector));
      // Format 5 cut to C5's length is told apart by its address alone; extreme values can imitate one.
      if (!decoded.ok || (vector.format === 'ruuvi' && length === 18)) continue;
      // What is still accepted holds no more than what the whole frame says.
      const full = decode(vector.format, whole, optionsOf(vector));
      expect(full.measurements.slice(0, decoded.measurements.length)).toEqual(decoded.measurements);
    }
  });

  it.each(vectors)('$format $hex: no single flipped bit throws', (vector) => {
    const whole = unhex(vector.hex);
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const flipped = Uint8Array.from(whole);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const decoded = decode(vector.format, flipped, optionsOf(vector));
      expect(typeof decoded.ok).toBe('boolean');
      if (vector.key !== undefined && decoded.ok) expect.unreachable(`bit ${bit} of an encrypted frame went unnoticed`);
    }
  });

  it.each(Object.keys(formats))('%s: random bytes never throw', (format) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const before = Uint8Array.from(bytes);
        const decoded = decode(format, bytes, { address: 'A4:C1:38:8D:18:B2' });
        expect(bytes).toEqual(before);
        for (const { value } of decoded.measurements)
          if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the objects before a cut and names the fault', () => {
    expect(decode('bthome', unhex('40015d02ca'))).toMatchObject({
      ok: false,
      error: { code: 'truncated' },
      measurements: [{ name: 'battery', value: 93 }],
    });
  });

  it('stops at an object of a later version without calling the frame damaged', () => {
    expect(decode('bthome', unhex('40015dfe5d0903b718'))).toMatchObject({
      ok: true,
      measurements: [{ name: 'battery', value: 93 }],
      fault: { code: 'unknown-object' },
    });
  });

  it('keeps whole advertising structures of an advert that ends inside one', () => {
    const adverts = decode('hci', unhex('043e1802010000a5808fe648540c0201060716d2fc4001610961cc'));
    expect(adverts).toMatchObject({ ok: false, error: { code: 'advert-damaged' } });
    expect(adverts.measurements).toEqual([{ name: 'battery', value: 97, unit: '%' }]);
  });

  it('refuses a fragment of an extended advert although its structures look whole', () => {
    const report = '200000a5808fe648540100007fcc000000000000000000';
    const data = '0201060616d2fc400161';
    const body = `0d01${report}${(data.length / 2).toString(16).padStart(2, '0')}${data}`;
    const frame = `043e${(body.length / 2).toString(16).padStart(2, '0')}${body}`;
    expect(decode('hci', unhex(frame))).toMatchObject({ ok: false, error: { code: 'advert-incomplete' } });
  });
});

describe('BTHome encryption', () => {
  const frame = unhex('41a47266c95f730011223378237214');
  const key = unhex('231d39c1d7cc1ab1aee224cd096db932');
  const address = '54:48:E6:8F:80:A5';

  it.each([
    ['a keyed frame without a key', frame, { address }, 'key-missing'],
    ['a keyed frame without an address', frame, { key }, 'address-missing'],
    ['a key of another length', frame, { address, key: key.slice(1) }, 'key-length'],
    ['another sensor’s key', frame, { address, key: key.toReversed() }, 'decrypt-failed'],
    ['another sensor’s address', frame, { address: '54:48:E6:8F:80:A6', key }, 'decrypt-failed'],
    ['a frame in clear from a keyed sensor', unhex('40015d'), { address, key }, 'not-encrypted'],
  ] as const)('refuses %s', (_, bytes, options, code) => {
    expect(decode('bthome', bytes, options)).toMatchObject({ ok: false, error: { code } });
  });

  it('hands out the counter, little-endian', () => {
    expect(decode('bthome', frame, { address, key })).toMatchObject({ ok: true, counter: 0x33221100 });
  });
});

describe('conflicting bytes', () => {
  it.each([
    ['xiaomi-scale', '339e43e507040b101301', 'conflicting-units'],
    ['xiaomi-scale', '0404b207010112101a0000a852', 'unknown-unit'],
    ['weight-scale', '00ffff', 'measurement-unsuccessful'],
    ['weight-scale', '00b43600', 'trailing-bytes'],
    ['eddystone-tlm', '20010be21a0000000a3e00019f3c', 'unsupported-version'],
    ['eddystone-tlm', '00fc00112233445566778899aabbccddeeff0000', 'unknown-frame'],
    ['bthome', '60015d', 'unsupported-version'],
    ['bthome', '40', 'no-objects'],
    ['bthome', '405302c328', 'bad-text'],
    ['hci', '01030c00', 'not-h4'],
    ['hci', '040e0401030c00', 'not-advertising'],
  ])('%s %s is %s', (format, hex, code) => {
    expect(decode(format, unhex(hex))).toMatchObject({ ok: false, error: { code } });
  });

  it('does not take a cut format 5 of Ruuvi for the shorter C5', () => {
    const whole = unhex('0512fc5394c37c0004fffc040cac364200cdcbb8334c884f');
    expect(decode('ruuvi', whole.slice(0, 18))).toMatchObject({ ok: false, error: { code: 'truncated' } });
  });

  it('takes the UUID’s word for the scale’s version', () => {
    const bytes = unhex('229e43e507040b101301');
    expect(decode('xiaomi-scale', bytes, { uuid: '181b' })).toMatchObject({ ok: false, error: { code: 'truncated' } });
    expect(decode('xiaomi-scale', bytes, { uuid: '181d' })).toMatchObject({ ok: true });
  });
});
