import { expect, test } from 'vitest';
import type { MonoMs } from '../../drivers/api/clock.ts';
import { peerKey, RateLimit } from './rate-limit.ts';

const at = (ms: number): MonoMs => ms as MonoMs;

test('a peer has its burst, then its rate, and another peer is not held up', () => {
  const limit = new RateLimit({ perSecond: 2, burst: 3, maxPeers: 10 });
  expect([1, 2, 3].map(() => limit.take('a', at(0)))).toEqual([0, 0, 0]);
  expect(limit.take('a', at(0))).toBeCloseTo(0.5);
  expect(limit.take('b', at(0))).toBe(0);
  expect(limit.take('a', at(499))).toBeGreaterThan(0);
  expect(limit.take('a', at(501))).toBe(0);
});

test('a long pause gives no more than the burst', () => {
  const limit = new RateLimit({ perSecond: 100, burst: 2, maxPeers: 10 });
  expect([1, 2, 3].map(() => limit.take('a', at(1e9)) === 0)).toEqual([true, true, false]);
});

test('however many peers come, no more than the bound are remembered and the busy one stays', () => {
  const limit = new RateLimit({ perSecond: 1, burst: 1, maxPeers: 4 });
  limit.take('busy', at(0));
  for (let n = 0; n < 100; n += 1) {
    limit.take(`peer ${n}`, at(1));
    expect(limit.take('busy', at(1))).toBeGreaterThan(0);
  }
  expect(limit.peers).toBe(4);
});

test.each([
  ['192.168.1.7', '192.168.1.7'],
  ['::ffff:192.168.1.7', '192.168.1.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%s shares a bucket with %s', (address, key) => expect(peerKey(address)).toBe(key));
