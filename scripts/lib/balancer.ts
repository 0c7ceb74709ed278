import { connect, createServer, type Socket } from 'node:net';

/** A TCP load balancer on loopback: each connection goes to the first of the ports that answers. */
export interface Balancer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
}

export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    open.add(near);
    near.setNoDelay(true);
    near.on('error', () => near.destroy());
    near.once('close', () => open.delete(near));
    tryNext(near, ports);
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function tryNext(near: Socket, ports: readonly number[]): void {
  const [port, ...others] = ports;
  if (port === undefined || near.destroyed) {
    near.destroy();
    return;
  }
  const far = connect({ port, host: '127.0.0.1', noDelay: true });
  const onRefused = (): void => tryNext(near, others);
  far.once('error', onRefused);
  far.once('connect', () => {
    far.off('error', onRefused);
    far.on('error', () => near.destroy());
    far.once('close', () => near.destroy());
    near.once('close', () => far.destroy());
    near.pipe(far).pipe(near);
  });
}
