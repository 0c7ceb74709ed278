import { sampleInputs } from '../../../pricing/testing/samples.ts';
import { type Case, type Parts, plain } from './hostile-bundles.ts';

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

export const INPUTS: readonly Case[] = [
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
