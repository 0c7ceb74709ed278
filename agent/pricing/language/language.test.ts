import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalBytes } from '../bundle/canonical.ts';
import { loadBundle } from '../bundle/load.ts';
import { bundleArb, sampleBundle } from '../testing/samples.ts';
import { lowerCondition } from './cel.ts';
import { readDocument } from './document.ts';
import { JsonFault, placeIn, readJson } from './json.ts';
import type { Fault, Path } from '../fault.ts';
import type { Tree } from './tree.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function lowered(text: string): Tree | { readonly code: string; readonly offset: number | undefined } {
  const faults: Fault[] = [];
  const tree = lowerCondition(text, ['rules', 0, 'when'], faults);
  return tree ?? { code: faults[0]!.code, offset: faults[0]!.offset };
}

describe('a condition', () => {
  it('becomes a flat, typed tree', () => {
    expect(lowered(`stock >= 20 && 5 < rung && temperature_dc == -5`)).toEqual({
      op: 'and',
      args: [
        { op: '>=', fact: 'stock', value: 20 },
        { op: '>', fact: 'rung', value: 5 },
        { op: '==', fact: 'temperature_dc', value: -5 },
      ],
    });
    expect(lowered(`!(daypart in ["morning", 'evening']) || "mon" != weekday`)).toEqual({
      op: 'or',
      args: [
        { op: 'not', arg: { op: 'in', fact: 'daypart', value: ['morning', 'evening'] } },
        { op: '!=', fact: 'weekday', value: 'mon' },
      ],
    });
  });

  it.each([
    ['stok >= 1', 'fact-unknown', 0],
    ['stock >= 1 && constructor == 2', 'fact-unknown', 14],
    ['stock >= "5"', 'condition-type', 9],
    ['stock == true', 'condition-type', 9],
    ['stock == 1.5', 'condition-type', 9],
    ['stock == 5u', 'condition-type', 9],
    ['stock >= 9007199254740992', 'condition-type', 9],
    ['daypart == "noon"', 'condition-type', 11],
    ['daypart >= "evening"', 'condition-type', 0],
    ['daypart in ["evening", 4]', 'condition-type', 23],
    ['stock', 'condition-type', 0],
    ['stock + 1 > 2', 'condition-unsupported', 0],
    ['stock > rung', 'condition-unsupported', 8],
    ['true', 'condition-unsupported', 0],
    ['1 < 2', 'condition-unsupported', 0],
    ['[stock].exists(x, x > 1)', 'condition-unsupported', 0],
    ['weekday.matches("m.*")', 'condition-unsupported', 0],
    ['size(weekday) > 1', 'condition-unsupported', 0],
    ['stock.a == 1', 'condition-unsupported', 0],
    ['stock > 1 ? rung > 1 : rung > 2', 'condition-unsupported', 0],
    ['stock in [1, stock]', 'condition-unsupported', 13],
    ['stock in []', 'condition-too-large', 9],
    ['!!!!!!!!(stock > 1)', 'condition-too-large', 9],
    [Array.from({ length: 64 }, () => 'stock > 1').join(' || '), 'condition-too-large', 0],
    [`stock > 1${' '.repeat(8192)}`, 'condition-too-large', 0],
    ['stock >', 'condition-syntax', 7],
    ['stock > 1 &', 'condition-syntax', 10],
    ['', 'condition-syntax', 0],
  ])('is refused: %s', (text, code, offset) => {
    expect(lowered(text)).toEqual({ code, offset });
  });

  it('is lowered or refused, whatever the text, and never throws', () => {
    const words = fc.constantFrom(
      'stock',
      '>=',
      '5',
      '&&',
      '||',
      '!',
      '(',
      ')',
      '[',
      ']',
      ',',
      'in',
      '"mon"',
      'weekday',
      '.',
      '-',
      '?',
      ':',
      ' ',
      '\n',
      '"',
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(words, { maxLength: 30 }).map((parts) => parts.join(' ')),
    );
    fc.assert(
      fc.property(texts, (text) => void lowered(text)),
      { numRuns: 2_000 },
    );
    expect(lowered('('.repeat(4_000))).toMatchObject({ code: expect.stringMatching(/^condition-/) as unknown });
  });
});

describe('a fault in a source', () => {
  const head = JSON.stringify({ ...sampleBundle, rules: undefined }).slice(1, -1);
  const { when: _tree, ...rule } = sampleBundle.rules[0]!;
  const yaml = (condition: string): Uint8Array =>
    encode(
      `# a comment with an umlaut: ü\n${Object.entries({ ...sampleBundle, rules: undefined })
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
        .join('\n')}\nrules:\n  - when: ${condition}\n${Object.entries(rule)
        .map(([key, value]) => `    ${key}: ${JSON.stringify(value)}`)
        .join('\n')}\n`,
    );
  const placed = (bytes: Uint8Array): object => {
    const loaded = loadBundle(bytes, { sources: true });
    if (loaded.ok) return { ok: true };
    const [{ code, line, column }] = loaded.faults as readonly [(typeof loaded.faults)[number]];
    const text = new TextDecoder().decode(bytes).split('\n');
    return { code, at: text[(line ?? 0) - 1]?.slice((column ?? 0) - 1) };
  };

  it.each([
    ['plain', 'stock >= 1 && stok > 2', 'stok > 2'],
    ['plain over two lines', 'stock >= 1 &&\n      stok > 2', 'stok > 2'],
    ['single quotes', `'weekday == "mon" && stok > 2'`, `stok > 2'`],
    ['single quotes with quotes inside', `'weekday == ''mon'' && stok > 2'`, `stok > 2'`],
    ['double quotes', '"stock >= 1 &&\\tstok > 2"', 'stok > 2"'],
    ['double quotes with escapes', '"weekday == \\"mon\\" && \\u0073tok > 2"', '\\u0073tok > 2"'],
    ['a literal block', '|\n      stock >= 1 &&\n\n        stok > 2 ||\n      rung > 1', 'stok > 2 ||'],
    ['a literal block with an indicator', '|2-\n      stock >= 1 &&\n        stok > 2', 'stok > 2'],
    ['a folded block with a comment', '>- # why\n      stock >= 1 &&\n\n      stok > 2', 'stok > 2'],
  ])('in %s names its line and column', (_style, condition, at) => {
    expect(placed(yaml(condition))).toEqual({ code: 'fact-unknown', at });
  });

  it('in an exit names its line and column as well, and is told what it shares its nodes with', () => {
    const exit = (text: string): Uint8Array =>
      encode(new TextDecoder().decode(yaml('stock >= 1')).replace('    id:', `    exit: ${text}\n    id:`));
    expect(placed(exit('stock < 5 && footfal_in_60m < 2'))).toEqual({
      code: 'fact-unknown',
      at: 'footfal_in_60m < 2',
    });
    expect(placed(exit('\'daypart == "noon"\''))).toEqual({ code: 'condition-type', at: `"noon"'` });
    expect(placed(exit('stock < 5'))).toEqual({ ok: true });
    const many = (count: number): string => Array.from({ length: count }, () => 'stock < 5').join(' || ');
    expect(placed(exit(many(62)))).toEqual({ ok: true });
    expect(placed(exit(many(63)))).toEqual({ code: 'condition-too-large', at: many(63) });
    const loaded = loadBundle(exit(many(63)), { sources: true });
    expect(loaded).toMatchObject({
      faults: [
        { path: ['rules', 0, 'exit'], message: expect.stringContaining('64 nodes together with when') as unknown },
      ],
    });
  });

  it('in JSON names its line and column', () => {
    const text = `{\n${head},\n"rules": [\n  {"when": "weekday == \\"mon\\" && stok > 2", ${JSON.stringify(rule).slice(1)}\n]}`;
    expect(placed(encode(text))).toEqual({ code: 'fact-unknown', at: expect.stringMatching(/^stok > 2"/) as unknown });
    expect(placed(encode(text.replace('stok', 'stock')))).toEqual({ ok: true });
    expect(placed(encode(text.replace('stok', 'stock').replace('"owner"', '"ovner":1,"owner"')))).toEqual({
      code: 'unknown-key',
      at: expect.stringMatching(/^"ovner"/) as unknown,
    });
  });

  it('behind the end of an unfinished condition is told there', () => {
    expect(placed(yaml('stock >= # nothing'))).toEqual({ code: 'condition-syntax', at: ' # nothing' });
  });

  it('is told for aliases, merge keys, duplicate keys and numbers that are not whole', () => {
    const refused = (text: string): string => {
      const read = readDocument(encode(text));
      return read.ok ? 'ok' : `${read.fault.code} ${read.spot.line}:${read.spot.column}`;
    };
    expect(refused('a: &x 1\nb: *x\n')).toBe('bundle-syntax 2:4');
    expect(refused('a: 1\na: 2\n')).toBe('bundle-syntax 2:1');
    expect(refused('a: 1.5\n')).toBe('bundle-syntax 1:4');
    expect(refused('{"a": 1.5}')).toBe('bundle-syntax 1:7');
    expect(refused('{"a":1,"a":2}')).toBe('bundle-syntax 1:8');
    expect(refused('{"__proto__":1}')).toBe('bundle-syntax 1:2');
    expect(refused('__proto__: 1\n')).toBe('bundle-syntax 1:1');
    expect(refused('{"a": 1} x')).toBe('bundle-syntax 1:10');
    expect(refused(`a: ${'['.repeat(40)}`)).toBe('bundle-too-deep 1:1');
    expect(refused(`{"a": ${'['.repeat(100_000)}`)).toMatch(/^bundle-too-deep/);
    expect(refused(Array.from({ length: 2_000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'))).toMatch(
      /^bundle-/,
    );
    expect(refused(`- `.repeat(5_000))).toMatch(/^bundle-/);
  });
});

describe('the JSON reader', () => {
  it('reads what JSON.parse reads, or refuses it', () => {
    const whole = fc.jsonValue({ stringUnit: 'binary' }).map((value) => JSON.stringify(value));
    const broken = fc.tuple(whole, fc.nat(), fc.string({ maxLength: 2 })).map(([text, at, mark]) => {
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + mark + text.slice(cut + 1);
    });
    fc.assert(
      fc.property(fc.oneof(whole, broken), (text) => {
        let ours: unknown;
        try {
          ours = readJson(text);
        } catch (error) {
          expect(error).toBeInstanceOf(JsonFault);
          return;
        }
        expect(ours).toEqual(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives the place of every value, and of the nearest parent of one that is not there', () => {
    const pathsIn = (value: unknown, path: Path): Path[] =>
      typeof value === 'object' && value !== null
        ? [
            path,
            ...Object.entries(value).flatMap(([key, one]) =>
              pathsIn(one, [...path, Array.isArray(value) ? Number(key) : key]),
            ),
          ]
        : [path];
    const named = fc.stringMatching(/^[a-c]{1,2}$/);
    const { value: jsonArb } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.integer(),
        fc.string(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(named, tie('value'), { maxKeys: 3, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(jsonArb, (value) => {
        const text = JSON.stringify(value, null, 1);
        for (const path of pathsIn(value, [])) {
          const found = path.reduce<unknown>((here, key) => (here as Record<string, unknown>)[key], value);
          const { start, keyStart } = placeIn(text, path);
          const first = JSON.stringify(found).slice(0, typeof found === 'object' ? 1 : undefined);
          expect(text.slice(start, start + first.length)).toBe(first);
          if (typeof path.at(-1) === 'string')
            expect(text.startsWith(JSON.stringify(path.at(-1)), keyStart)).toBe(true);
          expect(placeIn(text, [...path, 'absent']).start).toBe(start);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a bundle’s canonical bytes', () => {
  it('load to the same bundle and the same bytes again', () => {
    fc.assert(
      fc.property(bundleArb, (bundle) => {
        const bytes = canonicalBytes(bundle);
        const loaded = loadBundle(bytes, { sources: false });
        expect(loaded).toMatchObject({ ok: true });
        if (loaded.ok) expect(Buffer.compare(loaded.bytes, bytes)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('order keys by code unit and hold whole numbers only', () => {
    const text = new TextDecoder().decode(
      canonicalBytes({ b: 1, a: [true, null, 'é"\n'], '10': {}, '9': -0, ﬀ: 1, '😀': 2 }),
    );
    expect(text).toBe('{"10":{},"9":0,"a":[true,null,"é\\"\\n"],"b":1,"😀":2,"ﬀ":1}');
    expect(() => canonicalBytes({ a: 1.5 })).toThrow(TypeError);
  });
});
