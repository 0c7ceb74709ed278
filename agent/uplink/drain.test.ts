import { expect, test } from 'vitest';
import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { StoredEvent } from '../core/event.ts';
import type { BrokerLink } from '../core/host.ts';
import type { InheritedId } from '../core/ledger.ts';
import { LAST_HOLD_MS, makeDrain, type Drain, type Flight } from './drain.ts';
import { WaitingPrices, type LinkContext } from './link-context.ts';
import { UplinkMeter } from './meter.ts';
import { makeSuspects } from './suspects.ts';
import { kitTopics } from './topics.ts';

const PACKET_BYTES = 1_000;
const QUOTA_EXCEEDED = 0x97;

function inheritedRow(sequence: number, bytes = 10): StoredEvent {
  return {
    type: 'barrow.sale.v1',
    stream: 'sale',
    subject: 'till',
    data: { text: 'x'.repeat(bytes) },
    atMono: 0 as MonoMs,
    epoch: 'old',
    sequence,
    bootId: 'boot-1',
    wallMs: 0 as WallMs,
    clockTrust: 'synced',
  };
}

/** A drain over nothing but rows of an earlier ledger, and what is left of them. */
function rig(rows: readonly StoredEvent[], atOnce = 128): { readonly drain: Drain; left(): readonly number[] } {
  let waiting = rows;
  const ledger = {
    epoch: 'new',
    depth: () => ({ streams: [] }),
    peek: () => [],
    peekInherited: ({ maxRows }: { readonly maxRows: number }) => waiting.slice(0, Math.min(maxRows, atOnce)),
    ackInherited: (ids: readonly InheritedId[]) => {
      waiting = waiting.filter(({ sequence }) => !ids.some((id) => id.sequence === sequence));
    },
  };
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const context = {
    parts: { ledger, kit: { id: 'k' }, log, clock: { monoMs: () => 0 as MonoMs }, profile: 'generic' },
    topics: kitTopics({ id: 'k' }),
    suspects: makeSuspects(),
    meter: new UplinkMeter('mqtt://x', 0 as MonoMs),
    windowMessages: 10,
    prices: new WaitingPrices(),
  } as unknown as LinkContext;
  const link = { maximumPacketSize: PACKET_BYTES } as unknown as BrokerLink;
  return { drain: makeDrain(context, link), left: () => waiting.map(({ sequence }) => sequence) };
}

/** Sends all that may go, then answers each with the code that `codeOf` gives it. */
function turn(drain: Drain, now: number, codeOf: (sequence: number) => number): readonly number[] {
  const flights: Flight[] = [];
  for (let next = drain.next(now as MonoMs); next !== null; next = drain.next(now as MonoMs)) {
    const flight: Flight = { ...next, sentMono: now as MonoMs };
    drain.sent(flight);
    flights.push(flight);
  }
  const sent = flights.map(({ outgoing }) => outgoing.sequences[0] ?? 0);
  for (const [index, flight] of flights.entries()) drain.answered(flight, codeOf(sent[index] ?? 0), now as MonoMs);
  return sent;
}

test('a row of an earlier ledger that the broker did not take is sent again on the same connection, later', () => {
  const { drain, left } = rig([inheritedRow(1), inheritedRow(2), inheritedRow(3)]);
  expect(turn(drain, 0, (sequence) => (sequence === 2 ? QUOTA_EXCEEDED : 0))).toEqual([1, 2, 3]);
  expect(left()).toEqual([2]);
  expect(turn(drain, LAST_HOLD_MS - 1, () => 0)).toEqual([]);
  expect(drain.dueAt((LAST_HOLD_MS - 1) as MonoMs)).toBe(LAST_HOLD_MS);
  expect(turn(drain, LAST_HOLD_MS, () => 0)).toEqual([2]);
  expect(left()).toEqual([]);
  expect(turn(drain, LAST_HOLD_MS, () => 0)).toEqual([]);
  expect(drain.dueAt(LAST_HOLD_MS as MonoMs)).toBeNull();
});

test('rows of an earlier ledger that the broker cannot take hold up none behind them', () => {
  const long = [1, 2, 3].map((sequence) => inheritedRow(sequence, PACKET_BYTES));
  const { drain, left } = rig([...long, inheritedRow(4)], 2);
  expect(turn(drain, 0, () => 0)).toEqual([4]);
  expect(left()).toEqual([]);
});
