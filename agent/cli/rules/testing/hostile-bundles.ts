import { sampleBundle, sampleInputs } from '../../../pricing/testing/samples.ts';

export type Parts = Readonly<Record<string, unknown>>;
export const plain = (value: unknown): Parts => JSON.parse(JSON.stringify(value)) as Parts;
export const sample: Parts = plain(sampleBundle);
export const rule: Parts = (sample['rules'] as readonly [Parts])[0];
const [item] = sample['catalog'] as readonly [Parts];
const caps = sample['caps'] as Parts;

const bundle = (parts: Parts): string => JSON.stringify({ ...sample, ...parts });
const withRule = (parts: Parts): string => bundle({ rules: [{ ...rule, ...parts }] });
const withItem = (parts: Parts): string => bundle({ catalog: [{ ...item, ...parts }], rules: [] });
const when = (tree: unknown): string => withRule({ when: tree });
const text = (from: string, to: string): string => JSON.stringify(sample).replace(from, to);
const stock = { op: '>=', fact: 'stock', value: 1 };
export const nested = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth);
function notNested(depth: number): unknown {
  let tree: unknown = stock;
  for (let level = 1; level < depth; level += 1) tree = { op: 'not', arg: tree };
  return tree;
}

const windows = { windowMin: 15, atLeast: 3, of: 4 };
const orOf = (count: number): unknown => ({ op: 'or', args: Array.from({ length: count }, () => stock) });
const stagedRules = (count: number): readonly Parts[] =>
  Array.from({ length: count + 3 }, (_, n) => ({
    ...rule,
    id: `r${n}`,
    ...(n < 3 ? {} : n % 2 === 0 ? { evidence: windows } : { exit: stock }),
  }));

/** What a file holds, and the exit status and code that it is answered with; `ok` for none. */
export type Case = readonly [name: string, content: string | Uint8Array, answer: string];

export const FORMS: readonly Case[] = [
  ['an empty file', '', '1 wrong-type'],
  ['white space', ' \n\t\n', '1 wrong-type'],
  ['null', 'null', '1 wrong-type'],
  ['a list', '[]', '1 wrong-type'],
  ['a text', '"rules"', '1 wrong-type'],
  ['a truncated file', JSON.stringify(sample).slice(0, 900), '1 bundle-syntax'],
  ['two documents', `${JSON.stringify(sample)}{}`, '1 bundle-syntax'],
  ['a byte order mark', `\uFEFF${JSON.stringify(sample)}`, 'ok'],
  ['UTF-16', Buffer.from(`\uFEFF${JSON.stringify(sample)}`, 'utf16le'), '1 bundle-syntax'],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), '1 bundle-syntax'],
  ['a zero byte', text('acme', 'ac\u0000me'), '1 bundle-syntax'],
  ['half a surrogate pair', text('m.lee', String.raw`m\ud800`), '1 bundle-syntax'],
  ['half a surrogate pair in YAML', String.raw`merchant: "a\ud800"`, '1 bundle-syntax'],
  ['a whole surrogate pair', text('"ops"', String.raw`"\ud83d\ude00"`), 'ok'],
  ['a key that stands twice', text('"version":7', '"version":7,"version":8'), '1 bundle-syntax'],
  [
    'a key that stands twice by an escape',
    text('"version":7', String.raw`"version":7,"versio\u006e":8`),
    '1 bundle-syntax',
  ],
  ['a key that stands twice in YAML', 'version: 1\nversion: 2\n', '1 bundle-syntax'],
  ['1e400', text('"version":7', '"version":1e400'), '1 bundle-syntax'],
  ['a fraction', text('"version":7', '"version":7.0'), '1 bundle-syntax'],
  ['2^53', text('"version":7', '"version":9007199254740992'), '1 bundle-syntax'],
  ['minus zero', text('"cooldownMin":60', '"cooldownMin":-0'), 'ok'],
  ['a leading zero', text('"version":7', '"version":07'), '1 bundle-syntax'],
  ['NaN', text('"version":7', '"version":NaN'), '1 bundle-syntax'],
  ['NaN in YAML', 'version: .nan', '1 bundle-syntax'],
  ['infinity in YAML', 'version: .inf', '1 bundle-syntax'],
  ['a number as a text', text('"version":7', '"version":"7"'), '1 wrong-type'],
  ['__proto__ as a key', text('"version":7', '"version":7,"__proto__":{"version":9}'), '1 bundle-syntax'],
  ['__proto__ as a key in YAML', '__proto__: { version: 9 }', '1 bundle-syntax'],
  ['constructor as a key', bundle({ constructor: { prototype: {} } }), '1 unknown-key'],
  ['lists without end', '['.repeat(1_000_000), '1 bundle-too-deep'],
  ['deep objects', nested(5_000, '{"a":', '}').replace('}', '1}'), '1 bundle-too-deep'],
  ['deep flow lists in YAML', `a: ${nested(100_000, '[', ']')}`, '1 bundle-too-deep'],
  ['deep block lists in YAML', `a:\n  ${'- '.repeat(2_000)}1\n`, '1 bundle-too-deep'],
  [
    'deep block maps in YAML',
    Array.from({ length: 800 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    '1 bundle-too-deep',
  ],
  ['a thousand laughs', `a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n`, '1 bundle-syntax'],
  ['a merge key', 'a: { x: 1 }\nb: { <<: { y: 1 } }', '1 bundle-syntax'],
  ['a tag that makes code', 'merchant: !!js/function "function(){}"', '1 bundle-syntax'],
  ['binary YAML', 'merchant: !!binary aGVsbG8=', '1 bundle-syntax'],
  ['several YAML documents', 'version: 1\n---\nversion: 2\n', '1 bundle-syntax'],
  ['4 MiB and more', ' '.repeat(4 * 1024 * 1024 + 1), '1 bundle-too-large'],
  ['an unclosed text of 4 MB', `"${'a'.repeat(4_000_000)}`, '1 bundle-syntax'],
  [
    'unknown keys by the hundred thousand',
    text('"kill":null', `"kill":null,${Array.from({ length: 200_000 }, (_, n) => `"k${n}":1`).join(',')}`),
    '1 unknown-key',
  ],
];

export const CONTENTS: readonly Case[] = [
  ['an item called __proto__', withItem({ sku: '__proto__' }), '1 wrong-type'],
  ['an item called constructor', withItem({ sku: 'constructor' }), 'ok'],
  [
    'an item called toString, with a cap',
    bundle({
      catalog: [{ ...item, sku: 'toString' }],
      rules: [],
      caps: { ...caps, sku: { toString: { maxDiscountBp: 1 } } },
    }),
    'ok',
  ],
  ['a rule called hasOwnProperty', withRule({ id: 'hasOwnProperty', group: 'valueOf' }), 'ok'],
  ['a rule called __proto__', withRule({ id: '__proto__' }), '1 wrong-type'],
  ['an item of 65 letters', withItem({ sku: 'a'.repeat(65) }), '1 wrong-type'],
  ['an item with a slash', withItem({ sku: 'a/b' }), '1 wrong-type'],
  ['an item with a line feed', withItem({ sku: 'a\n' }), '1 wrong-type'],
  ['the fact constructor', when({ ...stock, fact: 'constructor' }), '1 fact-unknown'],
  ['the fact __proto__', when({ ...stock, fact: '__proto__' }), '1 fact-unknown'],
  ['a fact that is a list', when({ ...stock, fact: ['stock'] }), '1 fact-unknown'],
  ['the operation toString', when({ ...stock, op: 'toString' }), '1 wrong-type'],
  ['the operation +', when({ ...stock, op: '+' }), '1 wrong-type'],
  ['a condition of true', when(true), '1 wrong-type'],
  ['a condition with no parts', when({ op: 'and', args: [] }), '1 wrong-type'],
  ['a condition with a key more', when({ ...stock, else: 1 }), '1 unknown-key'],
  ['a word for a number', when({ ...stock, value: '5' }), '1 condition-type'],
  ['a word that the fact never has', when({ op: '==', fact: 'weekday', value: 'constructor' }), '1 condition-type'],
  ['an order among words', when({ op: '>=', fact: 'weekday', value: 'mon' }), '1 condition-type'],
  [
    '65 values behind in',
    when({ op: 'in', fact: 'stock', value: Array.from({ length: 65 }, (_, n) => n) }),
    '1 wrong-type',
  ],
  ['nine levels', when(notNested(9)), '1 condition-too-large'],
  ['eight levels', when(notNested(8)), 'ok'],
  ['65 nodes', when({ op: 'or', args: Array.from({ length: 64 }, () => stock) }), '1 condition-too-large'],
  [
    'a hundred thousand nodes',
    when({ op: 'or', args: Array.from({ length: 50_000 }, () => stock) }),
    '1 condition-too-large',
  ],
  ['CEL with a macro', when('[1,2].all(x, x > 0)'), '1 condition-unsupported'],
  ['CEL with a pattern', when('weekday.matches("(a+)+$")'), '1 condition-unsupported'],
  ['CEL that reaches for a prototype', when('stock.constructor == 1'), '1 condition-unsupported'],
  ['CEL that computes', when('stock + 1 >= 5'), '1 condition-unsupported'],
  ['CEL with a fraction', when('stock >= 1.5'), '1 condition-type'],
  ['CEL beyond 2^53', when('stock >= 9007199254740993'), '1 condition-type'],
  ['CEL of ten thousand brackets', when(nested(10_000, '(', ')')), '1 condition-too-large'],
  ['CEL of a hundred thousand noes', when(`${'!'.repeat(100_000)}(stock > 1)`), '1 condition-too-large'],
  ['CEL of a megabyte', when(Array.from({ length: 80_000 }, () => 'stock > 1').join('||')), '1 condition-too-large'],
  ['CEL that ends early', when('stock >='), '1 condition-syntax'],
  ['CEL that is empty', when(''), '1 condition-syntax'],
  ['evidence that is a number', withRule({ evidence: 3 }), '1 wrong-type'],
  ['evidence with a key missing', withRule({ evidence: { ...windows, of: undefined } }), '1 missing-key'],
  ['evidence with a key more', withRule({ evidence: { ...windows, gap: 1 } }), '1 unknown-key'],
  ['evidence in no windows', withRule({ evidence: { ...windows, of: 0 } }), '1 out-of-range'],
  ['evidence in 13 windows', withRule({ evidence: { ...windows, of: 13 } }), '1 out-of-range'],
  ['evidence in windows of no length', withRule({ evidence: { ...windows, windowMin: 0 } }), '1 out-of-range'],
  ['evidence in windows of two days', withRule({ evidence: { ...windows, windowMin: 2880 } }), '1 out-of-range'],
  ['evidence of a text', withRule({ evidence: { ...windows, atLeast: '3' } }), '1 wrong-type'],
  ['evidence of nothing', withRule({ evidence: { ...windows, atLeast: 0 } }), '1 out-of-range'],
  ['more evidence than windows', withRule({ evidence: { ...windows, atLeast: 5 } }), '1 out-of-range'],
  ['evidence in all windows', withRule({ evidence: { ...windows, atLeast: 4 } }), 'ok'],
  ['an exit alone', withRule({ exit: { op: '<', fact: 'stock', value: 5 } }), 'ok'],
  ['an exit of null', withRule({ exit: null }), '1 wrong-type'],
  ['an exit that asks for a prototype', withRule({ exit: 'stock.constructor == 1' }), '1 condition-unsupported'],
  ['an exit of nine levels', withRule({ exit: notNested(9) }), '1 condition-too-large'],
  ['an exit of eight levels', withRule({ exit: notNested(8) }), 'ok'],
  ['an exit in CEL of nine noes', withRule({ exit: `${'!'.repeat(9)}(stock > 1)` }), '1 condition-too-large'],
  ['60 nodes of exit', withRule({ exit: orOf(59) }), 'ok'],
  ['61 nodes of exit beside four', withRule({ exit: orOf(60) }), '1 condition-too-large'],
  ['an exit beside a condition that is too large', withRule({ when: orOf(64), exit: stock }), '1 condition-too-large'],
  ['32 rules with evidence or exit', bundle({ rules: stagedRules(32) }), 'ok'],
  ['33 rules with evidence or exit', bundle({ rules: stagedRules(33) }), '1 out-of-range'],
  [
    '1,001 rules',
    bundle({ rules: Array.from({ length: 1_001 }, (_, n) => ({ ...rule, id: `r${n}` })) }),
    '1 out-of-range',
  ],
  ['a rule that stands twice', bundle({ rules: [rule, rule] }), '1 duplicate-id'],
  ['an item that stands twice', bundle({ catalog: [item, item] }), '1 duplicate-id'],
  ['a rung beyond the ladder', withRule({ then: { rung: 4 } }), '1 out-of-range'],
  ['a rule for an item that is not there', withRule({ select: { sku: 'toString' } }), '1 unknown-reference'],
  ['a rule for an item and all', withRule({ select: { sku: 'TEE-BLK-M', all: true } }), '1 wrong-type'],
  ['money beyond its limit', withItem({ listMinor: 900_000_000_001 }), '1 out-of-range'],
  ['money below nothing', withItem({ costMinor: -1 }), '1 out-of-range'],
  ['a margin of all', bundle({ caps: { ...caps, marginFloorBp: 10_000 } }), '1 out-of-range'],
  [
    'more than all off',
    bundle({ caps: { ...caps, kit: { maxDiscountBp: 10_001, dayBudgetMinor: 1 } } }),
    '1 out-of-range',
  ],
  ['a ladder that falls', bundle({ ladder: [0, 2000, 1000, 500] }), '1 ladder-order'],
  ['a ladder without a foot', bundle({ ladder: [1000, 2000, 2100, 2200] }), '1 ladder-order'],
  ['no ladder', bundle({ ladder: [], rules: [] }), '1 out-of-range'],
  ['an ending of 100', bundle({ rounding: { mode: 'charm', endings: [100] } }), '1 out-of-range'],
  ['no endings', bundle({ rounding: { mode: 'charm', endings: [] } }), '1 out-of-range'],
  [
    'weights of 9,999',
    bundle({
      experiments: [{ id: 'a', salt: 's', unit: 'kit-category-day', cells: [{ name: 'a', weightBp: 9_999 }] }],
    }),
    '1 weights-sum',
  ],
  [
    'a shopper as unit',
    bundle({ experiments: [{ id: 'a', salt: 's', unit: 'shopper', cells: [{ name: 'a', weightBp: 10_000 }] }] }),
    '1 wrong-type',
  ],
  ['a time that is none', bundle({ expires: '2026-02-30T00:00:00Z' }), '1 wrong-type'],
  ['a time elsewhere', bundle({ expires: '2026-12-20T00:00:00+01:00' }), '1 wrong-type'],
  ['another kill switch', bundle({ kill: 'off' }), '1 wrong-type'],
  ['another format', bundle({ format: 'barrow.rules/2' }), '1 wrong-type'],
  ['an engine to come', bundle({ minEngine: 2 }), '1 engine-too-old'],
  [
    'an example that does not hold',
    bundle({ tests: [{ name: 't', inputs: sampleInputs, expect: [{ sku: 'TEE-BLK-M', priceMinor: 1 }] }] }),
    '1 self-test-failed',
  ],
  [
    'an example with inputs that are none',
    bundle({ tests: [{ name: 't', inputs: { now: 5 }, expect: [{ sku: 'TEE-BLK-M', priceMinor: 1 }] }] }),
    '1 wrong-type',
  ],
];
