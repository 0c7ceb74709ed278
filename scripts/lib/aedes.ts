import { Aedes } from 'aedes';
import { createServer, type Socket } from 'node:net';

/** An embedded MQTT 3.1.1 broker on an ephemeral loopback port; it refuses MQTT 5. */
export interface EmbeddedBroker extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
}

/** Starts aedes with its memory persistence. */
export async function startAedes(): Promise<EmbeddedBroker> {
  const broker = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    broker.handle(socket);
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => broker.close(() => resolve()));
    },
  };
}
