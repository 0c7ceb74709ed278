import { expect, test } from 'vitest';
import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { BrokerLink, LinkEnd } from '../core/host.ts';
import { HEALTH_EVERY_MS } from './announcements.ts';
import { STALLED_MS } from './connection.ts';
import { brokerFailure } from '../host/mqtt/errors.ts';
import { sayUnopened } from './say-unopened.ts';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

function rig(options: { readonly refusals?: number; readonly answers?: boolean } = {}) {
  const { answers = true } = options;
  let refusals = options.refusals ?? 0;
  let mono = 0;
  let sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  const said: string[] = [];
  let end: (end: LinkEnd) => void = () => undefined;
  const state = { code: 'ledger-io', dials: 0, closed: 0 };
  const link = (): BrokerLink => ({
    protocol: 5,
    receiveMaximum: 10,
    maximumPacketSize: null,
    publish: (topic, payload, { retain }) => {
      said.push(`${topic} ${String(payload)} ${retain}`);
      return answers ? Promise.resolve(0) : new Promise(() => undefined);
    },
    subscribe: () => Promise.reject(new Error('nobody listens')),
    messages: () => {
      throw new Error('nobody listens');
    },
    droppedMessages: () => 0,
    ended: new Promise((resolve) => (end = resolve)),
    close: async () => void (state.closed += 1),
    [Symbol.asyncDispose]: async () => void (state.closed += 1),
  });
  const stop = new AbortController();
  const running = sayUnopened(
    {
      kit: { id: 'k' },
      dial: async (will) => {
        state.dials += 1;
        expect(will).toEqual({ topic: 'barrow/v1/k/state', payload: '{"online":false}' });
        if ((refusals -= 1) >= 0) throw brokerFailure('broker-unreachable');
        return link();
      },
      clock: {
        monoMs: () => mono as MonoMs,
        wallMs: () => 0 as WallMs,
        sleep: (ms, signal) =>
          new Promise((resolve, reject) => {
            if (signal.aborted) reject(signal.reason as Error);
            sleepers.push({ at: mono + ms, wake: resolve });
            signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
          }),
      },
      chance: { float: () => 0, bytes: (length) => new Uint8Array(length) },
      log: quiet,
      code: () => state.code,
      health: () => ({ degraded: true }),
    },
    stop.signal,
  );
  return {
    said,
    state,
    end: () => end({ by: 'network', reasonCode: null, detail: '' }),
    pass: async (ms: number) => {
      await settled();
      mono += ms;
      const due = sleepers.filter(({ at }) => at <= mono);
      sleepers = sleepers.filter(({ at }) => at > mono);
      for (const { wake } of due) wake();
      await settled();
    },
    stop: async () => {
      stop.abort(new Error('opened'));
      await running;
    },
  };
}

const state = (reason: string): string => `barrow/v1/k/state {"online":false,"reason":"${reason}"} true`;
const health = 'barrow/v1/k/health {"degraded":true} true';

test('a kit without its ledger says why, and its health, each minute', async () => {
  const kit = rig();
  await kit.pass(0);
  expect(kit.said).toEqual([state('ledger-io'), health]);
  kit.state.code = 'ledger-full';
  await kit.pass(HEALTH_EVERY_MS);
  expect(kit.said.slice(2)).toEqual([state('ledger-full'), health]);
  await kit.stop();
  expect(kit.state).toMatchObject({ dials: 1, closed: 1 });
});

test('a broker that cannot be reached, or goes, is dialled again after a pause', async () => {
  const kit = rig({ refusals: 2 });
  await kit.pass(0);
  expect(kit.state.dials).toBe(1);
  await kit.pass(1_000);
  await kit.pass(2_000);
  expect(kit.said).toHaveLength(2);
  kit.end();
  await kit.pass(0);
  expect(kit.state).toMatchObject({ dials: 3, closed: 1 });
  await kit.pass(60_000);
  expect(kit.state.dials).toBe(4);
  await kit.stop();
});

test('a broker that accepts and never acknowledges is left for another try', async () => {
  const kit = rig({ answers: false });
  await kit.pass(0);
  await kit.pass(STALLED_MS);
  expect(kit.state.closed).toBe(1);
  await kit.pass(60_000);
  expect(kit.state.dials).toBe(2);
  await kit.stop();
});
