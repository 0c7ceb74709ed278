import { expect, test } from 'vitest';
import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import { toCloudEvent } from './event.ts';

test('the envelope holds whole milliseconds and a decimal sequence, as CloudEvents and the sequence extension ask', () => {
  const event = {
    epoch: 'k3f9',
    stream: 'sale' as const,
    sequence: 42,
    type: 'barrow.sale.v1',
    subject: 'till',
    data: {},
    atMono: 6_354_616.863 as MonoMs,
    bootId: 'boot',
    wallMs: 1_795_688_130_123 as WallMs,
    clockTrust: 'synced' as const,
  };
  expect(toCloudEvent(event, { id: 'popup-014', node: 'leeds' })).toEqual({
    specversion: '1.0',
    id: 'k3f9/sale/42',
    source: '/kits/popup-014',
    type: 'barrow.sale.v1',
    subject: 'till',
    time: '2026-11-26T10:15:30.123Z',
    datacontenttype: 'application/json',
    epoch: 'k3f9',
    stream: 'sale',
    sequence: '42',
    bootid: 'boot',
    monoms: 6_354_616,
    clocktrust: 'synced',
    node: 'leeds',
    data: {},
  });
});
