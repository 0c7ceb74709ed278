import { connect, createServer, type Socket } from 'node:net';

/** Bytes waiting in one direction before the sender is made to wait. */
const BUFFER_BYTES = 1024 * 1024;

/** What the wire does to whatever passes: each direction is late by `delayMs`; a black hole takes bytes and never says so. */
export interface WireFault {
  readonly delayMs: number;
  readonly blackHole: boolean;
}

/** A TCP proxy on loopback that spoils connections on request. */
export interface FaultProxy extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Connections taken so far. */
  taken(): number;
  /** Changes the wire for present and future connections. */
  set(fault: Partial<WireFault>): void;
  /** Resets (RST) every present connection. */
  reset(): void;
  /** Refuses new connections (they are reset at once) until told otherwise. */
  refuse(refusing: boolean): void;
}

/** Starts a proxy in front of `target` on 127.0.0.1. */
export async function startFaultProxy(target: { readonly port: number; readonly host?: string }): Promise<FaultProxy> {
  let fault: WireFault = { delayMs: 0, blackHole: false };
  let refusing = false;
  let taken = 0;
  const open = new Set<Socket>();
  const server = createServer((near) => {
    if (refusing) {
      near.resetAndDestroy();
      return;
    }
    taken += 1;
    const far = connect({ port: target.port, host: target.host ?? '127.0.0.1', noDelay: true });
    near.setNoDelay(true);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      carry(from, to, () => fault);
      from.once('close', () => open.delete(from));
    }
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  const reset = (): void => {
    for (const socket of open) socket.resetAndDestroy();
  };
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    taken: () => taken,
    set: (change) => {
      fault = { ...fault, ...change };
    },
    reset,
    refuse: (wanted) => {
      refusing = wanted;
    },
    [Symbol.asyncDispose]: async () => {
      reset();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** One direction. Order is kept because every chunk of it waits equally long. */
function carry(from: Socket, to: Socket, fault: () => WireFault): void {
  let waiting = 0;
  from.on('data', (chunk) => {
    const { delayMs, blackHole } = fault();
    if (blackHole) return;
    if (delayMs === 0 && waiting === 0) {
      pass(from, to, chunk);
      return;
    }
    waiting += chunk.length;
    if (waiting > BUFFER_BYTES) from.pause();
    setTimeout(() => {
      waiting -= chunk.length;
      if (waiting <= BUFFER_BYTES) from.resume();
      if (!fault().blackHole) pass(from, to, chunk);
    }, delayMs);
  });
  from.on('error', () => to.resetAndDestroy());
  from.once('end', () => to.end());
  from.once('close', (hadError) => (hadError ? to.resetAndDestroy() : to.end()));
}

function pass(from: Socket, to: Socket, chunk: Buffer): void {
  if (to.destroyed || to.write(chunk)) return;
  from.pause();
  to.once('drain', () => from.resume());
}
