import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { codeOf } from './spare-memory.ts';

const run = promisify(execFile);
const module = new URL('./spare-memory.ts', import.meta.url).href;
const tsx = import.meta.resolve('tsx');

test('pages that the heap holds for nothing go back to the machine', async () => {
  // Many small blocks with one left at the end: the heap cannot shrink by itself, as after loading a program.
  const program = `const { openAllocator } = await import(${JSON.stringify(module)});
    const { readFileSync } = await import('node:fs');
    const koffi = (await import('koffi')).default;
    const libc = koffi.load(null);
    const malloc = libc.func('void *malloc(size_t bytes)');
    const free = libc.func('void free(void *block)');
    const memset = libc.func('void *memset(void *block, int value, size_t bytes)');
    const rssKb = () => Number(/VmRSS:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
    const allocator = openAllocator();
    const limited = allocator.limitArenas();
    const blocks = [];
    for (let n = 0; n < 256; n += 1) { const block = malloc(65536); memset(block, 1, 65536); blocks.push(block); }
    malloc(65536);
    for (const block of blocks) free(block);
    const heldKb = rssKb();
    const trimmed = allocator.trim();
    console.log(JSON.stringify({ limited, trimmed, gaveKb: heldKb - rssKb() }));`;
  const { stdout } = await run(process.execPath, ['--import', tsx, '--input-type=module', '-e', program]);
  const { limited, trimmed, gaveKb } = JSON.parse(stdout) as { limited: boolean; trimmed: boolean; gaveKb: number };
  expect({ limited, trimmed }).toEqual({ limited: true, trimmed: true });
  expect(gaveKb).toBeGreaterThan(12_000);
});

test('code that only starting needed leaves the process, and what is needed comes back by itself', async () => {
  const program = `const { openAllocator } = await import(${JSON.stringify(module)});
    const { readFileSync } = await import('node:fs');
    const zlib = await import('node:zlib');
    const rssKb = () => Number(/VmRSS:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
    const work = () => zlib.gunzipSync(zlib.gzipSync(JSON.stringify([...Array(1e4).keys()]))).length;
    const before = work();
    const heldKb = rssKb();
    const mapped = openAllocator().leaveCode();
    const leftKb = rssKb();
    console.log(JSON.stringify({ mapped, gaveKb: heldKb - leftKb, same: work() === before }));`;
  const { stdout } = await run(process.execPath, ['--import', tsx, '--input-type=module', '-e', program]);
  const { mapped, gaveKb, same } = JSON.parse(stdout) as { mapped: number; gaveKb: number; same: boolean };
  expect(mapped).toBeGreaterThan(10_000_000);
  expect(gaveKb).toBeGreaterThan(5_000);
  expect(same).toBe(true);
});

test('only the program’s own executable mappings are its code', () => {
  const maps = [
    '00400000-00e00000 r--p 00000000 fe:00 12 /usr/lib/barrow/bin/node',
    '00e00000-02e00000 r-xp 00a00000 fe:00 12 /usr/lib/barrow/bin/node',
    '02e00000-02f00000 rw-p 02a00000 fe:00 12 /usr/lib/barrow/bin/node',
    '03000000-03100000 rwxp 00000000 fe:00 12 /usr/lib/barrow/bin/node',
    '7f0000000000-7f0000100000 r-xp 00000000 fe:00 13 /usr/lib/libc.so.6',
    '7f0000200000-7f0000300000 r-xp 00000000 00:00 0 ',
  ].join('\n');
  expect(codeOf('/usr/lib/barrow/bin/node', maps)).toEqual([{ from: 0xe00000, bytes: 0x2000000 }]);
});
