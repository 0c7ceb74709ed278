import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import { STREAMS, type Stream } from '../../drivers/api/reading.ts';
import type { PendingEvent } from '../core/event.ts';
import { openLedger } from './open-ledger.ts';
import type { SqliteLedger } from './sqlite-ledger.ts';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const all = { maxRows: 100_000, maxBytes: Infinity };

type Step =
  | { readonly do: 'append'; readonly stream: Stream; readonly count: number; readonly size: number }
  | { readonly do: 'burn'; readonly stream: Stream; readonly count: number }
  | { readonly do: 'unstored'; readonly stream: Stream; readonly count: number }
  | { readonly do: 'ack'; readonly stream: Stream; readonly take: number; readonly every: number }
  | { readonly do: 'through'; readonly stream: Stream; readonly part: number }
  | { readonly do: 'quarantine'; readonly stream: Stream; readonly part: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'crash' };

const stream = fc.constantFrom(...STREAMS);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      stream,
      count: fc.integer({ min: 1, max: 120 }),
      size: fc.integer({ min: 0, max: 900 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('burn' as const), stream, count: fc.integer({ min: 1, max: 30 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('unstored' as const), stream, count: fc.integer({ min: 1, max: 50 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('ack' as const),
      stream,
      take: fc.integer({ min: 1, max: 200 }),
      every: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('through' as const),
      stream,
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('quarantine' as const),
      stream,
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(10, 1_500, 61_000, 4_000_000, 2_700_000_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
);

/** The kit with what a consumer would have heard of it. */
class Shop {
  mono = 1000;
  boot = 1;
  accepted = new Map<Stream, number>(STREAMS.map((name) => [name, 0]));
  /** Sequences that got a PUBACK. A crash may make the ledger forget the newest of them; the consumer has them still. */
  delivered = new Map<Stream, Set<number>>(STREAMS.map((name) => [name, new Set<number>()]));
  ledger: SqliteLedger = this.open(null);

  open(image: Uint8Array | null): SqliteLedger {
    return openLedger({
      store: { image },
      maxBytes: 700 * 1024,
      retainAckedMs: 3_600_000,
      clock: {
        bootId: `boot-${this.boot}`,
        monoMs: () => this.mono as MonoMs,
        wallMs: () => (1_764_000_000_000 + this.mono) as WallMs,
        trust: () => 'synced',
        sleep: () => Promise.reject(new Error('the ledger never sleeps')),
      },
      chance: { float: () => 0.5, bytes: (length) => new Uint8Array(length).fill(this.boot) },
      log: quiet,
    });
  }

  run(action: Step): void {
    try {
      this.#run(action);
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'ledger-full') throw error;
    }
  }

  #run(action: Step): void {
    const { ledger } = this;
    switch (action.do) {
      case 'append':
        ledger.transaction((tx) => {
          for (let n = 0; n < action.count; n += 1) tx.append(this.event(action.stream, n, action.size));
        });
        return;
      case 'burn':
        expect(() =>
          ledger.transaction((tx) => {
            for (let n = 0; n < action.count; n += 1) tx.append(this.event(action.stream, n, 10));
            throw Object.assign(new Error('cut'), { code: 'ledger-full' });
          }),
        ).toThrow('cut');
        return;
      case 'unstored':
        ledger.transaction((tx) =>
          tx.declareLoss(action.stream, {
            count: action.count,
            bytes: 1,
            reason: 'ledger-io',
            atMono: this.mono as MonoMs,
          }),
        );
        return;
      case 'ack': {
        const rows = ledger.peek(action.stream, 0, { maxRows: action.take, maxBytes: Infinity });
        const sequences = rows.map((row) => row.sequence).filter((_, index) => index % action.every === 0);
        ledger.ack(action.stream, sequences);
        for (const sequence of sequences) this.delivered.get(action.stream)?.add(sequence);
        return;
      }
      case 'through': {
        const through = Math.floor(this.last(action.stream) * action.part);
        for (const row of ledger.peek(action.stream, 0, all))
          if (row.sequence <= through) this.delivered.get(action.stream)?.add(row.sequence);
        ledger.ackThrough(action.stream, through);
        return;
      }
      case 'quarantine':
        ledger.quarantine(action.stream, Math.ceil(this.last(action.stream) * action.part), 'payload-format');
        return;
      case 'pass':
        this.mono += action.ms;
        ledger.maintain(this.mono as MonoMs);
        return;
      case 'crash':
        this.boot += 1;
        this.mono = 10;
        this.ledger = this.open(ledger.image());
    }
  }

  event(name: Stream, n: number, size: number): PendingEvent {
    const sensor = name === 'shelf' && n % 2 === 0;
    const data = sensor
      ? { sensorId: 's1', measurements: [{ name: 'temperature', value: n }] }
      : { n, fill: 'x'.repeat(size) };
    const type = sensor ? 'barrow.sensor.v1' : 'barrow.test.v1';
    return { type, stream: name, subject: 's1', atMono: this.mono as MonoMs, data };
  }

  last(name: Stream): number {
    return this.ledger.depth().streams.find((each) => each.stream === name)?.last ?? 0;
  }

  /** accepted = delivered + pending + declared lost, told from outside: every sequence is accounted for. */
  check(): void {
    const depth = this.ledger.depth();
    expect(depth.bytes).toBeLessThanOrEqual(depth.maxBytes);
    for (const { stream: name, last, pendingRows, lostRows } of depth.streams) {
      const pending = new Set(this.ledger.peek(name, 0, all).map((row) => row.sequence));
      expect(pending.size).toBe(pendingRows);
      const { losses } = this.ledger.manifest(name);
      expect(losses.reduce((sum, loss) => sum + loss.count, 0)).toBe(lostRows);
      const delivered = this.delivered.get(name);
      for (let sequence = 1; sequence <= last; sequence += 1) {
        const known = pending.has(sequence) || delivered?.has(sequence) === true;
        const declared = losses.some((loss) => loss.from <= sequence && sequence <= loss.to);
        expect(known || declared, `${name}/${sequence} vanished`).toBe(true);
      }
      if (name === 'sale' || name === 'price')
        expect(losses.filter((loss) => !['payload-format', 'ledger-io'].includes(loss.reason))).toEqual([]);
    }
  }
}

test('accepted = delivered + pending + declared lost, whatever happens and wherever it crashes', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      const shop = new Shop();
      for (const action of steps) shop.run(action);
      shop.check();
      shop.run({ do: 'crash' });
      shop.check();
    }),
    { numRuns: 100 },
  );
}, 60_000);
