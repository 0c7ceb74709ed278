/**
 * Runs `work` with a signal that fires after `ms` or with the given one.
 * `AbortSignal.any([signal, AbortSignal.timeout(ms)])` will not do: on Node 20 and 22 nothing holds the time-out's
 * signal, and once it is collected it never fires (seen: a check that hung for ever).
 */
export async function within<T>(ms: number, signal: AbortSignal, work: (limit: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`not done within ${ms} ms`)), ms);
  const onAbort = (): void => late.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await work(late.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
