import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const run = promisify(execFile);
const module = new URL('./no-core-dumps.ts', import.meta.url).href;
const tsx = import.meta.resolve('tsx');

describe('core dumps', () => {
  test('are forbidden for good, for children too, and none is left by a crash', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'barrow-core-'));
    const program = `const { forbidCoreDumps } = await import(${JSON.stringify(module)});
      const { readFileSync } = await import('node:fs');
      const { execFileSync } = await import('node:child_process');
      const line = () => /Max core file size.*/.exec(readFileSync('/proc/self/limits', 'utf8'))[0].replaceAll(/ +/g, ' ').trim();
      console.log(forbidCoreDumps(), line());
      console.log(execFileSync('grep', ['Max core', '/proc/self/limits']).toString().replaceAll(/ +/g, ' ').trim());
      process.abort();`;
    try {
      const crash = await run(
        'bash',
        [
          '-c',
          'ulimit -c unlimited 2>/dev/null || ulimit -c "$(ulimit -Hc)"; exec node --import "$0" --input-type=module -e "$1"',
          tsx,
          program,
        ],
        { cwd: folder },
      ).then(
        () => null,
        (error: { readonly signal: string; readonly stdout: string }) => error,
      );
      expect(crash?.signal).toBe('SIGABRT');
      expect(crash?.stdout.trim().split('\n')).toEqual([
        'true Max core file size 1 1 bytes',
        'Max core file size 1 1 bytes',
      ]);
      expect(await readdir(folder)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
