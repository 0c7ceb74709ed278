import { connect, type Socket } from 'node:net';
import { request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import type { ApiRequest, ApiResponse, HttpServer } from '../../core/host.ts';
import { MAX_BODY_BYTES } from './read-body.ts';
import { serveHttp, type ApiHandler } from './serve.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server[Symbol.asyncDispose]();
});

async function served(handle: ApiHandler, listen = '127.0.0.1:0'): Promise<HttpServer> {
  const server = await serveHttp(listen, handle, new AbortController().signal);
  open.push(server);
  return server;
}

function resolvers(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: () => resolve() };
}

const ok: ApiHandler = () => Promise.resolve({ status: 200, body: 'fine' });
const portOf = (server: HttpServer): number => Number(new URL(server.url).port);

/** Bytes over a bare socket; what comes back until the peer closes. */
function raw(server: HttpServer, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket: Socket = connect(portOf(server), '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

describe('a request', () => {
  test('comes to the handler as it was sent, and its answer goes back', async () => {
    let seen: ApiRequest | null = null;
    const server = await served((request) => {
      seen = request;
      return Promise.resolve({ status: 201, headers: { 'x-test': '1' }, body: Uint8Array.of(0, 255) });
    });
    const answer = await fetch(`${server.url}/v1/a%2Fb?x=1&x=2`, {
      method: 'POST',
      body: 'hällo',
      headers: { 'X-Given': 'a' },
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('x-test')).toBe('1');
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(Uint8Array.of(0, 255));
    expect(seen).toMatchObject({
      method: 'POST',
      path: '/v1/a%2Fb',
      loopback: true,
      peer: '127.0.0.1',
      headers: { 'x-given': 'a', host: new URL(server.url).host },
    });
    expect(seen!.query.getAll('x')).toEqual(['1', '2']);
    expect(Buffer.from(seen!.body).toString()).toBe('hällo');
  });

  test('over IPv6 comes from loopback too', async () => {
    const server = await served(
      (request) => Promise.resolve({ status: 200, body: String(request.loopback) }),
      '[::1]:0',
    );
    expect(server.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect(await (await fetch(server.url)).text()).toBe('true');
  });

  test('with HEAD gets no body', async () => {
    const server = await served(ok);
    const answer = await fetch(server.url, { method: 'HEAD' });
    expect(answer.headers.get('content-length')).toBe('4');
    expect(await answer.text()).toBe('');
  });

  test('whose handler throws is answered 500, and the next one as usual', async () => {
    let calls = 0;
    const server = await served(() => ((calls += 1) === 1 ? Promise.reject(new Error('secret')) : ok(null as never)));
    const answer = await fetch(server.url);
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('secret');
    expect((await fetch(server.url)).status).toBe(200);
  });

  test('keeps its connection for the next', async () => {
    const server = await served(ok);
    const twice = await raw(
      server,
      'GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    expect(twice.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });
});

describe('a body', () => {
  test('of just the bound arrives, one byte more never reaches the handler', async () => {
    const lengths: number[] = [];
    const server = await served((request) => {
      lengths.push(request.body.length);
      return ok(request);
    });
    const send = (length: number): Promise<Response> =>
      fetch(server.url, { method: 'POST', body: new Uint8Array(length) });
    expect((await send(MAX_BODY_BYTES)).status).toBe(200);
    const refused = await send(MAX_BODY_BYTES + 1);
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({ error: { code: 'body-too-long' } });
    expect(lengths).toEqual([MAX_BODY_BYTES]);
  });

  test('without a declared length is counted as it comes', async () => {
    const server = await served(ok);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sending = request(server.url, { method: 'POST' }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      sending.on('error', reject);
      sending.write(Buffer.alloc(200_000));
      sending.write(Buffer.alloc(100_000));
      sending.end();
    });
    expect(status).toBe(413);
  });

  test('that never ends is cut', async () => {
    const server = await served(ok);
    const answer = await raw(
      server,
      Buffer.concat([
        Buffer.from('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n'),
        Buffer.alloc(6_000_000),
      ]),
    );
    expect(answer).toContain('413');
  });
});

describe('bytes that are no request', () => {
  test.each<[string, string, string]>([
    ['garbage', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', '400'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', '400'],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      '400',
    ],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', '400'],
    ['endless headers', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, '431'],
  ])('%s', async (_what, bytes, status) => {
    let calls = 0;
    const server = await served((request) => {
      calls += 1;
      return ok(request);
    });
    expect(await raw(server, bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(calls).toBe(0);
    expect((await fetch(server.url)).status).toBe(200);
  });
});

describe('a stream', () => {
  test('goes out piece by piece and ends when its reader has gone', async () => {
    const ended = resolvers();
    const server = await served((request) => {
      async function* pieces(): AsyncGenerator<string> {
        try {
          for (let n = 0; ; n += 1) {
            yield `piece ${n}\n`;
            if (n > 0)
              await new Promise((resolve) => request.signal!.addEventListener('abort', resolve, { once: true }));
            if (request.signal!.aborted) return;
          }
        } finally {
          ended.resolve();
        }
      }
      return Promise.resolve({ status: 200, headers: { 'content-type': 'text/event-stream' }, body: pieces() });
    });
    const gone = new AbortController();
    const answer = await fetch(server.url, { signal: gone.signal });
    const reader = answer.body!.getReader();
    expect(Buffer.from((await reader.read()).value ?? '').toString()).toContain('piece 0');
    gone.abort();
    await ended.promise;
  });

  test('waits for a slow reader instead of filling memory', async () => {
    let made = 0;
    const server = await served(() => {
      async function* flood(): AsyncGenerator<string> {
        for (;;) {
          made += 1;
          yield 'x'.repeat(65_536);
        }
      }
      return Promise.resolve({ status: 200, body: flood() });
    });
    const socket = connect(portOf(server), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    let before = -1;
    // Until nothing more is taken: the sockets' buffers are full.
    await expect
      .poll(
        () => {
          const still = made === before && made > 0;
          before = made;
          return still;
        },
        { interval: 250, timeout: 10_000 },
      )
      .toBe(true);
    expect(made).toBeLessThan(500);
    socket.destroy();
  });

  test('that fails ends the connection, nothing else', async () => {
    const server = await served(() => {
      async function* broken(): AsyncGenerator<string> {
        yield 'a';
        throw new Error('broken');
      }
      return Promise.resolve({ status: 200, body: broken() } satisfies ApiResponse);
    });
    await expect(fetch(server.url).then((answer) => answer.text())).rejects.toBeInstanceOf(TypeError);
    expect((await fetch(server.url, { method: 'HEAD' })).status).toBe(200);
  });
});

describe('the server', () => {
  test('closes within two seconds although a stream and a slow handler are open', async () => {
    const server = await served((request) => {
      if (request.path === '/slow') return new Promise(() => undefined);
      async function* never(): AsyncGenerator<string> {
        yield 'first';
        await new Promise(() => undefined);
      }
      return Promise.resolve({ status: 200, body: never() });
    });
    const stream = await fetch(`${server.url}/stream`);
    const slow = fetch(`${server.url}/slow`).catch(() => 'cut');
    const before = performance.now();
    await server[Symbol.asyncDispose]();
    expect(performance.now() - before).toBeLessThan(2_000);
    expect(await slow).toBe('cut');
    await stream.text().catch(() => undefined);
    await expect(fetch(server.url)).rejects.toBeInstanceOf(TypeError);
  });

  test('lets an answer under way finish', async () => {
    const release = resolvers();
    const asked = resolvers();
    const server = await served(async () => {
      asked.resolve();
      await release.promise;
      return { status: 200, body: 'finished' };
    });
    const answer = fetch(server.url);
    await asked.promise;
    const closed = server[Symbol.asyncDispose]();
    release.resolve();
    expect(await (await answer).text()).toBe('finished');
    await closed;
  });

  test('stops with its signal', async () => {
    const stop = new AbortController();
    const server = await serveHttp('127.0.0.1:0', ok, stop.signal);
    stop.abort();
    await server[Symbol.asyncDispose]();
    await expect(fetch(server.url)).rejects.toBeInstanceOf(TypeError);
  });

  test('says which address it cannot have', async () => {
    const server = await served(ok);
    await expect(serveHttp(`127.0.0.1:${portOf(server)}`, ok, new AbortController().signal)).rejects.toMatchObject({
      code: 'listen-busy',
      exit: 2,
    });
    await expect(serveHttp('192.0.2.1:0', ok, new AbortController().signal)).rejects.toMatchObject({
      code: 'listen-refused',
    });
    for (const listen of ['8080', ':8080', '127.0.0.1:x', '127.0.0.1:70000', ''])
      await expect(serveHttp(listen, ok, new AbortController().signal), listen).rejects.toMatchObject({
        code: 'listen-invalid',
      });
  });
});
