import { expect, test, vi } from 'vitest';
import { scriptedKit, type ScriptedKit } from '../../../scripts/lib/scripted-kit.ts';
import type { ApiResponse } from '../../core/host.ts';
import { MAX_STREAMS } from './live-routes.ts';

interface Reader {
  readonly answer: ApiResponse;
  next(): Promise<string>;
  stop(): Promise<void>;
}

async function open(
  kit: ScriptedKit,
  query: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Reader> {
  const gone = new AbortController();
  const answer = await kit.call({
    path: '/v1/events',
    query: new URLSearchParams(query),
    headers,
    signal: gone.signal,
  });
  const source = (answer.body as AsyncIterable<string>)[Symbol.asyncIterator]?.();
  return {
    answer,
    next: async () => {
      const step = await source.next();
      return step.done === true ? 'over' : step.value;
    },
    stop: async () => {
      gone.abort();
      await source?.return?.();
    },
  };
}

const crossing = (kit: ScriptedKit, n: number): string =>
  kit.event('footfall', 'barrow.footfall.crossing.v1', { n }).id;

test('a reader gets what happens from now on, each with its id', async () => {
  const kit = scriptedKit();
  crossing(kit, 1);
  const reader = await open(kit);
  expect(reader.answer.headers!['content-type']).toBe('text/event-stream; charset=utf-8');
  expect(await reader.next()).toMatch(/^retry: \d+\n/);
  const id = crossing(kit, 2);
  expect(await reader.next()).toMatch(new RegExp(`^id: ${id}\ndata: \\{.*"n":2.*\\}\n\n$`));
  await reader.stop();
});

test('a reader that comes back gets what it missed, once', async () => {
  const kit = scriptedKit();
  const ids = [1, 2, 3].map((n) => crossing(kit, n));
  const reader = await open(kit, {}, { 'last-event-id': ids[0]! });
  await reader.next();
  expect(await reader.next()).toContain(`id: ${ids[1]}`);
  expect(await reader.next()).toContain(`id: ${ids[2]}`);
  const next = crossing(kit, 4);
  expect(await reader.next()).toContain(`id: ${next}`);
  await reader.stop();
});

test('a reader may begin with the newest and follow one stream or type', async () => {
  const kit = scriptedKit();
  crossing(kit, 1);
  const scan = kit.event('scan', 'barrow.scan.v1', {}).id;
  crossing(kit, 2);
  const reader = await open(kit, { recent: '3', stream: 'scan' });
  await reader.next();
  expect(await reader.next()).toContain(`id: ${scan}`);
  const later = kit.event('scan', 'barrow.scan.v1', {}).id;
  expect(await reader.next()).toContain(`id: ${later}`);
  await reader.stop();
});

test('a silent stream is kept open', async () => {
  const kit = scriptedKit();
  const reader = await open(kit);
  await reader.next();
  const next = reader.next();
  kit.clock.pass(15_000);
  expect(await next).toBe(': still here\n\n');
  await reader.stop();
});

test('one reader too many is refused until another has gone; a HEAD takes no place', async () => {
  const kit = scriptedKit();
  await open(kit).then((reader) => reader.stop());
  const readers = await Promise.all(Array.from({ length: MAX_STREAMS }, () => open(kit)));
  await Promise.all(readers.map((reader) => reader.next()));
  expect((await open(kit)).answer.status).toBe(503);
  await readers[0]!.stop();
  await vi.waitFor(async () => {
    const reader = await open(kit);
    expect(reader.answer.status).toBe(200);
  });
  await Promise.all(readers.map((reader) => reader.stop()));
});

test('a stream ends when its reader has gone', async () => {
  const kit = scriptedKit();
  const reader = await open(kit);
  await reader.next();
  const next = reader.next();
  await Promise.all([reader.stop(), expect(next).resolves.toBe('over')]);
});
