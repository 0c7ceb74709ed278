import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalBytes } from '../../pricing/bundle/canonical.ts';
import { signPayload, type Envelope } from '../../pricing/bundle/sign.ts';
import { sampleBundle, sampleInputs } from '../../pricing/testing/samples.ts';
import { runHere, type Answer } from '../rules/testing/run-here.ts';

const merchant = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let folder = '';
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'barrow-hostile-'));
  writeFileSync(at('merchant.key'), merchant.privateKey.export({ format: 'pem', type: 'pkcs8' }));
  writeFileSync(at('merchant.pub'), merchant.publicKey.export({ format: 'pem', type: 'spki' }));
  writeFileSync(at('curve.pub'), curve.publicKey.export({ format: 'pem', type: 'spki' }));
  writeFileSync(at('curve.key'), curve.privateKey.export({ format: 'pem', type: 'pkcs8' }));
  writeFileSync(at('good.json'), JSON.stringify(sampleBundle));
  writeFileSync(at('inputs.json'), JSON.stringify(sampleInputs));
  mkdirSync(at('folder'));
  execFileSync('mkfifo', [at('pipe')]);
  writeFileSync(at('huge'), '');
  truncateSync(at('huge'), 200_000_000);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The code of an answer, held to the form that every refusal has: one error with its hint, no stack, no bug. */
function codeOf({ status, out, err }: Answer): string {
  expect(out + err).not.toMatch(/\n\s+at |node:internal|\bbug\b/);
  if (status === 0) return 'ok';
  expect(err).toBe('');
  const { error } = JSON.parse(out) as { error: { code: string; message: string; hint: string } };
  expect(error.message.length).toBeLessThan(1_000);
  expect([error.message, error.hint]).not.toContain('');
  expect(out.length).toBeLessThan(100_000);
  return `${status} ${error.code}`;
}

type Parts = Readonly<Record<string, unknown>>;
const plain = (value: unknown): Parts => JSON.parse(JSON.stringify(value)) as Parts;
const sample = plain(sampleBundle);
const rule = (sample['rules'] as Parts[])[0]!;
const item = (sample['catalog'] as Parts[])[0]!;
const caps = sample['caps'] as Parts;

const bundle = (parts: Parts): string => JSON.stringify({ ...sample, ...parts });
const withRule = (parts: Parts): string => bundle({ rules: [{ ...rule, ...parts }] });
const withItem = (parts: Parts): string => bundle({ catalog: [{ ...item, ...parts }], rules: [] });
const when = (tree: unknown): string => withRule({ when: tree });
const text = (from: string, to: string): string => JSON.stringify(sample).replace(from, to);
const stock = { op: '>=', fact: 'stock', value: 1 };
const nested = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth);
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

type Case = readonly [name: string, content: string | Uint8Array, answer: string];

const FORMS: readonly Case[] = [
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

const CONTENTS: readonly Case[] = [
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

const envelope = (change: (signed: Envelope) => unknown, content: unknown = sample): string =>
  JSON.stringify(change(signPayload(canonicalBytes(content), merchant.privateKey)));
const signedText = (payload: string): string =>
  JSON.stringify(signPayload(new TextEncoder().encode(payload), merchant.privateKey));
const flipped = (base64: string): string => {
  const bytes = Buffer.from(base64, 'base64');
  bytes.writeUInt8(bytes.readUInt8(5) ^ 1, 5);
  return bytes.toString('base64');
};

const SIGNATURES: readonly Case[] = [
  ['the merchant’s own', envelope((signed) => signed), 'ok'],
  [
    'a payload with one bit flipped',
    envelope((signed) => ({ ...signed, payload: flipped(signed.payload) })),
    '1 signature-invalid',
  ],
  [
    'a signature with one bit flipped',
    envelope(({ payload, signatures: [first] }) => ({ payload, signatures: [{ ...first, sig: flipped(first!.sig) }] })),
    '1 signature-invalid',
  ],
  [
    'a stranger’s under the merchant’s name',
    envelope(({ payload, signatures: [first] }) => ({
      payload,
      signatures: [
        { keyid: first!.keyid, sig: signPayload(canonicalBytes(sample), stranger.privateKey).signatures[0]!.sig },
      ],
    })),
    '1 signature-invalid',
  ],
  [
    'one for another bundle',
    envelope(({ payload }) => ({
      payload,
      signatures: signPayload(canonicalBytes({ ...sample, version: 6 }), merchant.privateKey).signatures,
    })),
    '1 signature-invalid',
  ],
  [
    'an empty signature',
    envelope(({ payload, signatures: [first] }) => ({ payload, signatures: [{ ...first, sig: '' }] })),
    '1 signature-invalid',
  ],
  ['none at all', envelope(({ payload }) => ({ payload, signatures: [] })), '1 signature-missing'],
  ['no list of them', envelope(({ payload }) => ({ payload })), '1 bundle-format'],
  ['a list of nothing', envelope(({ payload }) => ({ payload, signatures: [null] })), '1 bundle-format'],
  [
    'seventeen',
    envelope(({ payload, signatures: [first] }) => ({ payload, signatures: Array.from({ length: 17 }, () => first) })),
    '1 bundle-format',
  ],
  [
    'a signature of a megabyte',
    envelope(({ payload, signatures: [first] }) => ({
      payload,
      signatures: [{ ...first, sig: 'A'.repeat(1_000_000) }],
    })),
    '1 bundle-format',
  ],
  ['a key more', envelope((signed) => ({ ...signed, alg: 'none' })), '1 bundle-format'],
  ['a payload that is no base64', envelope((signed) => ({ ...signed, payload: '{"format":1}' })), '1 bundle-format'],
  ['a payload that is no text', envelope((signed) => ({ ...signed, payload: sample })), '1 bundle-format'],
  ['no signature', JSON.stringify(sample), '1 signature-missing'],
  ['a payload with white space', signedText(JSON.stringify(sample, null, 1)), '1 not-canonical'],
  ['a payload with its keys in disorder', signedText(JSON.stringify(sample)), '1 not-canonical'],
  [
    'a payload with a byte order mark',
    signedText(`\uFEFF${new TextDecoder().decode(canonicalBytes(sample))}`),
    '1 bundle-syntax',
  ],
  ['a payload with a key twice', signedText('{"a":1,"a":2}'), '1 bundle-syntax'],
  ['a payload that is deep', signedText(nested(100_000, '[', ']')), '1 bundle-too-deep'],
  ['a payload that is no JSON', signedText('version: 7'), '1 bundle-syntax'],
  [
    'a payload with a condition as text',
    signedText(new TextDecoder().decode(canonicalBytes(plain({ ...sample, rules: [{ ...rule, when: 'stock > 1' }] })))),
    '1 wrong-type',
  ],
  [
    'a signed bundle in a signed bundle',
    envelope((signed) => signed, plain(signPayload(canonicalBytes(sample), merchant.privateKey))),
    '1 missing-key',
  ],
];

describe('barrow rules check', () => {
  it.each(FORMS)('answers %s', async (_name, content, answer) => {
    writeFileSync(at('case'), content);
    expect(codeOf(await runHere('rules', 'check', at('case'), '--json'))).toBe(answer);
  });

  it.each(CONTENTS)('answers %s', async (name, content, answer) => {
    writeFileSync(at('case'), content);
    const check = codeOf(await runHere('rules', 'check', at('case'), '--json'));
    expect(check).toBe(answer);
    // What is checked is what is signed and decided.
    const sign = await runHere('rules', 'sign', at('case'), '--key', at('merchant.key'), '--json');
    expect(codeOf(sign)).toBe(answer);
    const decide = await runHere('rules', 'decide', '--bundle', at('case'), '--inputs', at('inputs.json'), '--json');
    if (!name.startsWith('an example')) expect(codeOf(decide)).toBe(answer);
  });

  it.each(SIGNATURES)('trusts no more than one key, and not %s', async (_name, content, answer) => {
    writeFileSync(at('case'), content);
    expect(codeOf(await runHere('rules', 'check', at('case'), '--trust', at('merchant.pub'), '--json'))).toBe(answer);
  });

  it.each([
    ['the same version', '7', '1 version-not-newer'],
    ['an older one', '6', 'ok'],
    ['a version that is none', '7.5', '2 usage'],
    ['a version below nothing', '-1', '2 usage'],
    ['a version beyond 2^53', '9007199254740992', '2 usage'],
  ])('compares with %s', async (_name, version, answer) => {
    const check = await runHere('rules', 'check', at('good.json'), `--newer-than=${version}`, '--json');
    expect(codeOf(check)).toBe(answer);
  });
});

describe('barrow rules, of whatever is no file of theirs', () => {
  const places: readonly (readonly [string, string])[] = [
    ['absent', '2 file-unreadable'],
    ['folder', '2 file-unreadable'],
    ['pipe', '2 file-unreadable'],
    ['huge', '1 bundle-too-large'],
    ['good.json/deeper', '2 file-unreadable'],
    ['x'.repeat(300), '2 file-unreadable'],
  ];

  it.each(places)('answers %s in each place', async (name, answer) => {
    const path = at(name);
    for (const argv of [
      ['check', path],
      ['compile', path],
      ['sign', path, '--key', at('merchant.key')],
      ['sign', at('good.json'), '--key', path],
      ['check', at('good.json'), '--trust', path],
      ['decide', '--bundle', path, '--inputs', at('inputs.json')],
      ['decide', '--bundle', at('good.json'), '--inputs', path],
      ['replay', '--state', at('folder'), '--bundle', path],
    ])
      expect(codeOf(await runHere('rules', ...argv, '--json')), argv.join(' ')).toBe(answer);
  });

  it('takes a device for none', async () => {
    expect(codeOf(await runHere('rules', 'check', '/dev/zero', '--json'))).toBe('2 file-unreadable');
  });

  it.each([
    ['another curve’s', 'curve.pub', 'curve.key'],
    ['a private one for a public one', 'merchant.key', 'merchant.pub'],
    ['no key', 'good.json', 'good.json'],
  ])('refuses a key that is %s', async (_name, trust, key) => {
    const check = await runHere('rules', 'check', at('good.json'), '--trust', at(trust), '--json');
    expect(codeOf(check)).toBe('2 key-unreadable');
    const sign = await runHere('rules', 'sign', at('good.json'), '--key', at(key), '--json');
    expect(codeOf(sign)).toBe('2 key-unreadable');
  });

  it('does not write where it cannot', async () => {
    const sign = ['rules', 'sign', at('good.json'), '--key', at('merchant.key'), '--json', '--out'];
    expect(codeOf(await runHere(...sign, at('folder')))).toBe('2 file-unreadable');
    expect(codeOf(await runHere(...sign, at('nowhere/out.json')))).toBe('2 file-unreadable');
  });
});

const inputs = (parts: Parts): string => JSON.stringify({ ...plain(sampleInputs), ...parts });
const reading = { value: 1, ageS: 0, quality: 'ok' };
const fact = (parts: Parts, name = 'stock'): string =>
  inputs({ facts: { 'TEE-BLK-M': { [name]: { ...reading, ...parts } } } });
const standing = { rung: 0, priceMinor: 2500, changedAt: null, changesToday: 0 };
const state = (parts: Parts): string => inputs({ state: { 'TEE-BLK-M': { ...standing, ...parts } } });

const entry = { rev: 1, on: false, window: 1_995_304, held: [true, false] };
const gathered = (parts: Parts, id = 'slow-tees'): string =>
  state({ evidence: Object.fromEntries([[id, { ...entry, ...parts }]]) });
const manyGathered = (count: number): Parts =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`r${n}`, entry]));

const INPUTS: readonly Case[] = [
  ['an empty file', '', '1 wrong-type'],
  ['a list', '[]', '1 wrong-type'],
  ['a truncated file', inputs({}).slice(0, 50), '1 inputs-invalid'],
  ['UTF-16', Buffer.from(inputs({}), 'utf16le'), '1 inputs-invalid'],
  ['a deep file', '['.repeat(100_000), '1 inputs-invalid'],
  ['a key that stands twice', inputs({}).replace('{', '{"now":"x",'), '1 inputs-invalid'],
  ['a key more', inputs({ later: 1 }), '1 unknown-key'],
  ['no kit', inputs({ kit: undefined }), '1 missing-key'],
  ['a time that is none', inputs({ now: 'tomorrow' }), '1 wrong-type'],
  ['a time elsewhere', inputs({ now: '2026-11-27T10:00:00+01:00' }), '1 wrong-type'],
  ['a time as a number', inputs({ now: 1 }), '1 wrong-type'],
  ['a time in the year 9999', inputs({ now: '9999-12-31T23:59:59.999Z' }), 'ok'],
  ['a time in the year 0', inputs({ now: '0000-01-01T00:00:00Z' }), 'ok'],
  ['a zone that is none', inputs({ kit: { id: 'k', timezone: '../../etc/passwd' } }), '1 wrong-type'],
  ['a kit without a name', inputs({ kit: { id: '', timezone: 'UTC' } }), '1 out-of-range'],
  ['another trust', inputs({ clocktrust: 'yes' }), '1 wrong-type'],
  [
    'a budget of a fraction',
    inputs({}).replace('"dayBudgetUsedMinor":0', '"dayBudgetUsedMinor":0.5'),
    '1 inputs-invalid',
  ],
  [
    'a budget beyond 2^53',
    inputs({}).replace('"dayBudgetUsedMinor":0', '"dayBudgetUsedMinor":9007199254740992'),
    '1 inputs-invalid',
  ],
  ['an item called __proto__', inputs({}).replace('"state":{', '"state":{"__proto__":{"rung":1},'), '1 inputs-invalid'],
  [
    'an item called constructor',
    inputs({ state: { constructor: standing }, facts: { toString: { stock: reading } } }),
    'ok',
  ],
  ['a fact called constructor', fact({}, 'constructor'), '1 unknown-key'],
  ['a fact about a person', fact({}, 'loyalty_tier'), '1 unknown-key'],
  ['a truth for a number', fact({ value: true }), '1 wrong-type'],
  ['a text for a number', fact({ value: '5' }), '1 wrong-type'],
  ['a number for a word', fact({ value: 5 }, 'weekday'), '1 wrong-type'],
  ['a word that the fact never has', fact({ value: 'someday' }, 'weekday'), '1 wrong-type'],
  ['a fact that is null', fact({ value: null }), 'ok'],
  ['an age below nothing', fact({ ageS: -1 }), '1 out-of-range'],
  ['another quality', fact({ quality: 'good' }), '1 wrong-type'],
  ['a fact without its age', fact({ ageS: undefined }), '1 missing-key'],
  ['a rung beyond all ladders', state({ rung: 64 }), '1 out-of-range'],
  ['a rung beyond this ladder', state({ rung: 63 }), 'ok'],
  ['a price below nothing', state({ priceMinor: -1 }), '1 out-of-range'],
  ['a price beyond its limit', state({ priceMinor: 900_000_000_001 }), '1 out-of-range'],
  ['a change at no time', state({ changedAt: 'noon' }), '1 wrong-type'],
  ['a change to come', state({ changedAt: '2027-01-01T00:00:00Z' }), 'ok'],
  ['changes below nothing', state({ changesToday: -1 }), '1 out-of-range'],
  ['evidence of no rule', state({ evidence: {} }), 'ok'],
  ['evidence of a rule called constructor', gathered({}, 'constructor'), 'ok'],
  ['evidence of a rule called __proto__', gathered({}, '__proto__'), '1 inputs-invalid'],
  ['evidence of a rule with no name', gathered({}, ''), '1 out-of-range'],
  ['evidence that is a list', state({ evidence: [] }), '1 wrong-type'],
  ['evidence that is null', state({ evidence: null }), '1 wrong-type'],
  ['evidence of half a revision', gathered({ rev: '1' }), '1 wrong-type'],
  ['evidence that is neither on nor off', gathered({ on: 1 }), '1 wrong-type'],
  ['evidence with a key more', gathered({ since: 1 }), '1 unknown-key'],
  ['evidence with a key missing', gathered({ window: undefined }), '1 missing-key'],
  ['evidence in 13 windows', gathered({ held: Array.from({ length: 13 }, () => true) }), 'ok'],
  ['evidence in 14 windows', gathered({ held: Array.from({ length: 14 }, () => true) }), '1 out-of-range'],
  ['evidence in windows that half held', gathered({ held: [0.5] }), '1 inputs-invalid'],
  ['evidence in windows of a number', gathered({ held: [1] }), '1 wrong-type'],
  ['evidence in a window to come', gathered({ window: Number.MAX_SAFE_INTEGER }), 'ok'],
  ['evidence of 32 rules', state({ evidence: manyGathered(32) }), 'ok'],
  ['evidence of 33 rules', state({ evidence: manyGathered(33) }), '1 wrong-type'],
  ['more than 32 MiB', ' '.repeat(32 * 1024 * 1024 + 1), '1 bundle-too-large'],
];

describe('barrow rules decide', () => {
  it.each(INPUTS)('answers inputs with %s', async (_name, content, answer) => {
    writeFileSync(at('case'), content);
    const decide = await runHere('rules', 'decide', '--bundle', at('good.json'), '--inputs', at('case'), '--json');
    expect(codeOf(decide)).toBe(answer);
  });
});
