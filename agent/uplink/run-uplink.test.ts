import { describe, expect, it } from 'vitest';
import type { JsonObject, Stream } from '../../drivers/api/reading.ts';
import { STREAMS } from '../../drivers/api/reading.ts';
import type { UplinkStatus } from '../core/status.ts';
import type { Ledger } from '../core/ledger.ts';
import { openLedger } from '../ledger/open-ledger.ts';
import { seededChance, simulatedClock, type SimulatedClock } from '../../scripts/lib/simulated-clock.ts';
import { simulatedBroker, type Received, type SimulatedBroker } from '../../scripts/lib/simulated-broker.ts';
import { uplinkFailure } from './errors.ts';
import { makePulse, type Pulse } from './pulse.ts';
import type { UplinkParts } from './parts.ts';
import { runUplink } from './run-uplink.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const KIT = 'barrow/v1/popup-014';

interface Rig extends AsyncDisposable {
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

function rig(more: Partial<UplinkParts> & { seed?: number; before?: (add: Rig['add']) => void } = {}): Rig {
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
    status: () => last!,
    add,
    pending: (stream) => ledger.depth().streams.find((one) => one.stream === stream)!.pendingRows,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      ledger[Symbol.dispose]();
    },
  };
}

function sequences(received: readonly Received[], stream: Stream): number[] {
  return received.flatMap(({ topic, text }) => {
    if (topic === `${KIT}/event/${stream}`) return [Number((JSON.parse(text) as { sequence: string }).sequence)];
    if (topic !== `${KIT}/batch/${stream}`) return [];
    return (JSON.parse(text) as { sequence: string }[]).map((event) => Number(event.sequence));
  });
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, n) => n + 1);
const topics = (broker: SimulatedBroker): string[] => broker.received.map((one) => one.topic.slice(KIT.length + 1));

describe('the uplink on a good day', () => {
  it('is born, carries each event once and in order, and says why it went', async () => {
    const kit = rig();
    await kit.clock.pass(50);
    expect(JSON.parse(kit.broker.retained.get(`${KIT}/state`)!)).toMatchObject({ online: true });
    kit.add('sale', 3);
    kit.add('shelf', 20);
    await kit.clock.pass(200);
    expect(sequences(kit.broker.received, 'sale')).toEqual(upTo(3));
    expect(sequences(kit.broker.received, 'shelf')).toEqual(upTo(20));
    expect(topics(kit.broker)).not.toContain('batch/shelf');
    expect(kit.status()).toMatchObject({ state: 'online', protocol: '5', code: null });
    await kit.stop();
    expect(kit.broker.retained.get(`${KIT}/state`)).toBe('{"online":false,"reason":"stopped"}');
    expect(kit.pending('sale') + kit.pending('shelf')).toBe(0);
    expect(kit.status()).toMatchObject({ state: 'off', delivered: 23, duplicatesPossible: 0 });
  });

  it('drains a backlog in ascending batches of at most 64 KiB, behind what happens now', async () => {
    await using kit = rig({ before: (add) => add('shelf', 3_000, { text: 'é'.repeat(100) }) });
    kit.broker.receiveMaximum = 4;
    await kit.clock.pass(7);
    kit.add('shelf', 1);
    kit.add('sale', 1);
    await kit.clock.pass(5_000);
    const batches = kit.broker.received.filter((one) => one.topic.endsWith('batch/shelf'));
    expect(batches.length).toBeGreaterThan(10);
    for (const one of batches) expect(Buffer.byteLength(one.text)).toBeLessThanOrEqual(64 * 1024);
    const order = topics(kit.broker);
    expect(order.indexOf('event/sale')).toBeLessThan(order.lastIndexOf('batch/shelf'));
    expect(order.indexOf('event/shelf')).toBeLessThan(order.lastIndexOf('batch/shelf'));
    expect(sequences(batches, 'shelf')).toEqual(upTo(3_000));
    expect(kit.pending('shelf')).toBe(0);
    expect(kit.broker.inFlightMost).toBeLessThanOrEqual(4);
  });

  it('sends sales first, and yet never starves the others', async () => {
    await using kit = rig({ batchFromRows: Number.POSITIVE_INFINITY });
    kit.broker.receiveMaximum = 1;
    await kit.clock.pass(200);
    kit.broker.received.length = 0;
    kit.add('shelf', 40);
    kit.add('sale', 40);
    await kit.clock.pass(5 * 40);
    const seen = topics(kit.broker).filter((topic) => topic.startsWith('event/'));
    const early = seen.slice(0, 32);
    expect(early.filter((topic) => topic === 'event/sale').length).toBeGreaterThan(24);
    expect(early).toContain('event/shelf');
  });

  it('announces manifests, health and prices as retained messages, the newest price only', async () => {
    await using kit = rig();
    kit.prices.push({ sku: 'A/1', message: { priceMinor: 1 } }, { sku: 'A/1', message: { priceMinor: 2 } });
    kit.add('scan', 2);
    await kit.clock.pass(6_000);
    expect(JSON.parse(kit.broker.retained.get(`${KIT}/manifest/scan`)!)).toMatchObject({
      epoch: kit.ledger.epoch,
      first: 1,
      last: 2,
      losses: [],
    });
    expect(kit.broker.retained.get(`${KIT}/price/A%2F1`)).toBe('{"priceMinor":2}');
    expect(kit.broker.retained.get(`${KIT}/health`)).toBe('{"healthy":true}');
    await kit.clock.pass(120_000);
    expect(topics(kit.broker).filter((topic) => topic === 'health')).toHaveLength(3);
  });
});

describe('the uplink on a bad day', () => {
  it.each(upTo(30))('loses nothing to broken, silent, late and refusing brokers (seed %i)', async (seed) => {
    const kit = rig({ seed });
    const chance = seededChance(seed * 7919);
    const trouble = (): boolean => kit.clock.monoMs() < 120_000;
    kit.broker.fate = () => {
      const dice = trouble() ? chance.float() : 1;
      if (dice < 0.01) return { break: true, taken: chance.float() < 0.5, silent: true };
      if (dice < 0.012) return { silent: true, taken: true };
      if (dice < 0.03) return { code: 0x97 };
      if (dice < 0.06) return { delayMs: 900 };
      return {};
    };
    for (let n = 0; n < 120; n += 1) {
      kit.add(STREAMS[Math.floor(chance.float() * STREAMS.length)]!, 1 + Math.floor(chance.float() * 30));
      if (chance.float() < 0.02) kit.broker.hangUp(0x8b);
      await kit.clock.pass(1_000);
    }
    await kit.clock.pass(300_000);
    await kit.stop();
    for (const stream of STREAMS) {
      const { last } = kit.ledger.manifest(stream);
      expect(kit.pending(stream)).toBe(0);
      expect([...new Set(sequences(kit.broker.received, stream))].toSorted((a, b) => a - b)).toEqual(upTo(last));
    }
    kit.ledger[Symbol.dispose]();
  });

  it('keeps a row whose PUBACK never came, and sends it again on the next connection', async () => {
    await using kit = rig();
    await kit.clock.pass(50);
    kit.broker.fate = ({ topic }) => (topic.endsWith('event/sale') ? { taken: true, silent: true } : {});
    kit.add('sale', 1);
    await kit.clock.pass(100);
    expect(kit.pending('sale')).toBe(1);
    kit.broker.fate = () => ({});
    kit.broker.hangUp(null);
    await kit.clock.pass(5_000);
    expect(sequences(kit.broker.received, 'sale')).toEqual([1, 1]);
    expect(kit.pending('sale')).toBe(0);
    expect(kit.status().duplicatesPossible).toBe(1);
  });

  it('gives up a connection on which nothing is acknowledged for 30 s', async () => {
    await using kit = rig();
    await kit.clock.pass(100);
    kit.broker.fate = () => ({ silent: true });
    kit.add('scan', 1);
    await kit.clock.pass(29_000);
    expect(kit.broker.dials).toBe(1);
    await kit.clock.pass(5_000);
    expect(kit.broker.dials).toBeGreaterThan(1);
  });

  it('keeps a sale that no subscriber would have had, without holding up anything else', async () => {
    await using kit = rig();
    await kit.clock.pass(100);
    let listeners = false;
    kit.broker.fate = ({ topic }) =>
      topic.includes('/event/') || topic.includes('/batch/') ? { code: listeners ? 0 : 0x10, taken: listeners } : {};
    kit.add('sale', 5);
    kit.add('scan', 5);
    await kit.clock.pass(20_000);
    expect(kit.pending('sale')).toBe(5);
    expect(kit.pending('scan')).toBe(0);
    expect(kit.status().code).toBe('uplink-no-subscriber');
    listeners = true;
    await kit.clock.pass(10_000);
    expect(sequences(kit.broker.received, 'sale')).toEqual(upTo(5));
    expect(kit.status().code).toBeNull();
  });

  it('quarantines a row that alone is too large for the broker, and goes on', async () => {
    await using kit = rig();
    kit.broker.maximumPacketSize = 2_000;
    kit.add('sale', 1, { text: 'x'.repeat(3_000) });
    kit.add('sale', 2);
    await kit.clock.pass(1_000);
    expect(sequences(kit.broker.received, 'sale')).toEqual([2, 3, 4]);
    expect(kit.ledger.manifest('sale').losses).toEqual([expect.objectContaining({ from: 1, to: 1 })]);
    expect(kit.status().quarantined).toBe(1);
  });

  it('finds the one row that ends connections, quarantines it and delivers all others', async () => {
    await using kit = rig({
      before: (add) => {
        add('scan', 100);
        add('scan', 1, { poison: true });
        add('scan', 100);
      },
    });
    kit.broker.fate = ({ text }) => (text.includes('"poison":true') ? { break: true, silent: true, taken: false } : {});
    await kit.clock.pass(400_000);
    expect(kit.pending('scan')).toBe(0);
    expect(kit.ledger.manifest('scan').losses).toEqual([expect.objectContaining({ from: 101, to: 101 })]);
    const all = new Set(sequences(kit.broker.received, 'scan'));
    expect(upTo(202).filter((sequence) => !all.has(sequence))).toEqual([101]);
  });

  it('does not quarantine because of a network that breaks again and again', async () => {
    await using kit = rig({ before: (add) => add('sale', 500) });
    let message = 0;
    kit.broker.fate = () => ((message += 1) % 40 === 0 ? { break: true, silent: true, taken: false } : {});
    await kit.clock.pass(900_000);
    expect(kit.pending('sale')).toBe(0);
    expect(kit.status().quarantined).toBe(0);
  });

  it('comes back more and more slowly, with jitter, and starts afresh only after a stable connection', async () => {
    await using kit = rig();
    kit.broker.refuse = 'broker-unreachable';
    await kit.clock.pass(600_000);
    expect(kit.broker.dials).toBeGreaterThan(8);
    expect(kit.broker.dials).toBeLessThan(30);
    kit.broker.refuse = null;
    await kit.clock.pass(95_000);
    expect(kit.status().state).toBe('online');
    kit.broker.hangUp(null);
    await kit.clock.pass(2_000);
    expect(kit.status().state).toBe('online');
  });

  it('waits long and says so when the broker refuses the login or someone else took its place', async () => {
    await using kit = rig();
    await kit.clock.pass(50);
    kit.broker.hangUp(0x8e);
    await kit.clock.pass(25_000);
    expect(kit.broker.dials).toBe(1);
    expect(kit.status().code).toBe('uplink-taken-over');
    await kit.clock.pass(40_000);
    expect(kit.broker.dials).toBe(2);
  });

  it('halves its window when the broker calls it too much', async () => {
    await using kit = rig({ before: (add) => add('scan', 3_000), batchFromRows: Number.POSITIVE_INFINITY });
    await kit.clock.pass(20);
    kit.broker.hangUp(0x93);
    kit.broker.inFlightMost = 0;
    await kit.clock.pass(30_000);
    expect(kit.broker.inFlightMost).toBe(50);
  });

  it('keeps to 100 publishes and 512 KB a second for AWS', async () => {
    await using kit = rig({
      profile: 'aws',
      batchFromRows: Number.POSITIVE_INFINITY,
      before: (add) => add('scan', 2_000),
    });
    await kit.clock.pass(10_000);
    const sent = kit.broker.received.length;
    expect(sent).toBeGreaterThan(900);
    expect(sent).toBeLessThanOrEqual(1_101);
  });
});

describe('commands', () => {
  const bytes = (value: unknown): Uint8Array =>
    new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
  const answers = (kit: Rig): Received[] =>
    kit.broker.received.filter((one) => one.topic.includes('/reply/') || one.topic === 'answers');

  it('sends a range again at most as fast as agreed, and takes a back-end’s cumulative word', async () => {
    await using kit = rig();
    await kit.clock.pass(50);
    kit.add('scan', 6_000);
    await kit.clock.pass(5_000);
    kit.broker.received.length = 0;
    const { epoch } = kit.ledger;
    kit.broker.send({
      topic: `${KIT}/command/resend`,
      payload: bytes({ id: 'r1', stream: 'scan', epoch, from: 1, to: 6_000 }),
    });
    await kit.clock.pass(1_000);
    const soon = sequences(kit.broker.received, 'scan').length;
    expect(soon).toBeGreaterThan(1_000);
    expect(soon).toBeLessThanOrEqual(4_200);
    await kit.clock.pass(5_000);
    expect(sequences(kit.broker.received, 'scan')).toEqual(upTo(6_000));
    expect(JSON.parse(answers(kit)[0]!.text)).toMatchObject({ ok: true, from: 1, to: 6_000 });
    kit.broker.fate = ({ topic }) => (topic.includes('/event/') ? { silent: true } : {});
    kit.add('sale', 4);
    await kit.clock.pass(100);
    expect(kit.pending('sale')).toBe(4);
    kit.broker.send({ topic: `${KIT}/command/ack`, payload: bytes({ stream: 'sale', epoch, through: 3 }) });
    await kit.clock.pass(100);
    expect(kit.pending('sale')).toBe(1);
  });

  it('takes sequences as numbers and as the decimal text that an event carries', async () => {
    await using kit = rig();
    await kit.clock.pass(50);
    kit.add('scan', 5);
    await kit.clock.pass(500);
    kit.broker.received.length = 0;
    const { epoch } = kit.ledger;
    kit.broker.send({
      topic: `${KIT}/command/resend`,
      payload: bytes({ id: 'r2', stream: 'scan', epoch, from: '2', to: '4' }),
    });
    await kit.clock.pass(2_000);
    expect(sequences(kit.broker.received, 'scan')).toEqual([2, 3, 4]);
    expect(JSON.parse(answers(kit)[0]!.text)).toMatchObject({ ok: true, from: 2, to: 4 });
  });

  it('says that it is online before the first health message is made', async () => {
    let seen = '';
    await using kit = rig({
      health: () => {
        seen ||= kit.status().state;
        return {};
      },
    });
    await kit.clock.pass(500);
    expect(seen).toBe('online');
  });

  it('answers to the MQTT 5 response topic, else under reply, and passes other commands on', async () => {
    await using kit = rig();
    await kit.clock.pass(50);
    kit.broker.send({ topic: `${KIT}/command/identify`, payload: new Uint8Array(), responseTopic: 'answers' });
    kit.broker.send({ topic: `${KIT}/command/reload`, payload: bytes({ id: 'q-7' }) });
    await kit.clock.pass(50);
    expect(kit.commands).toEqual(['identify', 'reload']);
    expect(
      answers(kit)
        .map((one) => one.topic)
        .toSorted(),
    ).toEqual(['answers', `${KIT}/reply/q-7`]);
  });

  it('hands over rules as they came and ignores their deletion', async () => {
    await using kit = rig();
    await kit.clock.pass(50);
    kit.broker.send({ topic: `${KIT}/rules`, payload: bytes('{}'), retain: true });
    kit.broker.send({ topic: 'barrow/v1/group/northern/rules', payload: new Uint8Array(), retain: true });
    await kit.clock.pass(50);
    expect(kit.rules.map((one) => new TextDecoder().decode(one))).toEqual(['{}']);
  });

  it('survives everything hostile that can come in, and refuses it by code', async () => {
    await using kit = rig();
    await kit.clock.pass(50);
    const { epoch } = kit.ledger;
    const refused: [unknown, string][] = [
      ['{', 'command-invalid'],
      ['[1]', 'command-invalid'],
      ['null', 'command-invalid'],
      ['['.repeat(5_000), 'command-invalid'],
      [`{"a":${'['.repeat(20)}${']'.repeat(20)}}`, 'command-invalid'],
      ['x'.repeat(70_000), 'command-too-large'],
      [{ stream: 'scan', epoch: 'other', from: 1, to: 1 }, 'epoch-unknown'],
      [{ stream: 'scan', epoch, from: 1, to: 9e15 }, 'range-unknown'],
      [{ stream: 'scan', epoch, from: -1, to: 1 }, 'command-invalid'],
      [{ stream: '__proto__', epoch, from: 1, to: 1 }, 'command-invalid'],
    ];
    for (const [payload, code] of refused) {
      kit.broker.received.length = 0;
      kit.broker.send({ topic: `${KIT}/command/resend`, payload: bytes(payload) });
      await kit.clock.pass(20);
      expect(JSON.parse(answers(kit)[0]!.text)).toMatchObject({ ok: false, error: { code } });
    }
    kit.broker.received.length = 0;
    kit.broker.send({ topic: `${KIT}/command/fails`, payload: bytes({}) });
    kit.broker.send({ topic: `${KIT}/command/UPPER/case`, payload: bytes({}) });
    kit.broker.send({ topic: `${KIT}/command/reload`, payload: bytes({}), retain: true });
    for (const responseTopic of [
      'a/#',
      '$SYS/x',
      'barrow/v1/other/command/reload',
      `${KIT}/event/sale`,
      'x'.repeat(300),
    ])
      kit.broker.send({ topic: `${KIT}/command/identify`, payload: bytes({}), responseTopic });
    await kit.clock.pass(50);
    expect(answers(kit)).toHaveLength(1);
    expect(JSON.parse(answers(kit)[0]!.text)).toMatchObject({ ok: false, error: { code: 'command-failed' } });
    expect(kit.commands).not.toContain('reload');
    expect(kit.status().state).toBe('online');
    kit.add('sale', 1);
    await kit.clock.pass(100);
    expect(kit.pending('sale')).toBe(0);
  });
});
