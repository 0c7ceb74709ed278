import { expect, test } from 'vitest';
import type { MonoMs } from '../../drivers/api/clock.ts';
import { HEALTH_EVERY_MS, makeAnnouncements, RETAINED_EVERY_MS, type Announcements } from './announcements.ts';
import { WaitingPrices, type LinkContext } from './link-context.ts';
import { kitTopics } from './topics.ts';

function rig(retained?: () => readonly { readonly topic: string; readonly payload: string }[]): Announcements {
  const parts = {
    ledger: { manifest: () => ({ epoch: 'e', first: 1, last: 0, losses: [] }) },
    clock: { wallMs: () => 0 },
    health: () => ({}),
    takeChangedPrices: () => [],
    ...(retained === undefined ? {} : { retained }),
  };
  return makeAnnouncements(
    { parts, topics: kitTopics({ id: 'k' }), prices: new WaitingPrices() } as unknown as LinkContext,
    0 as MonoMs,
  );
}

/** Everything that is due now, health and manifests aside. */
function sentAt(announcements: Announcements, at: number): readonly string[] {
  const sent: string[] = [];
  for (let one = announcements.next(at as MonoMs); one !== null; one = announcements.next(at as MonoMs))
    if (!one.topic.startsWith('barrow/')) sent.push(`${one.topic}=${one.payload}`);
  return sent;
}

test('further retained messages leave once, then when they change, and not faster than agreed', () => {
  let count = 1;
  let asked = 0;
  const announcements = rig(() => {
    asked += 1;
    return [
      { topic: 'ha/a', payload: 'same' },
      { topic: 'ha/b', payload: String(count) },
    ];
  });
  expect(sentAt(announcements, 0)).toEqual(['ha/a=same', 'ha/b=1']);
  count = 2;
  announcements.refresh();
  expect(sentAt(announcements, RETAINED_EVERY_MS - 1)).toEqual([]);
  expect(announcements.dueAt(1 as MonoMs)).toBe(RETAINED_EVERY_MS);
  expect(sentAt(announcements, RETAINED_EVERY_MS)).toEqual(['ha/b=2']);
  expect(asked).toBe(2);
  // Nothing was appended: they are looked at again with the next health message.
  expect(sentAt(announcements, 3 * RETAINED_EVERY_MS)).toEqual([]);
  expect(asked).toBe(2);
  count = 3;
  expect(sentAt(announcements, HEALTH_EVERY_MS)).toEqual(['ha/b=3']);
});

test('a kit without any is never asked to look again', () => {
  const announcements = rig();
  expect(sentAt(announcements, 0)).toEqual([]);
  announcements.refresh();
  expect(sentAt(announcements, RETAINED_EVERY_MS)).toEqual([]);
  expect(announcements.dueAt(RETAINED_EVERY_MS as MonoMs)).toBeGreaterThanOrEqual(HEALTH_EVERY_MS);
});
