import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleBundle, sampleInputs } from '../../pricing/testing/samples.ts';

const MAIN = new URL('../main.ts', import.meta.url).pathname;
const NODE = ['--import', 'tsx', MAIN];
let folder = '';
const at = (name: string): string => join(folder, name);

function barrow(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...NODE, ...args], { maxBuffer: 64 * 1024 * 1024 }, (error, out, err) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'barrow-rules-'));
  for (const name of ['merchant', 'stranger']) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    writeFileSync(at(`${name}.key`), privateKey.export({ format: 'pem', type: 'pkcs8' }));
    writeFileSync(at(`${name}.pub`), publicKey.export({ format: 'pem', type: 'spki' }));
  }
  const rules = sampleBundle.rules.map((rule) => ({
    ...rule,
    when: 'stock >= 20 && footfall_in_60m >= 30 && minutes_left <= 1440',
  }));
  const source = { ...sampleBundle, rules, notBefore: '2020-01-01T00:00:00Z', expires: '2099-01-01T00:00:00Z' };
  writeFileSync(at('rules.json'), JSON.stringify(source, null, 2));
  writeFileSync(at('inputs.json'), JSON.stringify(sampleInputs));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('barrow rules', () => {
  it('compiles, signs, checks and decides; source and signed decide the same bytes', async () => {
    expect(await barrow('rules', 'compile', at('rules.json'), '--out', at('compiled.json'))).toMatchObject({
      status: 0,
    });
    const signed = await barrow('rules', 'sign', at('compiled.json'), '--key', at('merchant.key'));
    expect(signed).toMatchObject({ status: 0 });
    writeFileSync(at('signed.json'), signed.out);
    const envelope = JSON.parse(signed.out) as { payload: string };
    expect(`${Buffer.from(envelope.payload, 'base64').toString()}\n`).toBe(readFileSync(at('compiled.json'), 'utf8'));
    const outs: string[] = [];
    for (const name of ['rules.json', 'signed.json']) {
      const { status, out } = await barrow(
        'rules',
        'decide',
        '--bundle',
        at(name),
        '--inputs',
        at('inputs.json'),
        '--json',
      );
      expect(status).toBe(0);
      outs.push(out);
    }
    expect(new Set(outs).size).toBe(1);
    expect(JSON.parse(outs[0]!)).toMatchObject({
      decisions: [{ sku: 'TEE-BLK-M', priceMinor: 2250, ruleId: 'slow-tees', boundBy: [] }],
      state: { 'TEE-BLK-M': { rung: 1, priceMinor: 2250, changedAt: sampleInputs.now, changesToday: 1 } },
    });
    const check = async (...more: string[]): Promise<string> => {
      const { status, out } = await barrow('rules', 'check', at('signed.json'), '--json', ...more);
      const answer = JSON.parse(out) as { ok: boolean; error?: { code: string } };
      return `${status} ${answer.error?.code ?? 'ok'}`;
    };
    expect(await check('--trust', at('stranger.pub'), '--trust', at('merchant.pub'), '--newer-than', '6')).toBe('0 ok');
    expect(await check('--trust', at('stranger.pub'))).toBe('1 signature-invalid');
    expect(await check('--newer-than', '7')).toBe('1 version-not-newer');
  });

  it('says in plain words what a rule waits for whose condition is true', async () => {
    const source = JSON.parse(readFileSync(at('rules.json'), 'utf8')) as { rules: object[] };
    const staged = { evidence: { windowMin: 15, atLeast: 3, of: 4 }, exit: 'stock < 5' };
    const decided = async (rule: object): Promise<string> => {
      writeFileSync(
        at('staged.json'),
        JSON.stringify({ ...source, rules: [{ ...source.rules[0], ...staged, ...rule }] }),
      );
      return (await barrow('rules', 'decide', '--bundle', at('staged.json'), '--inputs', at('inputs.json'))).out;
    };
    const [gathering, over] = [await decided({}), await decided({ evidence: undefined, exit: 'stock > 5' })];
    expect(gathering).toContain('slow-tees is gathering evidence: 0 of the last 4 windows held, 3 are needed');
    expect(over).toContain('slow-tees is over: its exit is true');
  });

  it('says where a source is wrong, in text and in JSON, and tells usage from content', async () => {
    const lines = readFileSync(at('rules.json'), 'utf8').replace('footfall_in_60m', 'footfal_in_60m');
    writeFileSync(at('wrong.json'), lines);
    const line = lines.split('\n').findIndex((text) => text.includes('footfal_')) + 1;
    const column = lines.split('\n')[line - 1]!.indexOf('footfal_') + 1;
    const [text, json] = await Promise.all([
      barrow('rules', 'compile', at('wrong.json')),
      barrow('rules', 'compile', at('wrong.json'), '--json'),
    ]);
    expect(text).toMatchObject({ status: 1, out: '' });
    expect(text.err).toContain(`line ${line}, column ${column}`);
    expect(text.err).toContain('Did you mean footfall_in_60m?');
    expect(JSON.parse(json.out)).toMatchObject({ error: { code: 'fact-unknown', line, column } });
    expect(await barrow('rules', 'check', at('absent.json'))).toMatchObject({ status: 2 });
    expect(await barrow('rules', 'sign', at('rules.json'), '--key', at('merchant.pub'))).toMatchObject({ status: 2 });
    expect(await barrow('rules', 'check', at('rules.json'), '--trust', at('merchant.pub'))).toMatchObject({
      status: 1,
    });
  });
});
