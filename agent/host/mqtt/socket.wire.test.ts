import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { openSocket } from './socket.ts';

const never = new AbortController().signal;

it('a connection that is reset before anybody listens ends nobody, and is seen to be over', async () => {
  const server = createServer();
  const taken = new Promise<Socket>((resolve) => server.once('connection', resolve));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const target = { host: '127.0.0.1', port, tls: null };
  const socket = await openSocket(target, { timeoutMs: 2_000, flooredWallMs: null }, never);
  socket.resume();
  const over = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  (await taken).resetAndDestroy();
  await over;
  expect(socket.destroyed).toBe(true);
  server.close();
});
