import { createServer, type Socket } from 'node:net';
import { untilWoken } from '../../drivers/lib/until-woken.ts';
import type { DeviceLine } from '../devices/device-line.ts';

/** Chunks that the device has not read yet; more are dropped with the connection. */
const WAITING_CHUNKS = 4_096;

/** A device on the network: one line per connection. */
export interface TcpLines extends AsyncDisposable {
  readonly port: number;
  /** Breaks the connections that are open now; new ones are welcome. */
  pull(): void;
}

/** Listens on loopback, on a free port, and hands each connection to `serve` until it ends. */
export async function tcpLines(serve: (line: DeviceLine) => Promise<void>): Promise<TcpLines> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    void serve(lineOf(socket)).finally(() => {
      sockets.delete(socket);
      socket.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const pull = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    pull,
    async [Symbol.asyncDispose]() {
      pull();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

function lineOf(socket: Socket): DeviceLine {
  const waiting: Uint8Array[] = [];
  let wake: (() => void) | undefined;
  socket.on('data', (chunk: Buffer) => {
    waiting.push(Uint8Array.from(chunk));
    if (waiting.length > WAITING_CHUNKS) socket.destroy();
    wake?.();
  });
  // An error is followed by close, which ends the line.
  socket.on('error', () => wake?.());
  socket.on('close', () => wake?.());
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(bytes, (error) => (error == null ? resolve() : reject(error)));
      }),
    async *chunks(signal) {
      while (!signal.aborted) {
        const chunk = waiting.shift();
        if (chunk !== undefined) yield chunk;
        else if (socket.destroyed) return;
        else await untilWoken((resume) => (wake = resume), signal);
      }
    },
  };
}
