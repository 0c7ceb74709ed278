import type { IncomingMessage } from 'node:http';

/** The largest body that reaches a handler. A sale of 500 lines has about 150 KiB. */
export const MAX_BODY_BYTES = 262_144;
/** Of a longer body so much is still read and thrown away: closing on unread bytes would reset the connection before
 * the peer has read why. */
export const MAX_DRAINED_BYTES = 4_194_304;

/** The whole body, or `too-long` as soon as that is known; rejects when the peer goes away first. */
export function readBody(request: IncomingMessage): Promise<Uint8Array | 'too-long'> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    const tooLong = (): void => {
      chunks.length = 0;
      request.removeAllListeners('data');
      request.on('data', (chunk: Uint8Array) => {
        length += chunk.length;
        if (length > MAX_DRAINED_BYTES) request.destroy();
      });
      resolve('too-long');
    };
    request.once('error', reject);
    request.once('close', () => reject(new Error('the peer went away')));
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return tooLong();
    request.on('data', (chunk: Uint8Array) => {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) tooLong();
      else chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks, length)));
  });
}
