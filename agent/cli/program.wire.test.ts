import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { barrowCommands } from './commands/index.ts';
import { runProgram } from './program.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** What a command line prints, run in this process: a process each would take seconds. */
async function help(words: readonly string[]): Promise<string> {
  let text = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  const name = 'barrow';
  try {
    await runProgram({ name, summary: '', commands: barrowCommands, examples: [name], argv: [...words, '--help'] });
  } finally {
    write.mockRestore();
  }
  return text;
}

/** The commands that a help text lists, `help` itself aside. */
function listed(text: string): readonly string[] {
  const commands = text.split('\nCommands:\n')[1]?.split('\n\n')[0] ?? '';
  return [...commands.matchAll(/^ {2}([a-z][a-z-]*)/gm)].flatMap(([, name]) => name ?? []).filter((n) => n !== 'help');
}

test('every command and every subcommand shows examples and knows --json', async () => {
  const overview = await help([]);
  expect(listed(overview).toSorted()).toEqual(Object.keys(barrowCommands).toSorted());
  const waiting = [[], ...listed(overview).map((name) => [name])];
  let pages = 0;
  for (const words of waiting) {
    const page = await help(words);
    pages += 1;
    expect(page, words.join(' ')).toMatch(/\nExamples?:\n/);
    expect(page, words.join(' ')).toContain('--json');
    if (words.length === 1) waiting.push(...listed(page).map((name) => [...words, name]));
  }
  expect(pages).toBeGreaterThan(25);
});

test('a reader that goes away ends the command without a word', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', main, 'schema', 'events']);
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdout.destroy();
  await once(child, 'close');
  expect(err).toBe('');
}, 30_000);
