import { execFile, execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleBundle } from '../../pricing/testing/samples.ts';
import { openDescriptor, readOpenPipe } from './open-pipe.ts';

const MAIN = new URL('../main.ts', import.meta.url).pathname;
let folder = '';
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'barrow-pipe-'));
  execFileSync('mkfifo', [at('pipe')]);
  writeFileSync(at('rules.json'), JSON.stringify(sampleBundle));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Both ends of a pipe, open. */
function openPipe(): { readonly reads: number; readonly writes: number } {
  const reads = openSync(at('pipe'), constants.O_RDONLY | constants.O_NONBLOCK);
  return { reads, writes: openSync(at('pipe'), 'w') };
}

describe('an open pipe', () => {
  it('is read to its end', async () => {
    const { reads, writes } = openPipe();
    writeSync(writes, 'all ');
    const read = readOpenPipe('/dev/stdin', reads, 64);
    writeSync(writes, 'of it');
    closeSync(writes);
    expect(new TextDecoder().decode(await read)).toBe('all of it');
  });

  it('is given up when nothing comes, at first or later', async () => {
    for (const before of ['', 'half']) {
      const { reads, writes } = openPipe();
      if (before !== '') writeSync(writes, before);
      await expect(readOpenPipe('/dev/stdin', reads, 64, 50)).rejects.toMatchObject({ code: 'input-not-arriving' });
      closeSync(writes);
    }
  });

  it('is given up when more comes than is wanted', async () => {
    const { reads, writes } = openPipe();
    writeSync(writes, 'x'.repeat(65));
    expect(await readOpenPipe('/dev/stdin', reads, 64)).toBeNull();
    closeSync(writes);
  });

  it('is known by the names that a shell gives it, and by no other', () => {
    expect(['/dev/stdin', '/dev/fd/0', '/dev/fd/63'].map(openDescriptor)).toEqual([0, 0, 63]);
    for (const path of ['-', 'stdin', '/dev/fd/', '/dev/fd/x', '/dev/fd/0/x', 'a/dev/stdin', '/dev/stdin.json'])
      expect(openDescriptor(path)).toBeNull();
  });

  it('feeds the commands from a pipeline and from a process substitution', async () => {
    const barrow = `"${process.execPath}" --import tsx "${MAIN}"`;
    const lines = [
      `cat "${at('rules.json')}" | ${barrow} rules check /dev/stdin`,
      `${barrow} rules check <(cat "${at('rules.json')}")`,
      `${barrow} rules check /dev/stdin < "${at('rules.json')}"`,
      `yes | ${barrow} rules check /dev/stdin`,
    ];
    const answers = await Promise.all(
      lines.map(
        (line) =>
          new Promise<string>((resolve) => {
            execFile('bash', ['-c', line], (_error, out, err) =>
              resolve(/^ok|bundle-[a-z-]+/.exec(out + err)?.[0] ?? err),
            );
          }),
      ),
    );
    expect(answers).toEqual(['ok', 'ok', 'ok', 'bundle-too-large']);
  });
});
