import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { barrowCommands } from './commands/index.ts';
import { completionScript } from './completion.ts';
import { describeProgram, type CommandDescription } from './describe.ts';
import { manPage } from './man.ts';

const run = promisify(execFile);

let folder = '';
let program: CommandDescription;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barrow-words-'));
  program = await describeProgram({ name: 'barrow', summary: 'The agent, and its tools.', commands: barrowCommands });
  await writeFile(join(folder, 'barrow.bash'), completionScript('bash', program));
  await writeFile(join(folder, 'kit.yaml'), '');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a real bash would offer after these words. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const script = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _barrow; printf "%s\\n" "${COMPREPLY[@]}"';
  const { stdout } = await run('bash', ['-c', script, join(folder, 'barrow.bash'), 'barrow', ...words], {
    cwd: folder,
  });
  return stdout.split('\n').filter((line) => line !== '');
}

describe('completion in bash', () => {
  test('offers every command, and those that begin as typed', async () => {
    const all = await offered('');
    for (const name of Object.keys(barrowCommands)) expect(all).toContain(name);
    expect(await offered('sta')).toEqual(['status']);
    expect(await offered('s')).toEqual(expect.arrayContaining(['schema', 'status', 'support-bundle']));
  });

  test('follows commands inside commands and offers their options', async () => {
    expect(await offered('ledger', '')).toEqual(expect.arrayContaining(['stats', 'verify', 'export', 'salvage']));
    expect(await offered('ledger', 'export', '--st')).toEqual(['--state', '--stream']);
    expect(await offered('verify', '--bro')).toEqual(['--broker']);
  });

  test('offers closed choices, and files where a file is wanted', async () => {
    expect(await offered('run', '--log-level', '')).toEqual(['debug', 'info', 'warn', 'error']);
    expect(await offered('schema', 'as')).toEqual(['asyncapi']);
    expect(await offered('run', '-c', 'ki')).toEqual(['kit.yaml']);
  });
});

test('the scripts for zsh and fish name every command and every option', () => {
  const commands = (one: CommandDescription): readonly CommandDescription[] => [one, ...one.commands.flatMap(commands)];
  for (const shell of ['zsh', 'fish'] as const) {
    const script = completionScript(shell, program);
    for (const { name, options } of commands(program)) {
      expect(script).toContain(name);
      for (const { long } of options)
        expect(script, `${shell} ${name}`).toContain(shell === 'fish' ? `-l ${long?.slice(2)}` : long);
    }
    // An odd quote would open a string that never ends.
    for (const line of script.split('\n').filter((each) => !each.startsWith('#')))
      expect((line.match(/'/g) ?? []).length % 2, line).toBe(0);
  }
});

describe('the manual page', () => {
  const page = (): string => manPage(program, { version: '0.1.0', date: '2026-11-27' });

  test('tells every command with its options and examples', () => {
    const text = page().replaceAll('\\-', '-').replaceAll('\\[u2019]', '’');
    for (const { name, options, commands } of program.commands) {
      expect(text).toContain(`barrow ${name}`);
      for (const { flags, long } of commands.length > 0 ? [] : options)
        if (long !== '--json' && long !== '--debug') expect(text).toContain(`.B ${flags}`);
    }
    expect(text).toContain('barrow run -c /etc/barrow/kit.yaml --log-level debug');
  });

  test('lets no line begin as a request that it is not', () => {
    const requests = new Set(['.TH', '.SH', '.SS', '.TP', '.PP', '.B', '.BR', '.I', '.RS', '.RE', '.nf', '.fi']);
    for (const line of page().split('\n')) if (/^[.']/.test(line)) expect([...requests]).toContain(line.split(' ')[0]);
    expect(page()).not.toMatch(/^\.SS .*\n\.SS /m);
    expect(page()).toMatch(/^[\n -~]*$/);
  });
});
