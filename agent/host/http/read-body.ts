import type { IncomingMessage } from 'node:http';

/** The largest body that reaches a handler. A sale of 500 lines has about 150 KiB. */
export const MAX_BODY_BYTES = 262_144;

/** The whole body, or `too-long` as soon as that is known; rejects when the peer goes away. */
export async function readBody(request: IncomingMessage): Promise<Uint8Array | 'too-long'> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > MAX_BODY_BYTES) return 'too-long';
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    // Leaving the loop destroys the request; the answer goes out on the socket that stays open a little longer.
    if (length > MAX_BODY_BYTES) return 'too-long';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}
