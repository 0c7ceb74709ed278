import { describe, expect, test } from 'vitest';
import { AgentError } from '../api/agent-error.ts';
import type { Clock, MonoMs, WallMs } from '../api/clock.ts';
import type { ByteLink } from '../api/transports.ts';
import { linkFailure } from './link-errors.ts';
import {
  FIRST_PAUSE_MS,
  GOOD_LINK_MS,
  hear,
  holdLinks,
  linkChanges,
  LONGEST_PAUSE_MS,
  type Reopening,
} from './reopening-link.ts';

/** Time that passes as soon as somebody waits for it; every wait is kept. */
function hurriedClock(): Clock & { readonly slept: number[]; now: number } {
  const slept: number[] = [];
  const clock = {
    now: 0,
    slept,
    wallMs: () => 0 as WallMs,
    monoMs: () => clock.now as MonoMs,
    sleep: async (ms: number, signal: AbortSignal) => {
      await Promise.resolve();
      signal.throwIfAborted();
      slept.push(ms);
      clock.now += ms;
    },
  };
  return clock;
}

interface Script {
  readonly chunks?: readonly string[];
  readonly loss?: Error;
  readonly livesMs?: number;
  readonly droppedAt?: number;
}

function scriptedLink(script: Script, clock: { now: number }, log: string[]): ByteLink {
  let droppedBytes = 0;
  let open = true;
  const close = async (): Promise<void> => {
    if (open) log.push('closed');
    open = false;
  };
  return {
    get droppedBytes() {
      return droppedBytes;
    },
    async *chunks() {
      clock.now += script.livesMs ?? 0;
      for (const [at, chunk] of (script.chunks ?? []).entries()) {
        if (script.droppedAt === at) droppedBytes += 10;
        yield new TextEncoder().encode(chunk);
      }
      if (script.loss !== undefined) throw script.loss;
    },
    write: () => Promise.resolve(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function world(scripts: readonly (Script | Error)[]): {
  port: Reopening;
  log: string[];
  clock: ReturnType<typeof hurriedClock>;
  stop: AbortController;
} {
  const clock = hurriedClock();
  const log: string[] = [];
  const stop = new AbortController();
  let next = 0;
  return {
    clock,
    log,
    stop,
    port: {
      clock,
      open: async () => {
        const script = scripts[next];
        next += 1;
        if (script === undefined) {
          stop.abort(new Error('the script is over'));
          throw stop.signal.reason;
        }
        if (script instanceof Error) throw script;
        log.push('opened');
        return scriptedLink(script, clock, log);
      },
    },
  };
}

const missing = linkFailure('port-missing');
const lost = linkFailure('port-lost');

async function heard(
  scripts: readonly (Script | Error)[],
): Promise<{ seen: string[]; log: string[]; slept: number[] }> {
  const { port, log, clock, stop } = world(scripts);
  const seen: string[] = [];
  for await (const signal of hear(port, stop.signal)) {
    if (signal.kind === 'bytes') seen.push(`${signal.gap ? 'gap ' : ''}${new TextDecoder().decode(signal.bytes)}`);
    else seen.push(signal.kind === 'down' ? signal.code : 'up');
  }
  return { seen, log, slept: clock.slept };
}

describe('a reopening link', () => {
  test('gives the bytes of one connection after the other, each closed before the next is opened', async () => {
    const { seen, log } = await heard([
      { chunks: ['a', 'b'], loss: lost },
      { chunks: ['c'], loss: lost },
    ]);
    expect(seen).toEqual(['up', 'a', 'b', 'port-lost', 'up', 'c', 'port-lost']);
    expect(log).toEqual(['opened', 'closed', 'opened', 'closed']);
  });

  test('says once why there is no link, and again when the reason changes', async () => {
    const { seen } = await heard([missing, missing, linkFailure('port-busy'), missing, {}]);
    expect(seen).toEqual(['port-missing', 'port-busy', 'port-missing', 'up']);
  });

  test('tries again ever more slowly up to a bound', async () => {
    const { slept } = await heard(Array.from({ length: 10 }, () => missing));
    expect(slept[0]).toBe(FIRST_PAUSE_MS);
    expect(Math.max(...slept)).toBe(LONGEST_PAUSE_MS);
    expect(slept).toEqual(slept.toSorted((a, b) => a - b));
  });

  test('starts again with short pauses after a link that lived, not after one that died at once', async () => {
    const dying = await heard([{ loss: lost }, { loss: lost }, { loss: lost }]);
    expect(dying.slept).toEqual([FIRST_PAUSE_MS, 2 * FIRST_PAUSE_MS, 4 * FIRST_PAUSE_MS]);
    const living = await heard([missing, missing, { loss: lost, livesMs: GOOD_LINK_MS }, missing]);
    expect(living.slept.slice(2)).toEqual([FIRST_PAUSE_MS, 2 * FIRST_PAUSE_MS]);
  });

  test('marks the chunk behind a gap', async () => {
    const { seen } = await heard([{ chunks: ['a', 'b', 'c'], droppedAt: 1 }]);
    expect(seen).toEqual(['up', 'a', 'gap b', 'c']);
  });

  test('gives the time at which a chunk came in, not the one at which it was read', async () => {
    const clock = hurriedClock();
    const link = { ...scriptedLink({ chunks: ['a', 'b'] }, clock, []), chunkAtMono: 7 };
    const stop = new AbortController();
    const times: number[] = [];
    for await (const signal of hear({ clock, open: async () => link }, stop.signal)) {
      clock.now += 5_000;
      if (signal.kind === 'bytes') times.push(signal.atMono);
      if (times.length === 2) stop.abort();
    }
    expect(times).toEqual([7, 7]);
  });

  test('says once after bytes that it is quiet, and loses no chunk by it', async () => {
    const clock = hurriedClock();
    let release: (() => void) | undefined;
    const link: ByteLink = {
      ...scriptedLink({}, clock, []),
      async *chunks() {
        yield new TextEncoder().encode('a');
        await new Promise<void>((resolve) => (release = resolve));
        yield new TextEncoder().encode('b');
      },
    };
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const signal of hear({ clock, open: async () => link, quietMs: 150 }, stop.signal)) {
      seen.push(signal.kind);
      if (signal.kind === 'quiet') release?.();
      if (seen.length === 4) stop.abort();
    }
    expect(seen).toEqual(['up', 'bytes', 'quiet', 'bytes']);
  });

  test('throws what is no failure of the world', async () => {
    await expect(heard([new TypeError('a bug')])).rejects.toThrow('a bug');
    await expect(heard([{ loss: new TypeError('a bug') }])).rejects.toThrow('a bug');
  });

  test('closes its link when the reader leaves', async () => {
    const { port, log, stop } = world([{ chunks: ['a'] }]);
    for await (const change of linkChanges(port, stop.signal)) {
      expect(change.kind).toBe('up');
      break;
    }
    expect(log).toEqual(['opened', 'closed']);
  });

  test('closes a link that came too late', async () => {
    const { port, log, stop } = world([{}]);
    const late: Reopening = {
      clock: port.clock,
      open: async (signal) => {
        const link = await port.open(signal);
        stop.abort();
        return link;
      },
    };
    for await (const change of linkChanges(late, stop.signal)) expect(change).toBe('never seen');
    expect(log).toEqual(['opened', 'closed']);
  });

  test('can be closed from outside the reading loop', async () => {
    const { port, log, stop } = world([{ chunks: ['a'] }]);
    const held = holdLinks(port);
    const changes = linkChanges(held, stop.signal);
    await changes.next();
    await held.close();
    expect(log).toEqual(['opened', 'closed']);
    await held.close();
    expect(lost).toBeInstanceOf(AgentError);
  });
});
