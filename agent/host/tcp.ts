import { setMaxListeners } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import type { Clock } from '../../drivers/api/clock.ts';
import type { Log } from '../../drivers/api/driver.ts';
import type { ByteLink } from '../../drivers/api/transports.ts';
import { linkFailure } from '../../drivers/lib/link-errors.ts';
import { boundedWrite } from './serial/bounded-write.ts';
import { byteQueue } from './serial/byte-queue.ts';

export const CONNECT_MS = 5_000;

/** A peer that takes nothing for this long is lost. */
export const WRITE_STALL_MS = 10_000;

/** A peer whose power was cut says nothing: the kernel asks after this long without traffic. */
const KEEP_ALIVE_MS = 5_000;

export interface TcpDeps {
  readonly clock: Clock;
  readonly log?: Log;
}

/**
 * Opens one TCP connection with the contract of a serial link: never re-used, always flowing into a queue of 1 MiB,
 * nothing sent after it closed.
 *
 * @throws AgentError `host-unreachable`; the signal's reason. `chunks` throw `connection-lost` when the peer goes.
 */
export async function openTcp(
  options: { readonly host: string; readonly port: number },
  deps: TcpDeps,
  signal: AbortSignal,
): Promise<ByteLink> {
  signal.throwIfAborted();
  const peer = `${options.host}:${options.port}`;
  const socket = createConnection({ host: options.host, port: options.port, noDelay: true });
  const link = tcpLink(socket, deps, peer);
  const timer = new AbortController();
  try {
    await Promise.race([
      connected(socket, signal),
      deps.clock.sleep(CONNECT_MS, timer.signal).then(() => {
        throw linkFailure('host-unreachable', { detail: `${peer} within ${CONNECT_MS} ms` });
      }),
    ]);
  } catch (error) {
    await link.close();
    signal.throwIfAborted();
    throw linkFailure('host-unreachable', { detail: peer, cause: error });
  } finally {
    timer.abort();
  }
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  deps.log?.debug('tcp-opened', { peer });
  return link;
}

function connected(socket: Socket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      socket.off('connect', won);
      socket.off('error', lost);
      signal.removeEventListener('abort', stop);
    };
    const won = (): void => (settle(), resolve());
    const lost = (error: Error): void => (settle(), reject(error));
    const stop = (): void => (settle(), reject(signal.reason as Error));
    socket.once('connect', won);
    socket.once('error', lost);
    signal.addEventListener('abort', stop, { once: true });
  });
}

function tcpLink(socket: Socket, deps: TcpDeps, peer: string): ByteLink {
  const queue = byteQueue(deps.clock);
  const ended = new AbortController();
  // One listener per write that waits: their number is bounded by their bytes.
  setMaxListeners(0, ended.signal);
  let closing: Promise<void> | undefined;

  const end = (failure: Error | null): Promise<void> => {
    closing ??= (() => {
      queue.end(failure);
      ended.abort(failure ?? linkFailure('connection-lost', { detail: `${peer} was closed` }));
      const closed = new Promise<void>((resolve) => {
        if (socket.closed) resolve();
        else socket.once('close', () => resolve());
      });
      socket.destroy();
      return closed;
    })();
    return closing;
  };
  const lose = (cause?: unknown): void =>
    void end(linkFailure('connection-lost', { detail: peer, ...(cause === undefined ? {} : { cause }) }));

  socket.on('data', (chunk: Buffer) => queue.push(Uint8Array.from(chunk)));
  socket.on('error', lose);
  socket.on('end', () => lose());
  socket.on('close', () => lose());

  return {
    chunks: (signal) => queue.chunks(signal),
    get droppedBytes() {
      return queue.droppedBytes;
    },
    get chunkAtMono() {
      return queue.chunkAtMono;
    },
    write: boundedWrite({
      clock: deps.clock,
      ended: ended.signal,
      end,
      // The caller may re-use its buffer while the socket still holds it.
      send: (bytes, done) => void socket.write(Uint8Array.from(bytes), done),
      stallMs: () => WRITE_STALL_MS,
      full: () => linkFailure('connection-lost', { detail: `${peer} takes bytes too slowly` }),
      lost: (because) =>
        'stalled' in because
          ? linkFailure('connection-lost', { detail: `${peer} takes no bytes` })
          : linkFailure('connection-lost', { detail: peer, cause: because.cause }),
    }),
    close: () => end(null),
    [Symbol.asyncDispose]: () => end(null),
  };
}
