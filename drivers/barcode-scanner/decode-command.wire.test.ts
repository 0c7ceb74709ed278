import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../agent/cli/main.ts', import.meta.url));

async function barrow(args: readonly string[], input = ''): Promise<{ status: number; out: string; err: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', main, 'decode', ...args]);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.end(input);
  const [status] = (await once(child, 'close')) as [number];
  return { status, out, err };
}

const EAN = '5d4530323131323334353637383930300d';

test('understood bytes are one line of JSON off a terminal, and status 0', async () => {
  const { status, out } = await barrow(['barcode', EAN]);
  expect(status).toBe(0);
  expect(JSON.parse(out)).toEqual({
    format: 'barcode',
    ok: true,
    measurements: [],
    symbology: 'EAN-13',
    gtin14: '02112345678900',
    elements: [],
  });
});

test('the bytes may be grouped and in either case', async () => {
  const { status, out } = await barrow(['barcode', '5D 45:30-32 31', '31323334353637383930300D', '--json']);
  expect(status).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ gtin14: '02112345678900' });
});

test('refused bytes say why, and status 1', async () => {
  const { status, out } = await barrow(['barcode', '5d5858']);
  expect(status).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ format: 'barcode', ok: false, error: { code: 'unknown-symbology' } });
});

test.each([['5d4'], ['xy'], ['5d4g']])('%s is no hexadecimal, and status 2', async (hex) => {
  const { status, out } = await barrow(['barcode', hex, '--json']);
  expect(status).toBe(2);
  expect(JSON.parse(out)).toMatchObject({ error: { code: 'not-hex' } });
});

test('an unknown format names the known ones, and status 2', async () => {
  const { status, err } = await barrow(['morse', '00']);
  expect(status).toBe(2);
  expect(err).toMatch(/hint: .*barcode/);
});

test('a key of another length is a usage error', async () => {
  const { status, out } = await barrow(['barcode', EAN, '--key', 'abcd', '--json']);
  expect(status).toBe(2);
  expect(JSON.parse(out)).toMatchObject({ error: { code: 'usage' } });
});

test('a dash reads one message a line, and the worst one sets the status', async () => {
  const { status, out } = await barrow(['barcode', '-'], `${EAN}\n\n5d5858\n`);
  expect(status).toBe(1);
  expect(
    out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { ok: boolean }).ok),
  ).toEqual([true, false]);
});
