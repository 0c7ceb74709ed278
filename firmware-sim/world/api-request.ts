import type { ApiRequest } from '../../agent/core/host.ts';

/** What a till in the shop sends to the kit's local API. */
export function apiRequest(method: string, path: string, body: object | null, key: string): ApiRequest {
  return {
    method,
    path,
    query: new URLSearchParams(),
    headers: {
      host: '127.0.0.1:8080',
      ...(body === null ? {} : { 'content-type': 'application/json', 'idempotency-key': key }),
    },
    body: new TextEncoder().encode(body === null ? '' : JSON.stringify(body)),
    loopback: true,
  };
}
