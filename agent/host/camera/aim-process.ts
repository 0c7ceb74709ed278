// The aim page's own process: pictures and their decoders stay out of the agent, and end with it.
import { startAimServer } from './aim-server.ts';
import type { AimAnswer, AimRequest } from './open-aim.ts';

const over = new AbortController();
const end = (): void => over.abort(new Error('closed'));
process.on('disconnect', end);
process.on('SIGTERM', end);

process.once('message', (request: AimRequest) => {
  void serve(request);
});

async function serve({ source, minutes }: AimRequest): Promise<void> {
  const timer = setTimeout(end, minutes * 60_000);
  const server = await startAimServer(source, () => undefined, over.signal);
  process.send?.({ url: server.url } satisfies AimAnswer);
  await new Promise<void>((resolve) => {
    if (over.signal.aborted) resolve();
    else over.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  clearTimeout(timer);
  await server[Symbol.asyncDispose]();
  if (process.connected) process.disconnect();
}
