import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MonoMs } from '../../drivers/api/clock.ts';
import { FIRST_PAUSE_MS, LONGEST_PAUSE_MS, makeBackoff, STABLE_MS } from './backoff.ts';
import { pickLane, STARVATION_TURN } from './lane.ts';
import { disconnectPolicy, pubackPolicy } from './reason-codes.ts';
import { makeSuspects, QUARANTINE_CLOSES, QUARANTINE_CLOSES_SALE, SUSPECT_CLOSES } from './suspects.ts';
import { makeTokenBucket } from './token-bucket.ts';
import { kitTopics, topicLevel } from './topics.ts';

describe('reason codes', () => {
  it('lets go of a row for successes only, and never for an error', () => {
    for (let code = 0; code < 256; code += 1) {
      const policy = pubackPolicy(code, 'scan', 'generic');
      expect(policy === 'delivered').toBe(code < 0x80);
    }
  });

  it('keeps a sale that had no subscriber, except where AWS takes it by rule', () => {
    expect(pubackPolicy(0x10, 'sale', 'generic')).toBe('no-subscriber');
    expect(pubackPolicy(0x10, 'sale', 'aws')).toBe('delivered');
    expect(pubackPolicy(0x10, 'price', 'generic')).toBe('delivered');
  });

  it.each([
    [0x80, 'keep'],
    [0x83, 'keep'],
    [0x87, 'alarm'],
    [0x90, 'alarm'],
    [0x91, 'keep'],
    [0x97, 'keep'],
    [0x99, 'quarantine'],
    [0xff, 'keep'],
  ])('answers PUBACK %i with %s', (code, policy) => {
    expect(pubackPolicy(code, 'sale', 'generic')).toBe(policy);
  });

  it.each([
    [0x93, 'shrink'],
    [0x95, 'suspect'],
    [null, 'suspect'],
    [0x8e, 'alarm'],
    [0x89, 'slow'],
    [0x96, 'slow'],
    [0x8d, 'retry'],
    [0x00, 'retry'],
  ])('answers DISCONNECT %s with %s', (code, policy) => {
    expect(disconnectPolicy(code)).toBe(policy);
  });
});

describe('pauses', () => {
  it('grow to a minute, stay within their step, and begin anew only after a stable connection', () => {
    const backoff = makeBackoff({ float: () => 0.999, bytes: () => new Uint8Array() });
    const pauses = Array.from({ length: 12 }, () => backoff.pauseMs('retry', 1_000));
    expect(pauses[0]).toBeLessThanOrEqual(FIRST_PAUSE_MS);
    expect(pauses).toEqual(pauses.toSorted((one, two) => one - two));
    expect(pauses.at(-1)).toBeGreaterThan(LONGEST_PAUSE_MS * 0.9);
    expect(backoff.pauseMs('retry', STABLE_MS - 1)).toBeGreaterThan(LONGEST_PAUSE_MS * 0.9);
    expect(backoff.pauseMs('retry', STABLE_MS)).toBeLessThanOrEqual(FIRST_PAUSE_MS);
    expect(backoff.pauseMs('slow', STABLE_MS)).toBeGreaterThan(4_000);
    expect(backoff.pauseMs('alarm', STABLE_MS)).toBeGreaterThan(LONGEST_PAUSE_MS * 0.9);
  });

  it('a bucket never gives more than its rate and one burst, whatever is asked', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 300 }))), (steps) => {
        const bucket = makeTokenBucket(100, 0 as MonoMs);
        let now = 0;
        let given = 0;
        for (const [pauseMs, amount] of steps) {
          now += pauseMs;
          if (bucket.take(amount, now as MonoMs) === 0) given += Math.min(amount, 100);
        }
        expect(given).toBeLessThanOrEqual(100 + (now * 100) / 1_000 + 1e-3);
      }),
    );
  });
});

describe('lanes', () => {
  it('go by priority, and every eighth time the one that waited longest', () => {
    const served = new Map<string, number>([
      ['sale', 50],
      ['scan', 3],
      ['agent', 9],
    ]);
    const at = (lane: string): number => served.get(lane) ?? -1;
    const lanes = ['sale', 'scan', 'agent'];
    for (let turn = 0; turn < STARVATION_TURN - 1; turn += 1) expect(pickLane(lanes, turn, at)).toBe('sale');
    expect(pickLane(lanes, STARVATION_TURN - 1, at)).toBe('scan');
    expect(pickLane([], 0, at)).toBeUndefined();
  });
});

describe('a row that ends connections', () => {
  const head = (
    stream: 'scan' | 'sale',
    ...sequences: number[]
  ): { stream: 'scan' | 'sale'; sequences: number[]; ageMs: number } => ({
    stream,
    sequences,
    ageMs: 10,
  });

  it.each([
    ['scan', QUARANTINE_CLOSES],
    ['sale', QUARANTINE_CLOSES_SALE],
  ] as const)('of %s is sent alone after two closes and quarantined after %i more', (stream, closes) => {
    const suspects = makeSuspects();
    for (let close = 0; close < SUSPECT_CLOSES; close += 1) {
      expect(suspects.solo()).toBeNull();
      expect(suspects.connectionEnded(head(stream, 5, 6, 7))).toBeNull();
    }
    expect(suspects.solo()).toEqual({ stream, from: 5, to: 7 });
    suspects.acquit(stream, 5);
    expect(suspects.covers(stream, 5)).toBe(false);
    for (let close = 1; close < closes; close += 1) expect(suspects.connectionEnded(head(stream, 6))).toBeNull();
    expect(suspects.connectionEnded(head(stream, 6))).toEqual({ stream, sequence: 6 });
    expect(suspects.solo()).toEqual({ stream, from: 7, to: 7 });
    suspects.acquit(stream, 7);
    expect(suspects.solo()).toBeNull();
  });

  it('is not seen where another was at the head, none was, or the close came late', () => {
    const suspects = makeSuspects();
    suspects.connectionEnded(head('scan', 1));
    suspects.connectionEnded(head('scan', 2));
    suspects.connectionEnded(null);
    suspects.connectionEnded(head('scan', 2));
    suspects.connectionEnded({ ...head('scan', 2), ageMs: 60_000 });
    expect(suspects.solo()).toBeNull();
  });
});

describe('topics', () => {
  it('stay within one level, whatever a SKU is called', () => {
    expect(topicLevel('A/B+C#D%')).toBe('A%2FB%2BC%23D%25');
    const topics = kitTopics({ id: 'k', group: 'g' });
    expect(topics.subscriptions).toEqual(['barrow/v1/k/command/+', 'barrow/v1/k/rules', 'barrow/v1/group/g/rules']);
    expect(topics.read('barrow/v1/k/command/resend')).toEqual({ kind: 'command', name: 'resend' });
    expect(topics.read('barrow/v1/other/command/resend')).toBeNull();
    expect(topics.read('barrow/v1/k/command/')).toBeNull();
  });
});
