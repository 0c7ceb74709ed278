import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleBundle, sampleInputs } from '../../pricing/testing/samples.ts';
import { type Answer, runHere } from '../rules/testing/run-here.ts';
import { CONTENTS, FORMS } from '../rules/testing/hostile-bundles.ts';
import { merchant, SIGNATURES } from '../rules/testing/hostile-signatures.ts';
import { INPUTS } from '../rules/testing/hostile-inputs.ts';

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

describe('barrow rules decide', () => {
  it.each(INPUTS)('answers inputs with %s', async (_name, content, answer) => {
    writeFileSync(at('case'), content);
    const decide = await runHere('rules', 'decide', '--bundle', at('good.json'), '--inputs', at('case'), '--json');
    expect(codeOf(decide)).toBe(answer);
  });
});
