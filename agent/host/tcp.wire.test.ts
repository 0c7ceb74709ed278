import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ByteLink } from '../../drivers/api/transports.ts';
import { systemClock } from './clock.ts';
import { readAll } from '../../scripts/lib/read-link.ts';
import { WRITE_QUEUE_BYTES } from './serial/bounded-write.ts';
import { openTcp } from './tcp.ts';

const clock = systemClock();
const never = new AbortController().signal;
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

let server: Server;
let peers: Socket[];
beforeEach(async () => {
  peers = [];
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    peers.push(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  for (const peer of peers) peer.destroy();
  server.close();
  await once(server, 'close');
});

const open = (signal = never): Promise<ByteLink> =>
  openTcp({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }, { clock }, signal);
const peer = async (): Promise<Socket> => {
  await expect.poll(() => peers.length).toBeGreaterThan(0);
  return peers.at(-1)!;
};

describe('a TCP link', () => {
  test('carries bytes both ways', async () => {
    await using link = await open();
    const other = await peer();
    await link.write(bytes('ping'), never);
    expect(String((await once(other, 'data'))[0])).toBe('ping');
    other.write('pong');
    expect(await readAll(link, 4)).toEqual({ got: 'pong', code: null });
  });

  test('gives what came before the peer went, then says that it went', async () => {
    await using link = await open();
    (await peer()).end('last words');
    expect(await readAll(link)).toEqual({ got: 'last words', code: 'connection-lost' });
    await expect(link.write(bytes('x'), never)).rejects.toMatchObject({ code: 'connection-lost' });
  });

  test('is lost when the peer resets it', async () => {
    await using link = await open();
    (await peer()).resetAndDestroy();
    expect((await readAll(link)).code).toBe('connection-lost');
  });

  test('ends quietly when it is closed', async () => {
    const link = await open();
    const reading = readAll(link);
    await link.close();
    await link.close();
    expect(await reading).toEqual({ got: '', code: null });
  });

  test('does not send more than 64 KiB ahead, and nothing that was given up', async () => {
    await using link = await open();
    (await peer()).pause();
    const stop = new AbortController();
    const refused: unknown[] = [];
    const writes: Promise<void>[] = [];
    while (refused.length === 0 && writes.length < 4_000) {
      const write = link.write(new Uint8Array(WRITE_QUEUE_BYTES / 2), stop.signal);
      writes.push(write.catch((error: unknown) => void refused.push(error)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(refused).toEqual([expect.objectContaining({ code: 'connection-lost' })]);
    stop.abort(new Error('given up'));
    await Promise.all(writes);
    expect(refused.slice(1)).toEqual([expect.objectContaining({ message: 'given up' }), expect.anything()]);
    await expect(link.write(bytes('x'), never)).rejects.toMatchObject({ code: 'connection-lost' });
  });

  test('drops what exceeds 1 MiB and counts it', async () => {
    await using link = await open();
    const other = await peer();
    await new Promise<void>((resolve) => other.write(Buffer.alloc(1_500_000, 'A'), () => resolve()));
    await clock.sleep(100, never);
    other.end('B');
    const { got } = await readAll(link);
    expect(got.length).toBeLessThanOrEqual(1_048_576);
    expect(link.droppedBytes).toBeGreaterThan(400_000);
  });
});

test('a host that refuses is unreachable', async () => {
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  await expect(openTcp({ host: '127.0.0.1', port }, { clock }, never)).rejects.toMatchObject({
    code: 'host-unreachable',
  });
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
});

test('opening ends with the signal', async () => {
  const stop = new AbortController();
  stop.abort(new Error('enough'));
  await expect(open(stop.signal)).rejects.toThrow('enough');
});
