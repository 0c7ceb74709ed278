import { describe, expect, test } from 'vitest';
import type { CloudEvent } from './core/event.ts';
import { LiveFeed, MAX_READERS, READER_BACKLOG, RECENT_EVENTS } from './live-feed.ts';

const event = (n: number): CloudEvent => ({ id: String(n) }) as CloudEvent;
const events = (from: number, count: number): CloudEvent[] =>
  Array.from({ length: count }, (_, index) => event(from + index));

describe('the live feed', () => {
  test('keeps the newest events for a page that opens late', () => {
    const feed = new LiveFeed();
    feed.push(events(1, RECENT_EVENTS + 50));
    expect(feed.recent(1_000).length).toBe(RECENT_EVENTS);
    expect(feed.recent(2).map(({ id }) => id)).toEqual([String(RECENT_EVENTS + 49), String(RECENT_EVENTS + 50)]);
    expect(feed.recent(0)).toEqual([]);
  });

  test('gives each reader every event from then on, in order', async () => {
    const feed = new LiveFeed();
    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { id } of feed.live(stop.signal)) {
        seen.push(id);
        if (id === '6') stop.abort();
      }
    })();
    feed.push(events(1, 3));
    await Promise.resolve();
    feed.push(events(4, 3));
    await reading;
    expect(seen).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  test('skips and counts the oldest for a reader that is too slow', async () => {
    const feed = new LiveFeed();
    const stop = new AbortController();
    const reader = feed.live(stop.signal);
    const first = reader.next();
    feed.push(events(1, 1));
    await first;
    feed.push(events(2, READER_BACKLOG));
    feed.push(events(2 + READER_BACKLOG, 10));
    expect(feed.skipped).toBe(10);
    const next = await reader.next();
    expect(next.done === true ? null : next.value.id).toBe('12');
    stop.abort();
    await reader.return(undefined);
  });

  test('refuses one reader too many by giving it nothing', async () => {
    const feed = new LiveFeed();
    const stops = Array.from({ length: MAX_READERS }, () => new AbortController());
    const readers = stops.map(({ signal }) => feed.live(signal));
    const waiting = readers.map((reader) => reader.next());
    expect((await feed.live(new AbortController().signal).next()).done).toBe(true);
    for (const stop of stops) stop.abort();
    expect((await Promise.all(waiting)).every(({ done }) => done === true)).toBe(true);
  });
});
