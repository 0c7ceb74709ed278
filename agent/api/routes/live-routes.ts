import { z } from 'zod';
import type { Clock } from '../../../drivers/api/clock.ts';
import type { CloudEvent } from '../../core/event.ts';
import { BASE_HEADERS } from '../answer.ts';
import type { ApiParts } from '../api-parts.ts';
import { apiFailure } from '../errors.ts';
import { readInt } from '../read-request.ts';
import type { Route } from '../route.ts';

/** Readers of the live stream at a time: some phones, a tablet, a screen in the back office. */
export const MAX_STREAMS = 16;
/** Proxies close what is silent for a minute; a phone notices a lost kit in less. */
const HEARTBEAT_MS = 15_000;
const RETRY_MS = 2_000;
const MAX_RECENT = 200;

type Parts = Pick<ApiParts, 'view' | 'clock'>;

/** `/v1/events`: events as they are stored, as server-sent events. */
export function liveRoutes({ view, clock }: Parts): readonly Route[] {
  let open = 0;
  const route: Route = {
    method: 'GET',
    path: '/v1/events',
    summary: 'Events as they are stored (server-sent events); Last-Event-ID resumes from the newest 200',
    query: {
      recent: {
        description: `Begin with so many of the newest events, at most ${MAX_RECENT}`,
        schema: z.int().min(0).max(MAX_RECENT),
      },
      stream: { description: 'Only this stream', schema: z.string() },
      type: { description: 'Only this event type', schema: z.string() },
    },
    answers: [{ status: 200, description: 'One CloudEvent per message', contentType: 'text/event-stream' }],
    handle: ({ request, signal }) => {
      const recent = readInt(request.query, 'recent', { fallback: 0, min: 0, max: MAX_RECENT });
      if (open >= MAX_STREAMS) throw apiFailure('streams-full');
      const stream = request.query.get('stream');
      const type = request.query.get('type');
      const wanted = (event: CloudEvent): boolean =>
        (stream === null || event.stream === stream) && (type === null || event.type === type);
      const missed = since(view, request.headers['last-event-id'], recent);
      const held = {
        take: () => void (open += 1),
        release: () => void (open -= 1),
      };
      return {
        status: 200,
        headers: { ...BASE_HEADERS, 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' },
        body: { [Symbol.asyncIterator]: () => events(view, clock, missed, wanted, signal, held) },
      };
    },
  };
  return [route];
}

/** What a reader that comes back has missed, as far as it is still in memory. */
function since(view: Parts['view'], lastId: string | undefined, recent: number): readonly CloudEvent[] {
  if (lastId === undefined) return recent === 0 ? [] : view.recent(recent);
  const all = view.recent(MAX_RECENT);
  const at = all.findIndex((event) => event.id === lastId);
  return at < 0 ? all.slice(-recent || all.length) : all.slice(at + 1);
}

async function* events(
  view: Parts['view'],
  clock: Clock,
  missed: readonly CloudEvent[],
  wanted: (event: CloudEvent) => boolean,
  signal: AbortSignal,
  held: { take(): void; release(): void },
): AsyncGenerator<string> {
  const ended = new AbortController();
  const until = ended.signal;
  const onGone = (): void => ended.abort();
  signal.addEventListener('abort', onGone, { once: true });
  if (signal.aborted) onGone();
  held.take();
  try {
    // Asked for before anything is sent, so that no event falls between the old ones and the live ones.
    const source = view.live(until)[Symbol.asyncIterator]();
    let next = source.next();
    let beat = heartbeat(clock, until);
    yield `retry: ${RETRY_MS}\n: barrow\n\n`;
    const sent = new Set<string>();
    for (const event of missed) {
      sent.add(event.id);
      if (wanted(event)) yield frame(event);
    }
    while (!until.aborted) {
      const won = await Promise.race([next, beat]);
      if (won === 'over') break;
      if (won === 'beat') {
        beat = heartbeat(clock, until);
        yield ': still here\n\n';
        continue;
      }
      if (won.done === true) break;
      next = source.next();
      if (!sent.delete(won.value.id) && wanted(won.value)) yield frame(won.value);
    }
  } finally {
    signal.removeEventListener('abort', onGone);
    ended.abort();
    held.release();
  }
}

async function heartbeat(clock: Clock, signal: AbortSignal): Promise<'beat' | 'over'> {
  try {
    await clock.sleep(HEARTBEAT_MS, signal);
    return 'beat';
  } catch (error) {
    if (signal.aborted) return 'over';
    throw error;
  }
}

function frame(event: CloudEvent): string {
  return `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`;
}
