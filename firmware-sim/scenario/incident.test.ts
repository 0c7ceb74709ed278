import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { incidentKinds, INCIDENTS_MAX } from './incident.ts';
import { scenarioFile } from './scenario.ts';

const kit = { id: 'k', node: 'n', group: 'g', currency: 'EUR', timezone: 'Europe/Berlin' };
const products = [{ sku: 'A', gtin: '05012345678900', listMinor: 100, stock: 1 }];
const devices = [
  { id: 'till', type: 'zvt-terminal' },
  { id: 'scanner', type: 'barcode-scanner' },
];
const unplugged = { atS: 1, device: 'scanner', what: 'unplugged', forS: 2 };

const read = (...incidents: readonly object[]): readonly string[] => {
  const result = scenarioFile.safeParse({ kit, products, devices, incidents });
  return (result.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
};

describe('the incidents of a scenario', () => {
  test('are none unless told', () => {
    expect(scenarioFile.parse({ kit, products, devices }).incidents).toEqual([]);
  });

  test('of the shops that ship can all happen', () => {
    for (const name of ['popup', 'bad-day'])
      scenarioFile.parse(parse(readFileSync(new URL(`${name}.yaml`, import.meta.url), 'utf8')));
  });

  test.each(Object.entries(incidentKinds))('of a %s are each accepted as told', (type, kinds) => {
    for (const [what, kind] of Object.entries(kinds)) {
      const of = { atS: 0, device: 'till', what, ...(kind === 'lasts' ? { forS: 1 } : { times: 1 }) };
      const more = { clip: 'a.avi', sensors: [{ id: 's', address: 'A4:C1:38:8D:18:B2', sku: 'A', unitGrams: 1 }] };
      const device = {
        id: 'till',
        type,
        ...(type === 'camera-counter' ? { clip: more.clip } : {}),
        ...(type === 'ble-shelf' ? { sensors: more.sensors } : {}),
      };
      expect(scenarioFile.safeParse({ kit, products, devices: [device], incidents: [of] }).error).toBeUndefined();
    }
  });

  test('on a device that is not there, of a kind that it does not know, or without a length are refused where they are', () => {
    expect(read({ ...unplugged, device: 'x' })).toEqual(['incidents.0.device: no device is called x']);
    expect(read(unplugged, { ...unplugged, what: 'busy' })).toEqual([
      'incidents.1.what: a barcode-scanner knows unplugged, not busy',
    ]);
    expect(read({ ...unplugged, what: 'constructor' })).toEqual([
      'incidents.0.what: a barcode-scanner knows unplugged, not constructor',
    ]);
    expect(read({ atS: 1, device: 'scanner', what: 'unplugged' })).toEqual(['incidents.0.forS: unplugged needs forS']);
    expect(read({ ...unplugged, times: 2 })).toEqual(['incidents.0.times: unplugged has no times']);
    expect(read({ ...unplugged, everyS: 2 })).toEqual(['incidents.0.forS: must be shorter than everyS']);
    expect(read({ ...unplugged, everyS: 0.001 }).length).toBeGreaterThan(0);
    expect(read({ ...unplugged, forMs: 3 }).length).toBeGreaterThan(0);
  });

  test('are bounded in number', () => {
    expect(read(...Array.from({ length: INCIDENTS_MAX }, () => unplugged))).toEqual([]);
    expect(read(...Array.from({ length: INCIDENTS_MAX + 1 }, () => unplugged)).length).toBeGreaterThan(0);
  });
});
