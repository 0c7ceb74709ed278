import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import type { CameraSource } from '../../../drivers/api/transports.ts';
import { keepLive } from './live.ts';
import { PictureSlot } from './picture-slot.ts';
import type { SourcePicture, SourceState } from './picture.ts';
import { readerOf } from './reader.ts';

/** What the page is drawn at; coordinates are told in pixels of the source all the same. */
const VIEW = { width: 960, height: 960 } as const;

/** Pictures a second that are fetched from the source: a still is enough to draw on. */
const VIEW_FPS = 2;

export interface AimServer extends AsyncDisposable {
  /** Address of the page, with the key without which nothing is served. Loopback only. */
  readonly url: string;
}

/**
 * Serves a page on loopback to draw lines on a live picture. It is the one place where a picture leaves a process: only
 * while it runs, only to this machine, only with the key in its address, never to disk, with a banner that says so.
 * @param source a file is played again and again
 */
export async function startAimServer(
  source: CameraSource,
  state: (state: SourceState) => void,
  signal: AbortSignal,
): Promise<AimServer> {
  const key = randomBytes(18).toString('base64url');
  const slot = new PictureSlot();
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  let latest: { readonly jpeg: Uint8Array; readonly width: number; readonly height: number } | undefined;
  const flow = keepLive(readerOf(source), { fps: VIEW_FPS, input: VIEW, skip: () => undefined, slot, state }, both);
  const fill = async (): Promise<void> => {
    for (;;) {
      const picture = await slot.take(both);
      latest = { jpeg: await encode(picture), width: picture.width, height: picture.height };
    }
  };
  const filled = fill().catch((error: unknown) => {
    if (!both.aborted) throw error;
  });
  const page = await readFile(new URL('./aim-page.html', import.meta.url), 'utf8');
  const server = createServer((request, response) => {
    const path = allowed(request, key);
    if (path === '/') answer(response, 200, 'text/html; charset=utf-8', page);
    else if (path === '/picture' && latest !== undefined) {
      response.setHeader('x-source-width', latest.width);
      response.setHeader('x-source-height', latest.height);
      answer(response, 200, 'image/jpeg', latest.jpeg);
    } else answer(response, path === null ? 403 : path === '/picture' ? 503 : 404, 'text/plain', '');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${key}/`,
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error('the page is closed'));
      latest = undefined;
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([flow, filled]);
    },
  };
}

/** The path behind the key; `null` when the key is wrong or the page was reached under a foreign name (DNS rebinding). */
function allowed(request: IncomingMessage, key: string): string | null {
  const host = request.headers.host ?? '';
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host) || request.method !== 'GET') return null;
  const [, given = '', rest = ''] = /^\/([^/?]*)(\/[^?]*)/.exec(request.url ?? '') ?? [];
  const right = Buffer.from(key);
  const wrong = Buffer.from(given);
  return wrong.length === right.length && timingSafeEqual(wrong, right) ? rest : null;
}

function answer(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'content-security-policy':
      "default-src 'none'; img-src blob:; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

async function encode(picture: SourcePicture): Promise<Uint8Array> {
  const image =
    picture.format === 'jpeg'
      ? sharp(picture.bytes, { failOn: 'none' }).resize({ ...VIEW, fit: 'inside', withoutEnlargement: true })
      : sharp(picture.bytes, { raw: { ...picture.format.scaled, channels: 3 } });
  return image.jpeg({ quality: 80 }).toBuffer();
}
