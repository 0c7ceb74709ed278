import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SerialPort } from 'serialport';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ByteLink } from '../../../drivers/api/transports.ts';
import { pluggedPort, type PluggedPort } from '../../../firmware-sim/wire/plugged-port.ts';
import { openPty } from '../../../firmware-sim/wire/pty.ts';
import { systemClock } from '../clock.ts';
import { WRITE_QUEUE_BYTES } from './bounded-write.ts';
import { readAll } from '../../../scripts/lib/read-link.ts';
import { openSerial } from './open-serial.ts';

const clock = systemClock();
const never = new AbortController().signal;
const text = (chunk: Uint8Array): string => Buffer.from(chunk).toString('latin1');
const bytes = (from: string): Uint8Array => Buffer.from(from, 'latin1');

let folder = '';
let port: PluggedPort;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barrow-serial-'));
  port = await pluggedPort(join(folder, 'by-id'), 'usb-device');
});
afterEach(async () => {
  await port.unplug();
  await rm(folder, { recursive: true, force: true });
});

const open = (path = port.path, signal = never): Promise<ByteLink> =>
  openSerial({ path, baudRate: 9600 }, { clock }, signal);

async function readLine(
  line: { chunks(signal: AbortSignal): AsyncIterable<Uint8Array> },
  length: number,
): Promise<string> {
  let got = '';
  for await (const chunk of line.chunks(never)) {
    got += text(chunk);
    if (got.length >= length) break;
  }
  return got;
}

describe('a serial port', () => {
  test('carries every byte value both ways through a link outside /dev', async () => {
    const line = await port.plug();
    await using link = await open();
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    await link.write(all, never);
    expect(await readLine(line, 256)).toBe(text(all));
    await line.write(all);
    expect((await readAll(link, 256)).got).toBe(text(all));
    expect(link.droppedBytes).toBe(0);
  });

  test('is missing when nothing stands at the path, and when a link leads nowhere', async () => {
    await expect(open()).rejects.toMatchObject({ code: 'port-missing' });
    await symlink('/dev/pts/none', join(folder, 'dangling'));
    await expect(open(join(folder, 'dangling'))).rejects.toMatchObject({ code: 'port-missing' });
  });

  test('fails when the path is a file', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(open(join(folder, 'file'))).rejects.toMatchObject({ code: 'port-failed' });
  });

  test('is refused when USB identity is asked for and the device has none', async () => {
    await port.plug();
    const options = { path: port.path, baudRate: 9600, usb: { vendor: '0801', product: '0002' } };
    await expect(openSerial(options, { clock }, never)).rejects.toMatchObject({ code: 'port-identity' });
  });

  test('has one holder, and a second opener leaves the line as it is', async () => {
    const line = await port.plug();
    await using link = await open();
    const settings = async (): Promise<string> => {
      const child = spawn('stty', ['-a', '-F', line.path], { stdio: ['ignore', 'pipe', 'inherit'] });
      let out = '';
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
      await once(child, 'close');
      return out;
    };
    const before = await settings();
    expect(before).toContain('-cstopb');
    const second = openSerial({ path: port.path, baudRate: 9600, stopBits: 2 }, { clock }, never);
    await expect(second).rejects.toMatchObject({ code: 'port-busy' });
    expect(await settings()).toBe(before);
    await line.write(bytes('still here'));
    expect((await readAll(link, 10)).got).toBe('still here');
  });

  test('gives way to the next holder once it is closed', async () => {
    await port.plug();
    const first = await open();
    await first.close();
    await first.close();
    const second = await open();
    await second.close();
    expect((await readAll(second)).code).toBeNull();
  });

  test('ends its reader quietly when it is closed, and refuses to write from then on', async () => {
    const line = await port.plug();
    const link = await open();
    const reading = readAll(link);
    await link.close();
    expect(await reading).toEqual({ got: '', code: null });
    await expect(link.write(bytes('LATE'), never)).rejects.toMatchObject({ code: 'port-lost' });
    await using next = await open();
    await next.write(bytes('NEW'), never);
    expect(await readLine(line, 3)).toBe('NEW');
  });

  test('ends a reader with the signal and goes on for the next one', async () => {
    const line = await port.plug();
    await using link = await open();
    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const chunk of link.chunks(stop.signal)) seen.push(text(chunk));
    })();
    stop.abort();
    await reading;
    await line.write(bytes('later'));
    expect((await readAll(link, 5)).got).toBe('later');
    expect(seen).toEqual([]);
  });
});

describe('an unplugged device', () => {
  test.each([0, 1, 5, 20])('is noticed under traffic every %i ms, whatever read was in flight', async (pauseMs) => {
    for (let round = 0; round < 8; round += 1) {
      const line = await port.plug();
      await using link = await open();
      const reading = readAll(link);
      const feed = (async () => {
        while (line.open) {
          await line.write(bytes('frame-0123456789')).catch(() => undefined);
          await clock.sleep(pauseMs, never);
        }
      })();
      await clock.sleep(10 + round * 3, never);
      await port.unplug();
      const before = clock.monoMs();
      expect((await reading).code).toBe('port-lost');
      expect(clock.monoMs() - before).toBeLessThan(3_000);
      await feed;
    }
  });

  test('is noticed when it goes right after the open', async () => {
    for (let round = 0; round < 10; round += 1) {
      await port.plug();
      await using link = await open();
      await port.unplug();
      expect((await readAll(link)).code).toBe('port-lost');
    }
  });

  test('is noticed by a reader that comes late, after what was received before', async () => {
    const line = await port.plug();
    await using link = await open();
    await line.write(bytes('half a fra'));
    await clock.sleep(50, never);
    await port.unplug();
    await clock.sleep(1_200, never);
    expect(await readAll(link)).toEqual({ got: 'half a fra', code: 'port-lost' });
    await expect(link.write(bytes('x'), never)).rejects.toMatchObject({ code: 'port-lost' });
  });

  test('fails writes in flight once and never passes them to the device that comes next', async () => {
    const old = await port.plug();
    const link = await open();
    // The old device reads nothing, so its line fills up and the later writes wait in this process.
    const writes = Array.from({ length: 15 }, () =>
      link.write(bytes('STALE-PAY '.repeat(400)), new AbortController().signal),
    );
    const outcomes = Promise.allSettled(writes);
    await port.unplug();
    expect(old.open).toBe(false);
    const line = await port.plug();
    const results = await outcomes;
    const failures = results.filter((result) => result.status === 'rejected');
    expect(failures.length).toBeGreaterThan(0);
    for (const { reason } of failures) expect(reason).toMatchObject({ code: 'port-lost' });
    await expect(link.write(bytes('STALE-PAY'), never)).rejects.toMatchObject({ code: 'port-lost' });
    await link.close();
    await using next = await open();
    await next.write(bytes('NEW'), never);
    await clock.sleep(100, never);
    expect(await readLine(line, 3)).toBe('NEW');
  });

  test('is opened the moment it comes back when the opener waits for it', async () => {
    const opening = openSerial({ path: port.path, baudRate: 9600, waitMs: 5_000 }, { clock }, never);
    await clock.sleep(20, never);
    const line = await port.plug();
    await using link = await opening;
    await line.write(bytes('back'));
    expect((await readAll(link, 4)).got).toBe('back');
  });

  test('stops being waited for when the signal fires', async () => {
    const stop = new AbortController();
    const opening = openSerial({ path: port.path, baudRate: 9600, waitMs: 60_000 }, { clock }, stop.signal);
    stop.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
  });

  test('is noticed although a child process was started meanwhile', async () => {
    await port.plug();
    await using link = await open();
    const child = spawn('sleep', ['30'], { stdio: 'ignore' });
    await once(child, 'spawn');
    try {
      await port.unplug();
      expect((await readAll(link)).code).toBe('port-lost');
    } finally {
      child.kill();
    }
  });
});

describe('a slow party', () => {
  test('costs a reader what exceeds 1 MiB: counted, and at a known place', async () => {
    const line = await port.plug();
    await using link = await open();
    const block = new Uint8Array(4_096).fill(0x41);
    for (let sent = 0; sent < 1_200_000; sent += block.length) await line.write(block);
    await clock.sleep(100, never);
    let received = 0;
    for await (const chunk of link.chunks(never)) {
      received += chunk.length;
      if (received > 1_000_000) break;
    }
    expect(link.droppedBytes).toBe(0);
    await line.write(bytes('END'));
    let tail = '';
    for await (const chunk of link.chunks(never)) {
      tail = text(chunk);
      if (tail.endsWith('END')) break;
      received += chunk.length;
    }
    expect(received).toBeLessThanOrEqual(1_048_576);
    expect(link.droppedBytes).toBeGreaterThan(0);
  });

  test('is not sent more than 64 KiB ahead', async () => {
    await port.plug();
    const link = await open();
    const stop = new AbortController();
    const first = link.write(new Uint8Array(WRITE_QUEUE_BYTES), stop.signal);
    await expect(link.write(new Uint8Array(1), never)).rejects.toMatchObject({ code: 'port-failed' });
    stop.abort(new Error('given up'));
    await expect(first).rejects.toThrow('given up');
    await expect(link.write(bytes('x'), never)).rejects.toMatchObject({ code: 'port-lost' });
  });
});

test('what a device said before the port was opened is discarded by the open', async () => {
  await using line = openPty();
  await line.write(bytes('EARLY'));
  await using link = await openSerial({ path: line.path, baudRate: 9600 }, { clock }, never);
  await line.write(bytes('NEW'));
  expect((await readAll(link, 3)).got).toBe('NEW');
});

test('a pseudo terminal has no modem lines, which is no fault of the link', async () => {
  await using line = openPty();
  const raw = new SerialPort({ path: line.path, baudRate: 9600, autoOpen: false });
  await new Promise<void>((resolve, reject) => raw.open((error) => (error ? reject(error) : resolve())));
  const modem = await new Promise<Error | null>((resolve) => raw.get((error) => resolve(error)));
  expect(modem).toBeInstanceOf(Error);
  await new Promise<void>((resolve) => raw.close(() => resolve()));
  await using link = await openSerial({ path: line.path, baudRate: 115200, stopBits: 2 }, { clock }, never);
  await link.write(bytes('ok'), never);
  expect(await readLine(line, 2)).toBe('ok');
});
