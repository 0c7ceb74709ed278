import { expect, test } from 'vitest';
import { cleanMappings } from './clean-mappings.ts';

interface Row {
  readonly mode?: string;
  readonly inode?: number;
  readonly writtenKb?: number;
}

const smaps = ({ mode = 'r-xp', inode = 4277870, writtenKb = 0 }: Row): string =>
  [
    `0074a000-03044000 ${mode} 0034a000 fe:00 ${inode}                            /usr/lib/barrow/bin/node`,
    'Size:              41960 kB',
    'Rss:               31364 kB',
    `Anonymous:             ${String(writtenKb).padStart(5)} kB`,
    'VmFlags: rd ex mr mw me',
    '',
  ].join('\n');

const text = { address: 0x74a000n, bytes: 0x28fa000n };

test('program text and constants that nobody wrote to can be dropped', () => {
  expect(cleanMappings(smaps({}))).toEqual([text]);
  expect(cleanMappings(smaps({ mode: 'r--p' }) + smaps({}))).toEqual([text, text]);
});

test.each([
  ['a page of it was written to, as by a relocation', { writtenKb: 4 }],
  ['it may be written to', { mode: 'rw-p' }],
  ['others share it', { mode: 'r--s' }],
  ['it may not even be read', { mode: '---p' }],
  ['no file stands behind it', { inode: 0 }],
] as const)('a mapping is kept where %s', (_reason, row) => {
  expect(cleanMappings(smaps(row))).toEqual([]);
  expect(cleanMappings(smaps(row) + smaps({}))).toEqual([text]);
});

test('a mapping whose lines are cut off is kept', () => {
  const whole = smaps({});
  for (let end = 0; end < whole.indexOf('Anonymous'); end += 1) expect(cleanMappings(whole.slice(0, end))).toEqual([]);
});
