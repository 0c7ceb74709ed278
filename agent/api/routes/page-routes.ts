import { createHash } from 'node:crypto';
import type { ApiResponse, PageFile } from '../../core/host.ts';
import { BASE_HEADERS } from '../answer.ts';
import type { ApiParts } from '../api-parts.ts';
import { apiFailure } from '../errors.ts';
import type { Call, Route } from '../route.ts';

/** Everything from this kit, nothing from elsewhere, no inline script or style, in no frame. */
export const CONTENT_SECURITY_POLICY: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The pages. They hold nothing of the kit: what they show they ask for, with the token where one is due. */
export function pageRoutes(pages: ApiParts['pages']): readonly Route[] {
  const etags = new Map<string, string>();
  const page = (path: string, summary: string, fileOf: (call: Call) => string): Route => ({
    method: 'GET',
    path,
    summary,
    open: true,
    answers: [{ status: 200, description: 'The file', contentType: 'text/html' }],
    handle: (call) => {
      const name = fileOf(call);
      const file = pages?.get(name);
      if (file === undefined) throw apiFailure('route-unknown');
      return sendFile(call, file, etagOf(etags, name, file));
    },
  });
  return [
    page('/', 'Status page', () => 'status.html'),
    page('/shelf', 'Shelf prices for a tablet', () => 'shelf.html'),
    page('/till', 'A small till', () => 'till.html'),
    page('/pages/{file}', 'A file of the pages', (call) => call.params['file'] ?? ''),
  ];
}

function sendFile(call: Call, file: PageFile, etag: string): ApiResponse {
  const headers = {
    ...BASE_HEADERS,
    'cache-control': 'no-cache',
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'content-type': file.contentType,
    'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=()',
    'x-frame-options': 'DENY',
    vary: 'accept-encoding',
    etag,
  };
  if (call.request.headers['if-none-match'] === etag) return { status: 304, headers, body: '' };
  const gzip = /(^|[\s,])gzip(?!\s*;\s*q=0(\.0*)?($|[\s,]))/i.test(call.request.headers['accept-encoding'] ?? '');
  return gzip
    ? { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body: file.gzipped }
    : { status: 200, headers, body: file.bytes };
}

function etagOf(etags: Map<string, string>, name: string, file: PageFile): string {
  let etag = etags.get(name);
  if (etag === undefined) {
    etag = `"${createHash('sha256').update(file.bytes).digest('base64url').slice(0, 22)}"`;
    etags.set(name, etag);
  }
  return etag;
}
