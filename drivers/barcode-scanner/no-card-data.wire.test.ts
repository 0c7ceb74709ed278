import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { driver } from './index.ts';
import { scanMessage } from '../../firmware-sim/devices/barcode-scanner/scanner.ts';
import { driverBench } from '../../firmware-sim/wire/driver-bench.ts';
import { pluggedPort } from '../../firmware-sim/wire/plugged-port.ts';

/** Public test numbers of the schemes. */
const CANARIES = ['4111111111111111', '5555555555554444', '378282246310005', '6011111111111117', '3530111333300000'];

function leaks(text: string): readonly string[] {
  return CANARIES.filter((pan) =>
    [pan, Buffer.from(pan).toString('hex'), Buffer.from(pan).toString('base64').slice(0, 18)].some((form) =>
      text.includes(form),
    ),
  );
}

test.each(['latin1', 'hex', 'base64'] as const)('the search finds a number that leaked as %s', (encoding) => {
  expect(leaks(`{"text":"${Buffer.from('4111111111111111').toString(encoding)}"}`)).toEqual(['4111111111111111']);
});

test('no card number that stands in a barcode goes further than first six and last four', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'barrow-canary-'));
  const port = await pluggedPort(folder, 'reader');
  try {
    const line = await port.plug();
    await using bench = await driverBench({ driver, config: { port: port.path } });
    await bench.until((seen) => seen.states.at(-1)?.state === 'ready');
    for (const pan of CANARIES) {
      await line.write(scanMessage({ symbology: 'code-128', text: pan }));
      await line.write(scanMessage({ symbology: 'qr', text: `https://pay.example/${pan}?card=${pan}` }));
      await line.write(scanMessage({ symbology: 'code-128', text: pan }, { identifiers: false }));
      await line.write(scanMessage({ symbology: 'gs1-128', elements: [['99', pan]] }));
    }
    await bench.until((seen) => seen.events.length === 4 * CANARIES.length);
    const left = JSON.stringify([bench.readings, bench.logged]);
    expect(leaks(left)).toEqual([]);
    expect(left).toContain('411111******1111');
  } finally {
    await port.unplug();
    await rm(folder, { recursive: true, force: true });
  }
});
