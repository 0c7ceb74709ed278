import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { isLoopbackHost, splitListen } from '../../config/listen.ts';
import type { ApiRequest, ApiResponse, HttpServer } from '../../core/host.ts';
import { httpFailure } from './errors.ts';
import { readBody } from './read-body.ts';
import { send } from './send.ts';

/** A till, a tablet, a phone and a scraper hold some ten connections; the rest is room for reloads. */
export const MAX_CONNECTIONS = 128;
export const MAX_CONNECTIONS_PER_PEER = 32;
const MAX_HEADER_BYTES = 16_384;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
// Longer than the minute at which scrapers and tills come back: they keep their connection.
const KEEP_ALIVE_MS = 75_000;
const CLOSE_GRACE_MS = 1_500;

export type ApiHandler = (request: ApiRequest) => Promise<ApiResponse>;

/**
 * Serves HTTP/1.1 on `host:port` until `signal` fires or the server is disposed: then streams end, answers under way
 * get 1.5 s, and what is still open is cut. A handler that throws is answered with 500.
 * Throws `listen-invalid`, `listen-busy`, `listen-refused`.
 */
export async function serveHttp(listen: string, handle: ApiHandler, signal: AbortSignal): Promise<HttpServer> {
  const { host, port } = splitListen(listen);
  if (!listen.includes(':') || host === '' || !Number.isInteger(port) || port < 0 || port > 65_535)
    throw httpFailure('listen-invalid', { detail: listen });
  signal.throwIfAborted();
  const open = new Set<AbortController>();
  let closing = false;
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 2_000,
    },
    (request, response) => {
      // One controller a request, told by hand: a signal derived from one that lives as long as the server would be
      // held by it for ever on Node 20.
      const gone = new AbortController();
      if (closing) gone.abort();
      open.add(gone);
      response.once('close', () => {
        open.delete(gone);
        gone.abort();
      });
      void answer(request, response, handle, gone);
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = 100;
  limitPerPeer(server);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else socket.end(clientErrorText(error.code));
  });
  await listening(server, host, port, listen);
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => {
    signal.removeEventListener('abort', onAbort);
    closing = true;
    closed ??= closeServer(server, open);
    return closed;
  };
  const onAbort = (): void => void close();
  signal.addEventListener('abort', onAbort, { once: true });
  return { url: `http://${name}:${address.port}`, [Symbol.asyncDispose]: close };
}

function listening(server: Server, host: string, port: number, listen: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      const code = error.code === 'EADDRINUSE' ? 'listen-busy' : 'listen-refused';
      reject(httpFailure(code, { detail: listen, cause: error }));
    };
    server.once('error', onError);
    server.listen({ host, port }, () => {
      server.off('error', onError);
      resolve();
    });
  });
}

async function closeServer(server: Server, open: ReadonlySet<AbortController>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const gone of open) gone.abort();
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  await closed;
  clearTimeout(cut);
}

function limitPerPeer(server: Server): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const peer = socket.remoteAddress ?? '';
    if (isLoopbackPeer(peer)) return;
    const count = (open.get(peer) ?? 0) + 1;
    if (count > MAX_CONNECTIONS_PER_PEER) {
      socket.destroy();
      return;
    }
    open.set(peer, count);
    socket.once('close', () => {
      const left = (open.get(peer) ?? 1) - 1;
      if (left === 0) open.delete(peer);
      else open.set(peer, left);
    });
  });
}

function isLoopbackPeer(address: string): boolean {
  return isLoopbackHost(address.replace(/^::ffff:/, ''));
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handle: ApiHandler,
  gone: AbortController,
): Promise<void> {
  const { signal } = gone;
  // Writing to a peer that has gone is its affair; `close` tells the handler.
  response.on('error', () => gone.abort());
  const headOnly = request.method === 'HEAD';
  try {
    const body = await readBody(request);
    if (body === 'too-long') {
      await send(response, problem(413, 'body-too-long', 'The body is longer than 256 KiB'), { headOnly, signal });
      return;
    }
    const given = await handle(toApiRequest(request, body, signal));
    // The server closes as soon as its last connection is idle: this one will not be needed again.
    if (signal.aborted) response.shouldKeepAlive = false;
    await send(response, given, { headOnly, signal });
  } catch {
    // Whoever handles requests has its own log; here is only a peer to be told.
    if (response.headersSent || response.destroyed) response.destroy();
    else await send(response, problem(500, 'bug', 'This request met a bug in the agent'), { headOnly, signal });
  }
}

function toApiRequest(request: IncomingMessage, body: Uint8Array, signal: AbortSignal): ApiRequest {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers))
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  const peer = request.socket.remoteAddress ?? '';
  return {
    method: request.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    headers,
    body,
    loopback: isLoopbackPeer(peer),
    peer,
    signal,
  };
}

function problem(status: number, code: string, message: string): ApiResponse {
  const hint = status === 413 ? 'Send less at a time' : 'Look at the agent’s log and report it';
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    body: JSON.stringify({ error: { code, message, hint } }),
  };
}

function clientErrorText(code: string | undefined): string {
  const status =
    code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  const body = JSON.stringify({
    error: { code: 'request-malformed', message: 'This is no HTTP request that can be read', hint: 'Check the client' },
  });
  const lines = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
