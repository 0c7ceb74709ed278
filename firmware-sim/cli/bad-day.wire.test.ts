import { expect, test } from 'vitest';
import { scenarioFile } from '../scenario/scenario.ts';
import { runDemo } from './demo/run-demo.ts';

test('a shop whose plugs are pulled and whose terminal misbehaves loses no event, and charges what it booked', async () => {
  const happened: string[] = [];
  const scenario = scenarioFile.parse({
    kit: { id: 'bad-day', node: 'n', group: 'g', currency: 'EUR', timezone: 'Europe/Berlin' },
    shoppersPerMin: 60,
    products: [{ sku: 'TEE', gtin: '05012345678900', listMinor: 2_500, costMinor: 900, stock: 90 }],
    devices: [
      {
        id: 'shelves',
        type: 'ble-shelf',
        sensors: [{ id: 's1', address: 'A4:C1:38:8D:18:B2', sku: 'TEE', unitGrams: 180 }],
      },
      { id: 'terminal', type: 'zvt-terminal', approve: 1 },
      { id: 'scanner', type: 'barcode-scanner' },
    ],
    incidents: [
      { atS: 2, device: 'scanner', what: 'unplugged', forS: 1, everyS: 5 },
      { atS: 3, device: 'terminal', what: 'refuses-blocks', times: 1, everyS: 4 },
      { atS: 4, device: 'terminal', what: 'unplugged', forS: 2, everyS: 9 },
      { atS: 5, device: 'shelves', what: 'unplugged', forS: 2 },
      { atS: 9, device: 'shelves', what: 'reports-truncated', times: 3 },
    ],
  });
  const never = new AbortController().signal;
  const summary = await runDemo(
    {
      scenario,
      seconds: 18,
      onReady: () => undefined,
      onEvent: () => undefined,
      onIncident: ({ device, what }, phase) => void happened.push(`${device} ${what} ${phase}`),
    },
    never,
  );
  expect(summary.faults).toEqual([]);
  expect(summary.shop.sales).toBeGreaterThan(0);
  expect(happened).toContain('terminal unplugged ends');
}, 180_000);
