import { Socket } from 'node:net';
import { cliFailure } from '../errors.ts';

/** A pipe that says nothing for this long is given up: one whose writer never comes would never end. */
export const PIPE_WAIT_MS = 10_000;

const OPEN_ALREADY = /^\/dev\/(?:stdin|fd\/(\d{1,6}))$/;

/**
 * The descriptor behind `/dev/stdin` and `/dev/fd/N`, which is what a shell makes of `<(…)`; null for other paths. Only
 * what is open already is read from: opening a named pipe waits for a writer, and no signal ends that.
 */
export function openDescriptor(path: string): number | null {
  const match = OPEN_ALREADY.exec(path);
  return match === null ? null : Number(match[1] ?? 0);
}

/**
 * What comes through an open pipe until its end; null when it is more than is wanted. Throws `input-not-arriving` after
 * {@link PIPE_WAIT_MS} without a byte.
 */
export async function readOpenPipe(
  path: string,
  fd: number,
  maxBytes: number,
  waitMs: number = PIPE_WAIT_MS,
): Promise<Uint8Array | null> {
  // A socket because its reads are events: a blocked read of the file system's thread pool would outlive the command.
  const pipe = new Socket({ fd, readable: true, writable: false });
  pipe.setTimeout(waitMs, () => pipe.destroy(cliFailure('input-not-arriving', { detail: path })));
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of pipe as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > maxBytes) return null;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    pipe.destroy();
  }
}
