import type { ServerResponse } from 'node:http';
import type { ApiResponse } from '../../core/host.ts';

/** A reader of a stream that takes nothing for this long is cut off, so that it holds no memory and no slot. */
export const STALLED_READER_MS = 30_000;

/** Sends an answer; a stream until it ends, its reader goes or `signal` fires. */
export async function send(
  response: ServerResponse,
  answer: ApiResponse,
  options: { readonly headOnly: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { body } = answer;
  if (typeof body === 'string' || body instanceof Uint8Array) {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    response.writeHead(answer.status, { ...answer.headers, 'content-length': bytes.length });
    response.end(options.headOnly ? undefined : bytes);
    return;
  }
  response.writeHead(answer.status, answer.headers);
  const source = body[Symbol.asyncIterator]();
  if (options.headOnly) {
    response.end();
    await source.return?.();
    return;
  }
  response.flushHeaders();
  const gone = whenAborted(options.signal);
  let whole = false;
  try {
    for (;;) {
      const next = await Promise.race([source.next(), gone.promise]);
      if (next === null) break;
      if (next.done === true) {
        whole = true;
        break;
      }
      if (!response.write(next.value) && !(await drained(response, options.signal))) break;
    }
  } finally {
    gone.release();
    // A generator that waits inside ends with the signal, not with this call: it is not waited for.
    void source.return?.()?.catch(() => undefined);
    // A stream that broke off is cut, so that its reader does not take it for the whole.
    if (whole) response.end();
    else response.destroy();
  }
}

function whenAborted(signal: AbortSignal): { readonly promise: Promise<null>; release(): void } {
  let onAbort = (): void => undefined;
  const promise = new Promise<null>((resolve) => {
    onAbort = () => resolve(null);
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  return { promise, release: () => signal.removeEventListener('abort', onAbort) };
}

/** True when the socket takes more; false when its reader went or stalled. */
function drained(response: ServerResponse, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted || response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = (more: boolean) => () => {
      clearTimeout(timer);
      response.off('drain', onDrain);
      signal.removeEventListener('abort', onGone);
      if (!more) response.destroy();
      resolve(more);
    };
    const onDrain = settle(true);
    const onGone = settle(false);
    const timer = setTimeout(onGone, STALLED_READER_MS);
    response.once('drain', onDrain);
    signal.addEventListener('abort', onGone, { once: true });
  });
}
