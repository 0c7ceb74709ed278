import { expect, test } from 'vitest';
import type { MonoMs } from '../../drivers/api/clock.ts';
import {
  HEALTH_EVERY_MS,
  makeAnnouncements,
  REFUSED_AGAIN_MS,
  RETAINED_EVERY_MS,
  type Announcements,
} from './announcements.ts';
import { WaitingPrices, type LinkContext } from './link-context.ts';
import { kitTopics } from './topics.ts';

function rig(
  retained?: () => readonly { readonly topic: string; readonly payload: string }[],
  prices = new WaitingPrices(),
): Announcements {
  const parts = {
    ledger: { manifest: () => ({ epoch: 'e', first: 1, last: 0, losses: [] }) },
    clock: { wallMs: () => 0 },
    health: () => ({}),
    takeChangedPrices: () => [],
    ...(retained === undefined ? {} : { retained }),
  };
  return makeAnnouncements({ parts, topics: kitTopics({ id: 'k' }), prices } as unknown as LinkContext, 0 as MonoMs);
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

test('what the broker did not take is offered again, later and once', () => {
  const prices = new WaitingPrices();
  prices.put('TEE', { priceMinor: 900 });
  const announcements = rig(() => [{ topic: 'ha/a', payload: 'x' }], prices);
  const all = (at: number): readonly string[] => {
    const topics: string[] = [];
    for (let one = announcements.next(at as MonoMs); one !== null; one = announcements.next(at as MonoMs)) {
      topics.push(one.topic);
      if (at < REFUSED_AGAIN_MS) one.refuse(at as MonoMs);
      else one.settle();
    }
    return topics.filter((topic) => !topic.endsWith('/health')).sort();
  };
  const first = all(0);
  expect(first).toContain('barrow/v1/k/price/TEE');
  expect(first).toContain('barrow/v1/k/manifest/sale');
  expect(first).toContain('ha/a');
  expect(all(REFUSED_AGAIN_MS - 1)).toEqual([]);
  expect(announcements.dueAt((REFUSED_AGAIN_MS - 1) as MonoMs)).toBeLessThanOrEqual(REFUSED_AGAIN_MS);
  expect(all(REFUSED_AGAIN_MS)).toEqual(first);
  expect(all(2 * REFUSED_AGAIN_MS)).toEqual([]);
});
