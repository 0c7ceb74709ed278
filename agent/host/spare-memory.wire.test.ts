import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const module = new URL('./spare-memory.ts', import.meta.url).href;
const tsx = import.meta.resolve('tsx');

test('pages that the heap holds for nothing go back to the machine', async () => {
  // Many small blocks with one left at the end: the heap cannot shrink by itself, as after loading a program.
  const program = `const { openMemory } = await import(${JSON.stringify(module)});
    const { readFileSync } = await import('node:fs');
    const koffi = (await import('koffi')).default;
    const libc = koffi.load(null);
    const malloc = libc.func('void *malloc(size_t bytes)');
    const free = libc.func('void free(void *block)');
    const memset = libc.func('void *memset(void *block, int value, size_t bytes)');
    const rssKb = () => Number(/VmRSS:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
    const memory = openMemory();
    const limited = memory.limitArenas();
    const blocks = [];
    for (let n = 0; n < 256; n += 1) { const block = malloc(65536); memset(block, 1, 65536); blocks.push(block); }
    malloc(65536);
    for (const block of blocks) free(block);
    const heldKb = rssKb();
    const trimmed = memory.trimHeap();
    console.log(JSON.stringify({ limited, trimmed, gaveKb: heldKb - rssKb() }));`;
  const { stdout } = await run(process.execPath, ['--import', tsx, '--input-type=module', '-e', program]);
  const { limited, trimmed, gaveKb } = JSON.parse(stdout) as { limited: boolean; trimmed: boolean; gaveKb: number };
  expect({ limited, trimmed }).toEqual({ limited: true, trimmed: true });
  expect(gaveKb).toBeGreaterThan(12_000);
});

test('program text that only starting needed leaves the process, and what runs on is mapped again', async () => {
  // The rest of the program must run as if nothing had been.
  const program = `const { openMemory } = await import(${JSON.stringify(module)});
    const { readFileSync } = await import('node:fs');
    const { createHash } = await import('node:crypto');
    const fileKb = () => Number(/RssFile:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
    const hash = () => createHash('sha256').update(JSON.stringify(Array.from({ length: 1_000 }, (_, n) => n))).digest('hex');
    const memory = openMemory();
    const before = hash();
    const mappedKb = fileKb();
    const mappings = memory.unmapProgram();
    const leftKb = fileKb();
    console.log(JSON.stringify({ mappings, gavePart: 1 - leftKb / mappedKb, same: hash() === before }));`;
  const { stdout } = await run(process.execPath, ['--import', tsx, '--input-type=module', '-e', program]);
  const { mappings, gavePart, same } = JSON.parse(stdout) as { mappings: number; gavePart: number; same: boolean };
  expect(same).toBe(true);
  expect(mappings).toBeGreaterThan(5);
  expect(gavePart).toBeGreaterThan(0.4);
});
