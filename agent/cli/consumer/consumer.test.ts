import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Collector } from './proof.ts';
import { readMessage, type ConsumedEvent } from './read-event.ts';
import { Reorder, WAITING_EVENTS_MAX } from './reorder.ts';

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

function cloudEvent(sequence: number, more: object = {}): object {
  return {
    specversion: '1.0',
    id: `e/scan/${sequence}`,
    source: '/kits/k',
    type: 'barrow.scan.v1',
    subject: 's',
    time: '2026-11-27T10:00:00.000Z',
    epoch: 'e',
    stream: 'scan',
    sequence: String(sequence),
    data: {},
    ...more,
  };
}

function event(sequence: number): ConsumedEvent {
  const read = readMessage({ topic: 'barrow/v1/k/event/scan', payload: encode(cloudEvent(sequence)), retain: false });
  if (read.kind !== 'events') throw new Error('not an event');
  return read.events[0]!;
}

function collect(collector: Collector, topic: string, value: unknown): void {
  collector.take(readMessage({ topic: `barrow/v1/${topic}`, payload: encode(value), retain: false }));
}

const manifest = (last: number, losses: object[] = [], first = 1): object => ({ epoch: 'e', first, last, losses });

describe('a consumer’s proof', () => {
  it('is complete when events, batches, declared losses and the manifest meet', () => {
    const collector = new Collector('k');
    collect(collector, 'k/batch/scan', [cloudEvent(1), cloudEvent(2)]);
    collect(collector, 'k/event/scan', cloudEvent(2));
    collect(collector, 'k/event/scan', cloudEvent(6, { type: 'barrow.loss.v1', data: { from: 4, to: 5, count: 2 } }));
    collect(collector, 'k/manifest/scan', manifest(6));
    expect(collector.proof()).toMatchObject({
      ok: false,
      reason: 'gaps',
      streams: [{ gaps: 1, missing: [{ from: 3, to: 3 }] }],
    });
    expect(collector.missing()).toEqual([{ stream: 'scan', epoch: 'e', from: 3, to: 3 }]);
    collect(collector, 'k/event/scan', cloudEvent(3));
    expect(collector.proof()).toMatchObject({
      ok: true,
      reason: null,
      streams: [{ first: 1, last: 6, received: 4, gaps: 0, duplicates: 1, losses: 2 }],
    });
  });

  it('wants what the kit gave out and still holds, even when nothing of it came', () => {
    const collector = new Collector('k');
    collect(collector, 'k/manifest/sale', manifest(9, [], 4));
    expect(collector.proof()).toMatchObject({ ok: false, streams: [{ first: 4, last: 9, gaps: 6 }] });
  });

  it('is not fooled by silence, another kit, a missing manifest or something that is no event', () => {
    const collector = new Collector('k');
    collect(collector, 'other/event/scan', cloudEvent(1));
    collect(collector, 'other/manifest/scan', manifest(1));
    expect(collector.proof()).toMatchObject({ ok: false, reason: 'nothing-heard' });
    collect(collector, 'k/event/scan', cloudEvent(1));
    expect(collector.proof()).toMatchObject({ ok: false, reason: 'no-manifest' });
    collect(collector, 'k/manifest/scan', manifest(1));
    expect(collector.proof().ok).toBe(true);
    collect(collector, 'k/event/scan', { ...cloudEvent(2), sequence: '02' });
    expect(collector.proof()).toMatchObject({ ok: false, reason: 'malformed' });
  });

  it('never throws, whatever bytes come under whatever topic', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.constantFrom('event', 'batch', 'manifest', 'state', 'x'),
        (payload, kind) => {
          new Collector('k').take(readMessage({ topic: `barrow/v1/k/${kind}/scan`, payload, retain: false }));
        },
      ),
    );
  });
});

describe('putting events back into order', () => {
  it('tells each once and ascending, in whatever order and however often they come', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(
          Array.from({ length: 30 }, (_, n) => n + 1),
          { minLength: 30 },
        ),
        fc.nat(29),
        (order, again) => {
          const reorder = new Reorder();
          const told: number[] = [];
          for (const sequence of [...order, order[again]!])
            told.push(...reorder.take(event(sequence)).map((one) => one.event.sequence));
          told.push(...reorder.giveUp().map((one) => one.event.sequence));
          expect(told).toEqual(Array.from({ length: 30 }, (_, n) => n + 1));
        },
      ),
    );
  });

  it('names what did not come when it gives up waiting, and then tells stragglers as they come', () => {
    const reorder = new Reorder();
    reorder.take(event(1));
    expect(reorder.giveUp().map((one) => one.event.sequence)).toEqual([1]);
    expect(reorder.take(event(4))).toEqual([]);
    expect(reorder.giveUp()).toMatchObject([{ event: { sequence: 4 }, missedFrom: 2 }]);
    expect(reorder.take(event(3))).toMatchObject([{ event: { sequence: 3 } }]);
    expect(reorder.take(event(3))).toEqual([]);
  });

  it('gives up by itself at its bound', () => {
    const reorder = new Reorder();
    const base = event(1);
    for (let sequence = 2; sequence <= WAITING_EVENTS_MAX + 1; sequence += 1) reorder.take({ ...base, sequence });
    expect(reorder.waiting).toBe(WAITING_EVENTS_MAX);
    expect(reorder.take({ ...base, sequence: 99_999 })).toHaveLength(WAITING_EVENTS_MAX + 1);
  });
});
