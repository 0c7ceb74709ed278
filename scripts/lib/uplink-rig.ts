import type { JsonObject, Stream } from '../../drivers/api/reading.ts';
import type { UplinkStatus } from '../../agent/core/status.ts';
import type { Ledger } from '../../agent/core/ledger.ts';
import { openLedger } from '../../agent/ledger/open-ledger.ts';
import { seededChance, simulatedClock, type SimulatedClock } from './simulated-clock.ts';
import { type Received, simulatedBroker, type SimulatedBroker } from './simulated-broker.ts';
import { uplinkFailure } from '../../agent/uplink/errors.ts';
import { makePulse, type Pulse } from '../../agent/uplink/pulse.ts';
import type { UplinkParts } from '../../agent/uplink/parts.ts';
import { runUplink } from '../../agent/uplink/run-uplink.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
export const KIT = 'barrow/v1/popup-014';

/** An uplink between a ledger in memory and a simulated broker, in simulated time. */
export interface Rig extends AsyncDisposable {
  readonly clock: SimulatedClock;
  readonly broker: SimulatedBroker;
  readonly ledger: Ledger;
  readonly prices: { sku: string; message: JsonObject }[];
  readonly commands: string[];
  readonly rules: Uint8Array[];
  status(): UplinkStatus;
  add(stream: Stream, count: number, data?: JsonObject): void;
  pending(stream: Stream): number;
  stop(): Promise<void>;
}

export function rig(more: Partial<UplinkParts> & { seed?: number; before?: (add: Rig['add']) => void } = {}): Rig {
  const clock = simulatedClock();
  const broker = simulatedBroker(clock);
  const chance = seededChance(more.seed ?? 1);
  const ledger = openLedger({
    store: { image: null },
    maxBytes: 256 * 1024 * 1024,
    retainAckedMs: 3_600_000,
    clock,
    chance,
    log: silent,
  });
  const appended: Pulse = makePulse();
  const over = new AbortController();
  const commands: string[] = [];
  const rules: Uint8Array[] = [];
  const prices: { sku: string; message: JsonObject }[] = [];
  let last: UplinkStatus | null = null;
  const add: Rig['add'] = (stream, count, data = {}) => {
    ledger.transaction((tx) => {
      for (let n = 0; n < count; n += 1)
        tx.append({ type: 'barrow.scan.v1', stream, subject: 's', data: { ...data, n }, atMono: clock.monoMs() });
    });
    appended.raise();
  };
  more.before?.(add);
  const running = runUplink(
    {
      dial: broker.dial,
      ledger,
      clock,
      chance,
      log: silent,
      url: 'mqtt://simulated',
      profile: 'generic',
      kit: { id: 'popup-014', group: 'northern' },
      health: () => ({ healthy: true }),
      takeChangedPrices: () => prices.splice(0),
      onCommand: async (name) => {
        commands.push(name);
        if (name === 'fails') throw new Error('boom');
        if (name === 'unknown') throw uplinkFailure('command-invalid');
        return { did: name };
      },
      onRules: (bytes) => rules.push(bytes),
      onStatus: (status) => (last = status),
      appended,
      ...more,
    },
    over.signal,
  );
  const stop = async (): Promise<void> => {
    over.abort(new Error('stop'));
    for (let n = 0; n < 50; n += 1) await clock.pass(100);
    await running;
  };
  return {
    clock,
    broker,
    ledger,
    prices,
    commands,
    rules,
    status: () => {
      if (last === null) throw new Error('the uplink has not said anything yet');
      return last;
    },
    add,
    pending: (stream) => ledger.depth().streams.find((one) => one.stream === stream)?.pendingRows ?? Number.NaN,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      ledger[Symbol.dispose]();
    },
  };
}

/** The sequences of a stream's events among these messages, alone and in batches, as they came. */
export function sequences(received: readonly Received[], stream: Stream): number[] {
  return received.flatMap(({ topic, text }) => {
    if (topic === `${KIT}/event/${stream}`) return [Number((JSON.parse(text) as { sequence: string }).sequence)];
    if (topic !== `${KIT}/batch/${stream}`) return [];
    return (JSON.parse(text) as { sequence: string }[]).map((event) => Number(event.sequence));
  });
}

export const upTo = (last: number): number[] => Array.from({ length: last }, (_, n) => n + 1);
export const topics = (broker: SimulatedBroker): string[] =>
  broker.received.map((one) => one.topic.slice(KIT.length + 1));
