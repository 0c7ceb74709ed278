import { expect, test } from 'vitest';
import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { PendingEvent } from '../core/event.ts';
import type { KitClock } from '../core/host.ts';
import { createIntake, type Intake } from '../intake.ts';
import { EVENT_DATA_BYTES, SAVED_VALUE_BYTES } from './limits.ts';
import { openLedger } from './open-ledger.ts';
import type { SqliteLedger } from './sqlite-ledger.ts';

const clock: KitClock = {
  bootId: 'boot-1',
  monoMs: () => 0 as MonoMs,
  wallMs: () => 1_764_000_000_000 as WallMs,
  trust: () => 'synced',
  sleep: () => new Promise(() => undefined),
};

function rig(): { readonly ledger: SqliteLedger; readonly intake: Intake; readonly refused: string[] } {
  const refused: string[] = [];
  const note = (name: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    if (name === 'intake-refused') refused.push(String(fields['code']));
  };
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: note };
  const ledger = openLedger({
    store: { image: null },
    maxBytes: 64 * 1024 * 1024,
    retainAckedMs: 3_600_000,
    clock,
    chance: { float: () => 0, bytes: (length) => new Uint8Array(length) },
    log,
  });
  const intake = createIntake({ ledger, clock, log, observe: () => undefined, published: () => undefined });
  return { ledger, intake, refused };
}

/** JSON of exactly so many bytes: `{"t":"…"}` puts 8 around its text. */
function event(n: number, bytes = 20): PendingEvent {
  const data = { t: String(n).padEnd(bytes - 8, 'x') };
  return { type: 'barrow.scan.v1', stream: 'scan', subject: 'scanner', atMono: 0 as MonoMs, data };
}

/** What a value of so many bytes of JSON is: its text stands between two quotes. */
const text = (bytes: number): string => 'v'.repeat(bytes - 2);

const told = (ledger: SqliteLedger): unknown[] =>
  ledger.range('scan', 1, 100, 100).map(({ type, data }) => (type === 'barrow.loss.v1' ? data : type));

test('an event at the limit is stored; one beyond it is declared, and all others go on', async () => {
  const { ledger, intake, refused } = rig();
  await intake.put(event(1));
  await intake.put(event(2, EVENT_DATA_BYTES));
  await intake.put(event(3, EVENT_DATA_BYTES + 1));
  await intake.put(event(4));
  expect(intake.flush()).toBe(true);
  expect(refused).toEqual(['ledger-event']);
  const stored = told(ledger);
  expect(stored.filter((one) => one === 'barrow.scan.v1')).toHaveLength(3);
  expect(stored).toContainEqual(
    expect.objectContaining({ count: 1, bytes: EVENT_DATA_BYTES + 1, reason: 'ledger-event' }),
  );
  expect(intake.health()).toMatchObject({ waitingRows: 0, code: null, unstoredRows: 1 });
});

test('state that is too large to keep costs its own event and holds nothing back', async () => {
  const { ledger, intake, refused } = rig();
  await intake.put(event(1), 'driver/a', { last: text(SAVED_VALUE_BYTES) });
  await intake.put(event(2), 'driver/b', { last: text(SAVED_VALUE_BYTES + 1) });
  await intake.save('driver/c', { last: text(SAVED_VALUE_BYTES + 1) });
  await intake.put(event(3), 'driver/d', { last: 3 });
  expect(intake.flush()).toBe(true);
  expect(refused).toEqual(['ledger-value', 'ledger-value']);
  expect(told(ledger)).toContainEqual(expect.objectContaining({ count: 1, reason: 'ledger-value' }));
  expect(ledger.saved('driver/a', 'last')).toBeDefined();
  expect(ledger.saved('driver/b', 'last')).toBeUndefined();
  expect(ledger.saved('driver/d', 'last')).toBe(3);
  expect(intake.health().waitingRows).toBe(0);
});

test('a sale beyond the limit is refused to its asker with a code, and the next one is taken', () => {
  const { ledger, intake } = rig();
  const sale = (bytes: number): PendingEvent => ({ ...event(1, bytes), stream: 'sale', type: 'barrow.sale.v1' });
  expect(() => intake.commit((tx) => tx.append(sale(EVENT_DATA_BYTES + 1)))).toThrow(
    expect.objectContaining({ code: 'ledger-event' }),
  );
  intake.commit((tx) => tx.append(sale(20)));
  expect(ledger.range('sale', 1, 9, 9).map(({ sequence }) => sequence)).toEqual([1]);
});
