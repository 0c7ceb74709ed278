import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open as openFile, lstat, mkdtemp, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pluggedPort } from './plugged-port.ts';
import { openPty } from './pty.ts';

const never = new AbortController().signal;
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barrow-pty-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a virtual line', () => {
  test('is raw from the start: nothing is echoed or translated before the host opens it', async () => {
    await using line = openPty();
    await line.write(bytes('EARLY\r\n\u0003\u0004'));
    const host = await openFile(line.path, 'r+');
    await host.write('host\r');
    const buffer = Buffer.alloc(64);
    const { bytesRead } = await host.read(buffer);
    await host.close();
    expect(buffer.toString('latin1', 0, bytesRead)).toBe('EARLY\r\n\u0003\u0004');
    let got = '';
    for await (const chunk of line.chunks(never)) {
      got += Buffer.from(chunk).toString('latin1');
      if (got.length >= 5) break;
    }
    expect(got).toBe('host\r');
  });

  test('paces its bytes by the line’s speed', async () => {
    await using line = openPty({ baudRate: 9_600, bitsPerByte: 11 });
    const started = performance.now();
    await line.write(new Uint8Array(96));
    // 96 bytes of 11 bits at 9600 baud take 110 ms; a full machine may take longer, never shorter.
    expect(performance.now() - started).toBeGreaterThan(105);
  });

  test('is not inherited by a child process', async () => {
    await using line = openPty();
    const child = spawn('ls', ['-l', '/proc/self/fd'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    await once(child, 'close');
    expect(out).not.toContain('ptmx');
    expect(out).not.toContain(line.path);
  });

  test('refuses to send once it is unplugged, and its node is gone', async () => {
    const line = openPty();
    const reading = (async () => {
      for await (const chunk of line.chunks(never)) expect(chunk).toBe('nothing');
    })();
    await line.close();
    await line.close();
    await reading;
    await expect(line.write(bytes('x'))).rejects.toThrow('unplugged');
    await expect(lstat(line.path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('keeps the order of writes that are not waited for', async () => {
    await using line = openPty();
    const host = await openFile(line.path, 'r+');
    await Promise.all(Array.from({ length: 100 }, (_, number) => line.write(bytes(`${number},`))));
    const want = Array.from({ length: 100 }, (_, number) => `${number},`).join('');
    let got = '';
    const buffer = Buffer.alloc(1_024);
    while (got.length < want.length) got += buffer.toString('latin1', 0, (await host.read(buffer)).bytesRead);
    await host.close();
    expect(got).toBe(want);
  });
});

describe('a socket with a stable name', () => {
  test('leads to the line of what is plugged in, and nowhere when nothing is', async () => {
    await using port = await pluggedPort(join(folder, 'by-id'), 'usb-x');
    expect(port.line).toBeUndefined();
    const first = await port.plug();
    expect(await readlink(port.path)).toBe(first.path);
    const second = await port.plug();
    expect(first.open).toBe(false);
    expect(await readlink(port.path)).toBe(second.path);
    await port.unplug();
    await expect(lstat(port.path)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(second.open).toBe(false);
  });
});
