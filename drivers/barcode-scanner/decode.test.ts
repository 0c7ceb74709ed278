import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findIdentifier } from './application-identifiers.ts';
import { decodeDigitalLink } from './decode-digital-link.ts';
import { decodeElements, MAX_ELEMENTS } from './decode-elements.ts';
import { decodeScan } from './decode.ts';
import { MAX_SCAN_BYTES } from './protocol.ts';

interface Vector {
  readonly hex: string;
  readonly means: Record<string, unknown>;
  readonly source: string;
}
const vectors = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8')) as Vector[];
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const scanOf = (text: string): unknown => {
  const result = decodeScan(bytes(text));
  return result.ok ? result.scan : result.code;
};

describe('a scan', () => {
  test.each(vectors)('$hex means what $source says', ({ hex, means }) => {
    const result = decodeScan(Buffer.from(hex, 'hex'));
    expect(result.ok ? result.scan : { refused: result.code }).toEqual(means);
  });

  test('survives every truncation and every flipped bit', () => {
    for (const { hex } of vectors) {
      const whole = Buffer.from(hex, 'hex');
      for (let length = 0; length <= whole.length; length += 1) decodeScan(whole.subarray(0, length));
      for (let bit = 0; bit < whole.length * 8; bit += 1) {
        const flipped = Uint8Array.from(whole);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        expect(typeof decodeScan(flipped).ok).toBe('boolean');
      }
    }
  });

  test('survives random bytes, also behind every kind of identifier', () => {
    const heads = ['', ']C1', ']E0', ']E3', ']e0', ']Q1', ']Q1https://x.y/01/', ']I1'].map(bytes);
    fc.assert(
      fc.property(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 200 }), (head, tail) => {
        const result = decodeScan(Uint8Array.of(...head, ...tail));
        return result.ok ? Array.isArray(result.scan.elements) : typeof result.code === 'string';
      }),
      { numRuns: 2_000 },
    );
  });

  test('never passes an EAN whose digit was misread', () => {
    for (let at = 0; at < 13; at += 1)
      for (let digit = 0; digit < 10; digit += 1) {
        const wrong = '2112345678900'.split('');
        if (wrong[at] === String(digit)) continue;
        wrong[at] = String(digit);
        expect(scanOf(`]E0${wrong.join('')}`)).toBe('bad-check-digit');
      }
  });

  test('may fill the largest symbol, and not more', () => {
    expect(scanOf(`]Q1${'1'.repeat(7_089)}`)).toMatchObject({ symbology: 'QR' });
    expect(scanOf('1'.repeat(MAX_SCAN_BYTES + 1))).toBe('too-long');
  });

  test('keeps Latin-1 content that is no UTF-8', () => {
    const result = decodeScan(Uint8Array.of(0x5d, 0x43, 0x30, 0x47, 0x72, 0xfc, 0xdf));
    expect(result).toMatchObject({ ok: true, scan: { text: 'Grüß' } });
  });

  test('shows no more of a card number than first six and last four, wherever free text stands', () => {
    for (const text of [
      '4111111111111111',
      ']C05555555555554444',
      ']Q1https://pay.example/c/378282246310005?n=4012888888881881',
      ']Q1card 4111 1111 1111 1111',
      ']C1994111111111111111',
      ']Q1https://example.com/01/12312312312333?99=4111111111111111',
    ]) {
      const shown = JSON.stringify(scanOf(text));
      expect(shown).not.toMatch(/4111111111111111|5555555555554444|378282246310005|4012888888881881|4111 1111 1111/);
      expect(shown).toMatch(/\*{3}/);
    }
  });
});

describe('element strings', () => {
  const elements = (text: string): unknown => {
    const result = decodeElements(text);
    return result.ok ? result.elements.map(({ ai, value }) => `(${ai})${value}`).join('') : result.code;
  };

  test('end by their length or at FNC1, and a superfluous FNC1 does no harm', () => {
    expect(elements('0112312312312333\u001d10ABC\u001d')).toBe('(01)12312312312333(10)ABC');
    expect(elements('3103001250392812345')).toBe('(3103)001250(3928)12345');
    expect(elements('8005000123\u001d10A')).toBe('(8005)000123(10)A');
  });

  test('of a fixed length that is not predefined need their FNC1', () => {
    expect(elements('800500012310A')).toBe('bad-length');
  });

  test('may have optional tails', () => {
    expect(elements('70072611272')).toBe('bad-length');
    expect(elements('7007261127')).toBe('(7007)261127');
    expect(elements('7007261127261130')).toBe('(7007)261127261130');
    expect(elements('4330001250-')).toBe('(4330)001250-');
    expect(elements('800300123123123123ABC')).toBe('bad-check-digit');
  });

  test('are not judged by the calendar', () => {
    expect(elements('17991399')).toBe('(17)991399');
  });

  test(`stop at ${MAX_ELEMENTS}`, () => {
    expect(elements('20' + '10'.repeat(1) + '2010'.repeat(MAX_ELEMENTS - 1))).not.toBe('too-many-elements');
    expect(elements('2010'.repeat(MAX_ELEMENTS + 1))).toBe('too-many-elements');
  });

  test('no identifier is the beginning of another one', () => {
    for (let number = 0; number < 10_000; number += 1) {
      const ai = String(number).padStart(4, '0');
      const known = [2, 3, 4].filter((length) => findIdentifier(ai.slice(0, length)) !== undefined);
      expect(known.length).toBeLessThanOrEqual(1);
    }
  });

  test('put together from parts come apart into the same parts', () => {
    const part = fc.oneof(
      fc.stringMatching(/^\d{6}$/).map((value) => ['3103', value] as const),
      fc.stringMatching(/^[A-Z0-9]{1,20}$/).map((value) => ['10', value] as const),
      fc.stringMatching(/^[a-z0-9]{1,20}$/).map((value) => ['21', value] as const),
      fc.stringMatching(/^\d{2}$/).map((value) => ['20', value] as const),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 10 }), (parts) => {
        const text = parts.map(([ai, value]) => `${ai}${value}\u001d`).join('');
        expect(elements(text)).toBe(parts.map(([ai, value]) => `(${ai})${value}`).join(''));
      }),
    );
  });
});

describe('a Digital Link', () => {
  const link = (uri: string): unknown =>
    decodeDigitalLink(uri)
      ?.map(({ ai, value }) => `(${ai})${value}`)
      .join('') ?? null;

  test('has its qualifiers in their order', () => {
    expect(link('https://a.b/01/12312312312333/22/V/10/L/21/S')).toBe('(01)12312312312333(22)V(10)L(21)S');
    expect(link('https://a.b/01/12312312312333/21/S/10/L')).toBeNull();
    expect(link('https://a.b/01/12312312312333/235/T')).toBe('(01)12312312312333(235)T');
    expect(link('https://a.b/01/12312312312333/10/L/235/T')).toBeNull();
  });

  test('may have other keys, a stem, a slash at the end and a shorter GTIN', () => {
    expect(link('http://a.b/x/y/00/106141412345678908/')).toBe('(00)106141412345678908');
    expect(link('https://a.b/01/02345673')).toBe('(01)00000002345673');
    expect(link('https://a.b/414/4006381333931/254/X')).toBe('(414)4006381333931(254)X');
  });

  test('is nothing but an address when anything of it is wrong', () => {
    for (const uri of [
      'ftp://a.b/01/12312312312333',
      'https://a.b/',
      'https://a.b/01/123',
      'https://a.b/01/12312312312333/10',
      'https://a.b/01/12312312312333/10/%E0%A4%A',
      'https://a.b/01/12312312312333?17=abc',
      'https://a.b/05/1',
    ])
      expect(link(uri)).toBeNull();
  });
});
