import { describe, expect, it } from 'vitest';
import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { ClockTrust, StoredEvent } from '../core/event.ts';
import type { KitClock } from '../core/host.ts';
import type { Ledger } from '../core/ledger.ts';
import { openLedger } from '../ledger/open-ledger.ts';
import { flooredClock, RELEASED_MS } from './floored-clock.ts';
import { clockWatch, FLOOR_SAVED_EVERY_MS, trustedFloor } from './watch-clock.ts';

const YEAR_MS = 365.25 * 86_400_000;
const NOW = Date.UTC(2026, 10, 27, 10) as WallMs;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

interface SetClock extends KitClock {
  mono: number;
  wall: number;
  belief: ClockTrust;
  pass(ms: number): void;
}

function setClock(wall: number, belief: ClockTrust = 'estimated'): SetClock {
  const clock: SetClock = {
    bootId: 'b1',
    mono: 1_000,
    wall,
    belief,
    monoMs: () => clock.mono as MonoMs,
    wallMs: () => clock.wall as WallMs,
    trust: () => clock.belief,
    sleep: () => Promise.resolve(),
    pass: (ms) => {
      clock.mono += ms;
      clock.wall += ms;
    },
  };
  return clock;
}

function open(clock: KitClock): Ledger {
  let byte = 0;
  return openLedger({
    store: { image: null },
    maxBytes: 64 * 1024 * 1024,
    retainAckedMs: 1_000,
    clock,
    chance: { float: () => 0.5, bytes: (length) => new Uint8Array(length).map(() => (byte += 7)) },
    log: silent,
  });
}

function scan(ledger: Ledger, clock: KitClock): StoredEvent {
  return ledger.transaction((tx) =>
    tx.append({ type: 'barrow.scan.v1', stream: 'scan', subject: 's', data: {}, atMono: clock.monoMs() }),
  );
}

describe('a floor under the clock', () => {
  it('keeps a kit that woke up in 1970 at its release, and says that nothing is known', () => {
    const raw = setClock(0);
    const clock = flooredClock(raw);
    raw.pass(5_000);
    expect(clock.wallMs()).toBe(RELEASED_MS + 5_000);
    expect(clock.trust()).toBe('unset');
  });

  it('goes on from the last trusted event, and believes a later machine clock as carried over', () => {
    const raw = setClock(0);
    const clock = flooredClock(raw);
    clock.raiseFloor(NOW);
    raw.pass(60_000);
    expect(clock.wallMs()).toBe(NOW + 60_000);
    expect(clock.trust()).toBe('estimated');
    raw.wall = NOW + YEAR_MS;
    expect(clock.wallMs()).toBe(NOW + YEAR_MS);
    clock.raiseFloor(NOW);
    expect(clock.wallMs()).toBe(NOW + YEAR_MS);
  });

  it('gives way to a synchronised clock even when the floor was ten years too high', () => {
    const raw = setClock(NOW);
    const clock = flooredClock(raw);
    clock.raiseFloor((NOW + 10 * YEAR_MS) as WallMs);
    expect(clock.wallMs()).toBe(NOW + 10 * YEAR_MS);
    raw.belief = 'synced';
    expect(clock.wallMs()).toBe(NOW);
    expect(clock.trust()).toBe('synced');
  });
});

describe('the watch over the clock', () => {
  it('anchors the first synchronisation once and gives what was not delivered its true time', () => {
    const clock = setClock(0, 'unset');
    const ledger = open(clock);
    const sent = scan(ledger, clock);
    ledger.ack('scan', [sent.sequence]);
    clock.pass(1_000);
    const unsent = scan(ledger, clock);
    const stored: StoredEvent[] = [];
    const watch = clockWatch({ clock, ledger, log: silent, onStored: (events) => stored.push(...events) });
    watch.look();
    expect(stored).toEqual([]);
    clock.wall = NOW;
    clock.belief = 'synced';
    watch.look();
    watch.look();
    expect(stored.map((event) => event.data)).toEqual([
      {
        bootId: 'b1',
        monoMs: clock.mono,
        wallMs: NOW,
        time: new Date(NOW).toISOString(),
        cause: 'first-sync',
        stepMs: null,
      },
    ]);
    const [again] = ledger.peek('scan', 0, { maxRows: 9, maxBytes: 9_999 });
    expect(again).toMatchObject({
      sequence: unsent.sequence,
      wallMs: NOW - (clock.mono - unsent.atMono),
      clockTrust: 'synced',
    });
    expect(ledger.range('scan', sent.sequence, sent.sequence, 1)[0]?.wallMs).toBe(sent.wallMs);
  });

  it('anchors a step anew but not the drift below a second', () => {
    const clock = setClock(NOW, 'synced');
    const ledger = open(clock);
    const stored: StoredEvent[] = [];
    const watch = clockWatch({ clock, ledger, log: silent, onStored: (events) => stored.push(...events) });
    watch.look();
    clock.wall += 900;
    watch.look();
    expect(stored).toHaveLength(1);
    clock.wall -= 3_600_000;
    watch.look();
    expect(stored.map((event) => event.data['cause'])).toEqual(['first-sync', 'step']);
    expect(stored[1]?.data['stepMs']).toBe(900 - 3_600_000);
  });

  it('does not tell the same anchor again when the agent restarts within one boot', () => {
    const clock = setClock(NOW, 'synced');
    const ledger = open(clock);
    const stored: StoredEvent[] = [];
    const parts = { clock, ledger, log: silent, onStored: (events: readonly StoredEvent[]) => stored.push(...events) };
    clockWatch(parts).look();
    clock.pass(500);
    clockWatch(parts).look();
    expect(stored).toHaveLength(1);
    clockWatch({ ...parts, clock: { ...clock, bootId: 'b2' } }).look();
    expect(stored).toHaveLength(2);
  });

  it('leaves a floor for the next start, and never one that nobody had synchronised', () => {
    const clock = setClock(NOW + 10 * YEAR_MS, 'estimated');
    const ledger = open(clock);
    scan(ledger, clock);
    expect(trustedFloor(ledger)).toBeNull();
    clock.belief = 'synced';
    clock.wall = NOW;
    const watch = clockWatch({ clock, ledger, log: silent, onStored: () => undefined });
    watch.look();
    expect(trustedFloor(ledger)).toBe(NOW);
    clock.pass(FLOOR_SAVED_EVERY_MS);
    watch.look();
    expect(trustedFloor(ledger)).toBe(clock.wall);
    clock.pass(5);
    const newest = scan(ledger, clock);
    expect(trustedFloor(ledger)).toBe(newest.wallMs);
  });

  it.each([10 * YEAR_MS, -10 * YEAR_MS])('keeps order, identity and delivery through a jump of %d ms', (jumpMs) => {
    const clock = setClock(NOW, 'synced');
    const ledger = open(clock);
    const watch = clockWatch({ clock, ledger, log: silent, onStored: () => undefined });
    for (let n = 0; n < 20; n += 1) {
      scan(ledger, clock);
      clock.pass(100);
      if (n === 9) clock.wall += jumpMs;
      watch.look();
      ledger.maintain(clock.monoMs());
    }
    const rows = ledger.peek('scan', 0, { maxRows: 99, maxBytes: 99_999 });
    expect(rows.map((row) => row.sequence)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    expect(rows.map((row) => row.atMono)).toEqual(rows.map((row) => row.atMono).toSorted((a, b) => a - b));
    expect(ledger.depth().streams.find((one) => one.stream === 'scan')).toMatchObject({ pendingRows: 20, lostRows: 0 });
  });
});
