import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kitText } from './kit-text.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const fault = (input: Uint8Array) => {
  const read = kitText(input);
  return 'fault' in read ? read.fault : expect.fail('no fault');
};

test('takes UTF-8 with and without a mark at its start', () => {
  expect(kitText(bytes('kit: Café\n'))).toEqual({ text: 'kit: Café\n' });
  expect(kitText(bytes('\ufeffkit: x'))).toEqual({ text: 'kit: x' });
});

test('names a file that was saved as something else, at the first place that is wrong', () => {
  expect(fault(Uint8Array.from([...bytes('kit: x\nnode: Caf'), 0xe9, 0x0a]))).toMatchObject({
    code: 'config-not-text',
    line: 2,
    column: 10,
    hint: expect.stringContaining('UTF-8') as string,
  });
  const utf16 = Uint8Array.from([0xff, 0xfe, ...[...bytes('kit')].flatMap((byte) => [byte, 0])]);
  expect(fault(utf16)).toMatchObject({ line: 1, column: 1, message: expect.stringContaining('UTF-16') as string });
});

test('names zeros that a power cut left, and a file without a word', () => {
  expect(fault(Uint8Array.from([...bytes('kit: x\n'), 0, 0]))).toMatchObject({
    line: 2,
    column: 1,
    message: expect.stringContaining('power cut') as string,
  });
  for (const empty of ['', ' \n\t\n']) expect(fault(bytes(empty)).message).toContain('empty');
});

test('takes every text as it is and never throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
      fc.pre(!text.includes('\0') && text.trim() !== '' && !text.startsWith('\ufeff'));
      expect(kitText(bytes(text))).toEqual({ text });
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => {
      const read = kitText(raw);
      if ('fault' in read) expect([read.fault.line > 0, read.fault.column > 0]).toEqual([true, true]);
    }),
  );
});
