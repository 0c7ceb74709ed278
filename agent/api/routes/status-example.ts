import type { MonoMs } from '../../../drivers/api/clock.ts';
import type { AgentStatus } from '../../core/status.ts';

/** The status of a kit at work, for the API's document. */
export const STATUS_EXAMPLE: AgentStatus = {
  kit: { id: 'popup-014', node: 'leeds-trinity', group: 'northern', currency: 'GBP', timezone: 'Europe/London' },
  version: '0.1.0',
  startedAt: '2026-11-27T08:12:04.000Z',
  now: '2026-11-27T10:15:31.000Z',
  uptimeS: 7407,
  ready: false,
  reasons: [
    {
      code: 'camera-stalled',
      sentence: 'The camera sends no pictures',
      hint: 'Check its cable and power',
      driver: 'door',
    },
  ],
  clock: { trust: 'synced', bootId: '6f1c' },
  ledger: {
    epoch: 'k3f9x2',
    streams: [
      {
        stream: 'sale',
        last: 42,
        pendingRows: 1,
        pendingBytes: 900,
        oldestPendingMono: 7_400_000 as MonoMs,
        lostRows: 0,
      },
    ],
    bytes: 1_048_576,
    maxBytes: 268_435_456,
    accepting: true,
    oldestPendingS: 7,
  },
  uplink: {
    state: 'online',
    url: 'mqtts://broker.example:8883',
    protocol: '5',
    code: null,
    detail: null,
    delivered: 8120,
    duplicatesPossible: 0,
    quarantined: 0,
    droppedCommands: 0,
    drainPerS: 1.2,
  },
  drivers: [
    {
      id: 'door',
      type: 'camera-counter',
      state: 'failed',
      code: 'camera-stalled',
      detail: null,
      parts: [],
      events: 214,
      restarts: 1,
      lastEventAt: '2026-11-27T10:02:11.000Z',
      latest: [
        {
          subject: 'entrance',
          type: 'barrow.footfall.crossing.v1',
          at: '2026-11-27T10:02:11.000Z',
          data: { counterId: 'door', lineId: 'entrance', direction: 'in' },
        },
      ],
    },
  ],
  rules: {
    merchant: 'acme',
    version: 7,
    keyId: 'a1b2c3',
    expires: '2026-12-01T00:00:00Z',
    state: 'in-force',
    rules: 12,
  },
  machine: {
    freeBytes: 21_474_836_480,
    temperatureC: 51.2,
    throttled: null,
    uptimeS: 7_421,
    rssBytes: 81_264_640,
    load1: 0.21,
  },
};
