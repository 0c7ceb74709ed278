import { createServer, type Server, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { openH4Link, WAITING_PACKETS } from './h4-link.ts';

const POLL = { timeout: 10_000, interval: 10 };
/** What one read of a socket holds at most, in packets of seven bytes. */
const ONE_READ_PACKETS = 65_536 / 7;

interface Controller extends AsyncDisposable {
  readonly port: number;
  readonly sockets: Socket[];
}

async function controller(): Promise<Controller> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port');
  return {
    port: address.port,
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

test('a controller that sends faster than its packets are taken is held back, and loses none', async () => {
  await using served = await controller();
  const packets = 60_000;
  let taken = 0;
  let mostWaiting = 0;
  const link = openH4Link(
    { host: '127.0.0.1', port: served.port },
    {
      onPacket: () => {
        taken += 1;
        mostWaiting = Math.max(mostWaiting, link.waiting);
      },
      onUp: () => undefined,
      onDown: () => undefined,
    },
  );
  await expect.poll(() => served.sockets.length, POLL).toBe(1);
  served.sockets[0]?.write(Buffer.concat(Array.from({ length: packets }, () => Buffer.from('040e0401030c00', 'hex'))));
  await expect.poll(() => taken, POLL).toBe(packets);
  expect(mostWaiting).toBeLessThan(WAITING_PACKETS + ONE_READ_PACKETS);
  link.close();
});

test('packets that are cut anywhere by the stream come whole, and lost framing opens the link anew', async () => {
  await using served = await controller();
  const heard: string[] = [];
  let downs = 0;
  const link = openH4Link(
    { host: '127.0.0.1', port: served.port },
    {
      onPacket: (packet) => void heard.push(Buffer.from(packet).toString('hex')),
      onUp: () => undefined,
      onDown: () => (downs += 1),
    },
  );
  await expect.poll(() => served.sockets.length, POLL).toBe(1);
  const stream = Buffer.from('040e0401030c0004ff0312345602402004000000040a', 'hex');
  for (const byte of stream) {
    served.sockets[0]?.write(Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  served.sockets[0]?.write(Buffer.from('ffffffff', 'hex'));
  await expect.poll(() => served.sockets.length, POLL).toBe(2);
  expect({ downs, faults: link.framingFaults }).toEqual({ downs: 1, faults: 1 });
  expect(heard).toEqual(['040e0401030c00', '04ff03123456', '02402004000000040a'.slice(0, 18)]);
  served.sockets[1]?.write(Buffer.from('040e0401030c00', 'hex'));
  await expect.poll(() => heard.length, POLL).toBe(4);
  link.close();
});
