import { STATUS_EXAMPLE } from '../../agent/api/routes/status-example.ts';
import type { AgentStatus, DriverStatus } from '../../agent/core/status.ts';
import type { MonoMs } from '../../drivers/api/clock.ts';
import { STREAMS, type JsonObject } from '../../drivers/api/reading.ts';
import type { ScriptedKit } from './scripted-kit.ts';

const NOW = '2026-11-27T10:15:31.000Z';

function driver(
  id: string,
  type: string,
  latest: DriverStatus['latest'],
  more: Partial<DriverStatus> = {},
): DriverStatus {
  return {
    id,
    type,
    state: 'ready',
    code: null,
    detail: null,
    parts: [],
    events: 214,
    restarts: 0,
    lastEventAt: latest.at(-1)?.at ?? null,
    latest,
    ...more,
  };
}

function seen(subject: string, type: string, at: string, data: JsonObject): DriverStatus['latest'][number] {
  return { subject, type, at, data };
}

const SHELVES = driver('shelves', 'ble-shelf', [
  seen('s1', 'barrow.shelf.count.v1', '2026-11-27T10:15:19.000Z', {
    sensorId: 's1',
    sku: 'TEE-BLK-M',
    count: 14,
    delta: -1,
    grams: 2520,
  }),
  seen('s1', 'barrow.sensor.v1', '2026-11-27T10:15:28.000Z', {
    sensorId: 's1',
    measurements: [
      { name: 'temperature', value: 21.4, unit: '°C' },
      { name: 'battery', value: 87, unit: '%' },
    ],
    rssiDbm: -61,
  }),
  seen('s2', 'barrow.sensor.v1', '2026-11-27T10:14:02.000Z', {
    sensorId: 's2',
    measurements: [
      { name: 'mass', value: 1.84, unit: 'kg' },
      { name: 'battery', value: 11, unit: '%' },
    ],
    rssiDbm: -88,
  }),
]);
const TERMINAL = driver('terminal', 'zvt-terminal', [
  seen('terminal', 'barrow.payment.v1', '2026-11-27T10:11:40.000Z', {
    deviceId: 'terminal',
    intentId: 'intent-1',
    outcome: 'approved',
    amountMinor: 2499,
    currency: 'GBP',
    maskedPan: '476173******0119',
  }),
]);
const SCANNER = driver('scanner', 'barcode-scanner', [
  seen('scanner', 'barrow.scan.v1', '2026-11-27T10:11:02.000Z', {
    readerId: 'scanner',
    symbology: 'ean13',
    gtin14: '05012345678900',
  }),
]);
const LOYALTY = driver('loyalty', 'loyalty-reader', [
  seen('loyalty', 'barrow.loyalty.v1', '2026-11-27T09:58:00.000Z', {
    readerId: 'loyalty',
    keyId: 'k1',
    pseudonym: '9d2f…',
  }),
]);
const DOOR = driver('door', 'camera-counter', [
  seen('entrance', 'barrow.footfall.crossing.v1', '2026-11-27T10:15:07.000Z', {
    counterId: 'door',
    lineId: 'entrance',
    direction: 'in',
  }),
]);

function streams(pending: number): AgentStatus['ledger']['streams'] {
  return STREAMS.map((stream, index) => ({
    stream,
    last: 42 + index * 310,
    pendingRows: index === 0 ? 1 : pending * index,
    pendingBytes: 800 * (index === 0 ? 1 : pending * index),
    oldestPendingMono: 1_000 as MonoMs,
    lostRows: 0,
  }));
}

/** A shop on a good morning. */
export const OPEN_SHOP: AgentStatus = {
  ...STATUS_EXAMPLE,
  now: NOW,
  ready: true,
  reasons: [],
  drivers: [SHELVES, TERMINAL, SCANNER, LOYALTY, DOOR],
  ledger: { ...STATUS_EXAMPLE.ledger, bytes: 21_400_000, streams: streams(0), oldestPendingS: 1 },
  machine: { ...STATUS_EXAMPLE.machine, throttled: null },
};

/** The same shop with a dead camera, a silent sensor and no network. */
export const TROUBLED_SHOP: AgentStatus = {
  ...OPEN_SHOP,
  ready: false,
  reasons: [
    {
      code: 'camera-stalled',
      sentence: 'The camera sends no pictures',
      hint: 'Check its cable and power',
      driver: 'door',
    },
    {
      code: 'sensor-silent',
      sentence: 'Shelf sensor s2 has not been heard for 4 min',
      hint: 'Replace its battery or bring it nearer',
      driver: 'shelves',
    },
    {
      code: 'broker-unreachable',
      sentence: 'The broker cannot be reached',
      hint: 'Check the shop’s internet; events are kept until it is back',
    },
  ],
  drivers: [
    {
      ...SHELVES,
      state: 'degraded',
      code: 'sensor-silent',
      parts: [{ part: 's2', state: 'silent', code: 'sensor-silent' }],
    },
    TERMINAL,
    SCANNER,
    LOYALTY,
    { ...DOOR, state: 'failed', code: 'camera-stalled', detail: 'no frame for 61 s', restarts: 3 },
  ],
  ledger: { ...OPEN_SHOP.ledger, streams: streams(120), oldestPendingS: 2_840, bytes: 24_900_000 },
  uplink: {
    ...OPEN_SHOP.uplink,
    state: 'waiting',
    code: 'broker-unreachable',
    detail: 'connection refused',
    drainPerS: null,
  },
};

/** A morning's events and log lines, so that a page has something to show. */
export function openTheShop(kit: ScriptedKit): void {
  kit.event('agent', 'barrow.agent.started.v1', { version: '0.1.0' });
  kit.till.stock(
    {
      kind: 'open',
      lines: [
        { sku: 'TEE-BLK-M', qty: 20, unitCostMinor: 900 },
        { sku: 'TOTE-NAT', qty: 30, unitCostMinor: 500 },
      ],
    },
    null,
  );
  for (let person = 0; person < 9; person += 1)
    kit.event('footfall', 'barrow.footfall.crossing.v1', {
      counterId: 'door',
      lineId: 'entrance',
      direction: person % 3 === 2 ? 'out' : 'in',
    });
  const sale = kit.till.sale(
    { lines: [{ sku: 'TEE-BLK-M', qty: 2, unitCostMinor: 900, packagingVariantId: 'tube' }], tender: 'card' },
    null,
  );
  kit.till.sale(
    { lines: [{ sku: 'TOTE-NAT', qty: 1, unitCostMinor: 500, packagingVariantId: 'sleeve' }], tender: 'cash' },
    null,
  );
  kit.till.refund(
    {
      originalEventId: sale.answer.eventId,
      lines: [{ sku: 'TEE-BLK-M', qty: 1, originalLineNo: 1, returnReason: 'size' }],
    },
    null,
  );
  kit.event('shelf', 'barrow.shelf.count.v1', {
    sensorId: 's1',
    sku: 'TEE-BLK-M',
    count: 14,
    delta: -1,
    grams: 2520,
    cause: 'pick',
  });
  kit.event('scan', 'barrow.scan.v1', {
    readerId: 'scanner',
    symbology: 'ean13',
    gtin14: '05012345678900',
    elements: [],
  });
  kit.event('price', 'barrow.price.decided.v1', {
    sku: 'TEE-BLK-M',
    priceMinor: 2499,
    currency: 'GBP',
    ruleId: 'slow-movers',
  });
  kit.logs = [
    { level: 30, time: '2026-11-27T10:02:11.000Z', event: 'driver-ready', driver: 'door' },
    { level: 40, time: '2026-11-27T10:14:11.000Z', event: 'camera-stalled', driver: 'door', sinceS: 61 },
    { level: 50, time: '2026-11-27T10:14:30.000Z', event: 'broker-unreachable', url: 'mqtts://broker.example:8883' },
  ];
}
