import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { VirtualController } from '../bluetooth/controller.ts';
import { hostPackets } from './host-packets.ts';

/** Bytes that may wait for a host that does not read; beyond it advertising would be lost, so the host is dropped. */
export const HOST_BACKLOG_BYTES = 8_388_608;

export type HciAddress =
  { readonly path: string } | { readonly host?: string; /** 0 or absent: any free port. */ readonly port?: number };

/** A controller on a real wire: H4 packets over a Unix socket or TCP. */
export interface HciServer extends AsyncDisposable {
  /** As `radio:` in kit.yaml wants it. */
  readonly radio:
    | { readonly kind: 'hci-socket'; readonly path: string }
    | { readonly kind: 'hci-socket'; readonly host: string; readonly port: number };
  /** Hosts that were dropped because they did not read. */
  readonly droppedHosts: number;
}

/** Serves `controller` to one host at a time: a new connection takes over. Closes when the signal fires. */
export async function openHciServer(
  address: HciAddress,
  controller: VirtualController,
  signal: AbortSignal,
): Promise<HciServer> {
  const sockets = new Set<Socket>();
  let droppedHosts = 0;
  const server = createServer((socket) => {
    if (!controller.poweredOn) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.setNoDelay(true);
    const session = controller.attach(
      (packet) => {
        if (socket.writableLength > HOST_BACKLOG_BYTES) {
          droppedHosts += 1;
          socket.destroy();
        } else socket.write(packet);
      },
      () => socket.destroy(),
    );
    const take = hostPackets(
      (packet) => session.receive(packet),
      () => socket.destroy(),
    );
    socket.on('data', take);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      session.detach();
    });
  });
  if ('path' in address) await rm(address.path, { force: true });
  await listen(server, address);
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const onAbort = (): void => void close();
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    radio: radioOf(server, address),
    get droppedHosts() {
      return droppedHosts;
    },
    [Symbol.asyncDispose]: async () => {
      signal.removeEventListener('abort', onAbort);
      await close();
    },
  };
}

function listen(server: Server, address: HciAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const ready = (): void => {
      server.off('error', reject);
      resolve();
    };
    if ('path' in address) server.listen(address.path, ready);
    else server.listen(address.port ?? 0, address.host ?? '127.0.0.1', ready);
  });
}

function radioOf(server: Server, address: HciAddress): HciServer['radio'] {
  const bound = server.address();
  if ('path' in address) return { kind: 'hci-socket', path: address.path };
  if (bound === null || typeof bound === 'string') throw new TypeError('a TCP server has a port');
  return { kind: 'hci-socket', host: bound.address, port: bound.port };
}
