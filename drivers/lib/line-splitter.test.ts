import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MonoMs } from '../api/clock.ts';
import { duplicateWindow } from './duplicate-window.ts';
import { lineSplitter, type LineSplitter } from './line-splitter.ts';

const at = (ms: number): MonoMs => ms as MonoMs;
const make = (maxBytes = 8): LineSplitter => lineSplitter({ terminators: [0x0a, 0x0d], maxBytes, staleMs: 500 });
const push = (splitter: LineSplitter, text: string, ms = 0): string[] =>
  splitter.push(Buffer.from(text, 'latin1'), at(ms)).map((line) => Buffer.from(line).toString('latin1'));

describe('a line splitter', () => {
  test('gives the same lines however the bytes are cut', () => {
    const lines = fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 10 });
    fc.assert(
      fc.property(lines, fc.array(fc.nat({ max: 12 }), { maxLength: 20 }), (texts, cuts) => {
        const all = texts.map((text) => `${text}\r\n`).join('');
        const splitter = make();
        const got: string[] = [];
        let start = 0;
        for (const cut of [...cuts, all.length]) {
          got.push(...push(splitter, all.slice(start, start + cut)));
          start += cut;
        }
        expect(got).toEqual(texts);
        expect(splitter.droppedLines).toBe(0);
      }),
    );
  });

  test('takes a line of just the bound, and drops a longer one whole', () => {
    const splitter = make();
    expect(push(splitter, '12345678\n')).toEqual(['12345678']);
    expect(push(splitter, '123456789abcdefgh')).toEqual([]);
    expect(push(splitter, 'i\nok\n')).toEqual(['ok']);
    expect(splitter.droppedLines).toBe(1);
  });

  test('drops a half line whose rest did not come in time', () => {
    const splitter = make();
    push(splitter, 'half', 0);
    expect(push(splitter, '-new\n', 400)).toEqual(['half-new']);
    push(splitter, 'half', 1_000);
    expect(push(splitter, 'new\n', 1_501)).toEqual(['new']);
    expect(splitter.droppedLines).toBe(1);
  });

  test('never joins what stands on both sides of a gap', () => {
    const splitter = make();
    push(splitter, 'abc');
    splitter.gap();
    expect(push(splitter, 'xyz\nnext\n')).toEqual(['next']);
    splitter.gap();
    expect(push(splitter, 'tail')).toEqual([]);
    splitter.reset();
    expect(push(splitter, 'fresh\n')).toEqual(['fresh']);
  });

  test('hands out a half line that is whole by its own marks', () => {
    const splitter = make();
    expect(splitter.takeHalf(() => true)).toBeNull();
    push(splitter, 'abc');
    expect(splitter.takeHalf(() => false)).toBeNull();
    expect(splitter.takeHalf((half) => half.length === 3)).toEqual(Uint8Array.of(0x61, 0x62, 0x63));
    expect(push(splitter, 'd\n')).toEqual(['d']);
    splitter.gap();
    push(splitter, 'tail');
    expect(splitter.takeHalf(() => true)).toBeNull();
  });

  test('hands out copies', () => {
    const splitter = make();
    const [line] = splitter.push(Buffer.from('keep\n'), at(0));
    push(splitter, 'over\n');
    expect(Buffer.from(line!).toString()).toBe('keep');
  });
});

describe('a duplicate window', () => {
  test('starts anew with each sight', () => {
    const window = duplicateWindow({ windowMs: 300, remembered: 4 });
    expect([0, 250, 500, 801].map((ms) => window.isDuplicate('a', at(ms)))).toEqual([false, true, true, false]);
    expect(window.droppedCount).toBe(2);
  });

  test('compares with the last value only when it remembers one', () => {
    const window = duplicateWindow({ windowMs: 300, remembered: 1 });
    expect(['a', 'b', 'a', 'a'].map((value) => window.isDuplicate(value, at(0)))).toEqual([false, false, false, true]);
  });

  test('forgets the value that was not seen for longest', () => {
    const window = duplicateWindow({ windowMs: 300, remembered: 2 });
    for (const value of ['a', 'b', 'a', 'c']) window.isDuplicate(value, at(0));
    expect(window.isDuplicate('a', at(1))).toBe(true);
    expect(window.isDuplicate('b', at(1))).toBe(false);
  });

  test('of no length lets everything through, and forgets on request', () => {
    const open = duplicateWindow({ windowMs: 0, remembered: 1 });
    expect([open.isDuplicate('a', at(0)), open.isDuplicate('a', at(0))]).toEqual([false, false]);
    const window = duplicateWindow({ windowMs: 300, remembered: 1 });
    window.isDuplicate('a', at(0));
    window.clear();
    expect(window.isDuplicate('a', at(0))).toBe(false);
  });
});
