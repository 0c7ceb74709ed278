import { expect, test } from 'vitest';
import type { MonoMs, WallMs } from '../drivers/api/clock.ts';
import type { Stream } from '../drivers/api/reading.ts';
import type { PendingEvent } from './core/event.ts';
import { WAITING_ROWS } from './intake.ts';
import { ledgerFailure } from './ledger/errors.ts';
import { EVENT_DATA_BYTES } from './ledger/limits.ts';
import { openLedger } from './ledger/open-ledger.ts';
import type { SqliteLedger } from './ledger/sqlite-ledger.ts';
import { waitingRoom } from './waiting-room.ts';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function ledger(): SqliteLedger {
  return openLedger({
    store: { image: null },
    maxBytes: 16 * 1024 * 1024,
    retainAckedMs: 1,
    clock: {
      bootId: 'boot-1',
      monoMs: () => 1_000 as MonoMs,
      wallMs: () => 1_764_000_000_000 as WallMs,
      trust: () => 'synced',
      sleep: () => Promise.reject(new Error('the ledger never sleeps')),
    },
    chance: { float: () => 0.5, bytes: (length) => new Uint8Array(length).fill(7) },
    log: quiet,
  });
}

function event(stream: Stream, n: number): PendingEvent {
  return { type: 'barrow.test.v1', stream, subject: 'device', atMono: n as MonoMs, data: { n } };
}

test('what devices say while there is no ledger waits and is stored in its order when there is one', async () => {
  const room = waitingRoom(ledgerFailure('ledger-readonly'));
  for (let n = 1; n <= 3; n += 1) await room.put(event('scan', n), 'driver/scanner');
  expect(room.health()).toMatchObject({ waitingRows: 3, code: 'ledger-readonly', unstoredRows: 0 });
  using opened = ledger();
  room.moveInto(opened);
  expect(opened.range('scan', 1, 10, 10).map(({ data }) => data['n'])).toEqual([1, 2, 3]);
  expect(room.health().waitingRows).toBe(0);
});

test('a sale is refused with the disk’s own code, and nothing of it waits', async () => {
  const room = waitingRoom(ledgerFailure('ledger-full'));
  await expect(room.put(event('sale', 1))).rejects.toMatchObject({ code: 'ledger-full' });
  expect(() => room.commit(() => 1)).toThrow(expect.objectContaining({ code: 'ledger-full' }));
  room.refuse(ledgerFailure('ledger-io'));
  await expect(room.put(event('price', 1))).rejects.toMatchObject({ code: 'ledger-io' });
  expect(room.health()).toMatchObject({ waitingRows: 0, code: 'ledger-io' });
});

test('beyond its bound the oldest event gives way and is declared', async () => {
  const room = waitingRoom(ledgerFailure('ledger-full'));
  for (let n = 1; n <= WAITING_ROWS + 5; n += 1) await room.put(event('scan', n), 'driver/scanner');
  expect(room.health()).toMatchObject({ waitingRows: WAITING_ROWS, unstoredRows: 5 });
  using opened = ledger();
  room.moveInto(opened);
  expect(opened.manifest('scan')).toMatchObject({
    last: 5 + 1 + WAITING_ROWS,
    losses: [{ from: 1, to: 5, count: 5, reason: 'ledger-full' }],
  });
  expect(opened.range('scan', 7, 7, 1)[0]?.data).toEqual({ n: 6 });
});

test('an event that is too large for any ledger is declared, and keeps nobody waiting', async () => {
  const room = waitingRoom(ledgerFailure('ledger-io'));
  await room.put(event('scan', 1), 'driver/scanner');
  await room.put({ ...event('scan', 2), data: { n: 2, text: 'x'.repeat(EVENT_DATA_BYTES) } }, 'driver/scanner');
  await room.put(event('scan', 3), 'driver/scanner');
  expect(room.health()).toMatchObject({ waitingRows: 2, unstoredRows: 1 });
  using opened = ledger();
  room.moveInto(opened);
  expect(opened.manifest('scan').losses).toMatchObject([{ count: 1 }]);
  expect(opened.range('scan', 1, 10, 10).flatMap(({ data }) => data['n'] ?? [])).toEqual([1, 3]);
});

test('a driver that counted from nothing has its events declared lost in place of a false series', async () => {
  const room = waitingRoom(ledgerFailure('ledger-io'));
  await room.put(event('shelf', 1), 'driver/shelves');
  await room.put(event('shelf', 2), 'driver/shelves', { count: 7 });
  await room.put({ ...event('agent', 3), type: 'barrow.driver.state.v1' }, 'driver/shelves');
  using opened = ledger();
  room.moveInto(opened);
  expect(opened.manifest('shelf').losses).toMatchObject([{ from: 1, to: 2, count: 2, reason: 'ledger-io' }]);
  expect(opened.range('agent', 1, 10, 10).map(({ type }) => type)).toEqual(['barrow.driver.state.v1']);
  expect(opened.saved('driver/shelves', 'count')).toBeUndefined();
});

test('a ledger that fails again leaves everything waiting', async () => {
  const room = waitingRoom(ledgerFailure('ledger-full'));
  await room.put(event('scan', 1), 'driver/scanner');
  using opened = ledger();
  const failing = Object.assign(Object.create(opened) as SqliteLedger, {
    transaction: () => {
      throw ledgerFailure('ledger-full');
    },
  });
  expect(() => room.moveInto(failing)).toThrow(expect.objectContaining({ code: 'ledger-full' }));
  room.moveInto(opened);
  expect(opened.depth().streams.find(({ stream }) => stream === 'scan')?.last).toBe(1);
});

test('what comes once the ledger is there is stored as it comes, and waits again when the disk fails again', async () => {
  const room = waitingRoom(ledgerFailure('ledger-full'));
  await room.put(event('scan', 1), 'driver/scanner');
  using opened = ledger();
  room.moveInto(opened);
  await room.put(event('scan', 2), 'driver/scanner');
  expect(opened.range('scan', 1, 10, 10).map(({ data }) => data['n'])).toEqual([1, 2]);
  expect(room.health().waitingRows).toBe(0);
  const transaction = opened.transaction.bind(opened);
  opened.transaction = () => {
    throw ledgerFailure('ledger-io');
  };
  await room.put(event('scan', 3), 'driver/scanner');
  expect(room.health()).toMatchObject({ waitingRows: 1, code: 'ledger-io' });
  opened.transaction = transaction;
  room.moveInto(opened);
  expect(opened.range('scan', 1, 10, 10).map(({ data }) => data['n'])).toEqual([1, 2, 3]);
});
