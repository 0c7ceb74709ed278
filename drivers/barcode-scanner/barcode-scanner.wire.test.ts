import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../agent/host/clock.ts';
import { scanMessage, virtualScanner, type PrintedCode } from '../../firmware-sim/devices/barcode-scanner/scanner.ts';
import { driverBench, type DriverBench } from '../../firmware-sim/wire/driver-bench.ts';
import { pluggedPort, type PluggedPort } from '../../firmware-sim/wire/plugged-port.ts';
import { driver } from './index.ts';

const clock = systemClock();
const never = new AbortController().signal;

let folder = '';
let port: PluggedPort;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barrow-scanner-'));
  port = await pluggedPort(join(folder, 'by-id'), 'usb-scanner');
});
afterEach(async () => {
  await port.unplug();
  await rm(folder, { recursive: true, force: true });
});

const start = (settings: object = {}): Promise<DriverBench> =>
  driverBench({ driver, driverId: 'scanner', config: { port: port.path, ...settings } });

const ready = (bench: DriverBench): boolean => bench.states.at(-1)?.state === 'ready';
const texts = (bench: DriverBench): unknown[] => bench.events.map((event) => event.data['text']);
const qr = (text: string): PrintedCode => ({ symbology: 'qr', text });

test('scans at a real line speed become events', async () => {
  await port.unplug();
  port = await pluggedPort(join(folder, 'by-id'), 'usb-scanner', { baudRate: 9_600 });
  const line = await port.plug();
  await using bench = await start();
  await bench.until(ready);
  const scanner = virtualScanner(line);
  await scanner.scan({ symbology: 'ean-13', digits: '2112345678900' });
  await scanner.scan({
    symbology: 'gs1-datamatrix',
    elements: [
      ['01', '12312312312333'],
      ['10', 'ABC123'],
      ['17', '271231'],
      ['21', 'S/1'],
    ],
  });
  await bench.until((seen) => seen.events.length === 2);
  expect(bench.events.map((event) => event.data)).toEqual([
    { readerId: 'scanner', symbology: 'EAN-13', gtin14: '02112345678900', elements: [] },
    {
      readerId: 'scanner',
      symbology: 'GS1 DataMatrix',
      gtin14: '12312312312333',
      elements: [
        { ai: '01', value: '12312312312333' },
        { ai: '10', value: 'ABC123' },
        { ai: '17', value: '271231' },
        { ai: '21', value: 'S/1' },
      ],
    },
  ]);
});

test('a scanner that is not there is said to be missing and found when it comes', async () => {
  await using bench = await start();
  await bench.until((seen) => seen.states.at(-1)?.code === 'port-missing');
  expect(bench.states.at(-1)?.state).toBe('failed');
  const line = await port.plug();
  await bench.until(ready);
  await virtualScanner(line).scan(qr('first'));
  await bench.until((seen) => seen.events.length === 1);
});

test('a burst of 5,000 scans of 100 bytes loses none, whether they differ or not', async () => {
  const line = await port.plug();
  await using bench = await start();
  await bench.until(ready);
  const text = (number: number): string => String(number).padStart(96, '0');
  const scanner = virtualScanner(line);
  await scanner.dump(Array.from({ length: 5_000 }, (_, number) => qr(text(number))));
  await bench.until((seen) => seen.readings.length >= 5_001, 30_000);
  expect(texts(bench)).toEqual(Array.from({ length: 5_000 }, (_, number) => text(number)));
  await scanner.dump(Array.from({ length: 5_000 }, () => qr('A'.repeat(96))));
  await bench.until((seen) => seen.readings.length >= 10_001, 30_000);
  expect(bench.events.length).toBe(10_000);
});

test('a burst loses none when the disk behind it is slow', async () => {
  const line = await port.plug();
  await using bench = await driverBench({ driver, config: { port: port.path }, pauseMs: 15 });
  await bench.until(ready);
  const text = (number: number): string => String(number).padStart(96, '0');
  await virtualScanner(line).dump(Array.from({ length: 150 }, (_, number) => qr(text(number))));
  await bench.until((seen) => seen.events.length === 150, 30_000);
  expect(texts(bench)).toEqual(Array.from({ length: 150 }, (_, number) => text(number)));
});

test('the same code again at once is one scan, after the window it is another', async () => {
  const line = await port.plug();
  await using bench = await start({ doubleScanMs: 1_500 });
  await bench.until(ready);
  const scanner = virtualScanner(line);
  await scanner.scan(qr('mug'));
  await scanner.scan(qr('mug'));
  await clock.sleep(100, never);
  await scanner.scan(qr('mug'));
  await clock.sleep(1_700, never);
  await scanner.scan(qr('mug'));
  await scanner.scan(qr('tee'));
  await bench.until((seen) => texts(seen).includes('tee'));
  expect(texts(bench)).toEqual(['mug', 'mug', 'tee']);
});

test('half a scan before the cable was pulled is never glued to the next one', async () => {
  let line = await port.plug();
  await using bench = await start();
  await bench.until(ready);
  await line.write(scanMessage(qr('HALF')).subarray(0, 5));
  await clock.sleep(50, never);
  await port.unplug();
  await bench.until((seen) => seen.states.at(-1)?.state === 'failed');
  line = await port.plug();
  await bench.until(ready);
  await virtualScanner(line).scan(qr('WHOLE'));
  await bench.until((seen) => seen.events.length > 0);
  expect(texts(bench)).toEqual(['WHOLE']);
});

test('a label that breaks its own rules is no event; three in a row are a fault, the next good one heals it', async () => {
  const line = await port.plug();
  await using bench = await start();
  await bench.until(ready);
  const scanner = virtualScanner(line);
  await scanner.scan({ symbology: 'ean-13', digits: '2112345678901' });
  await scanner.scan({ symbology: 'ean-8', digits: '02345674' });
  await scanner.scan({ symbology: 'gs1-128', elements: [['01', '12312312312334']] });
  await bench.until((seen) => seen.states.at(-1)?.code === 'scan-refused');
  await scanner.scan({ symbology: 'ean-8', digits: '02345673' });
  await bench.until((seen) => seen.events.length === 1 && ready(seen));
  expect(bench.states.map(({ state }) => state)).toEqual(['ready', 'degraded', 'ready']);
});

test('closing lets the port go', async () => {
  await port.plug();
  const bench = await start();
  await bench.until(ready);
  await bench[Symbol.asyncDispose]();
  await using next = await start();
  await next.until(ready);
});

test('comes back within 3 s of its device, each of 20 times that it is unplugged under traffic', async () => {
  await using bench = await start({ doubleScanMs: 0 });
  let number = 0;
  for (let round = 0; round < 20; round += 1) {
    const line = await port.plug();
    const seen = bench.events.length;
    const plugged = clock.monoMs();
    const traffic = (async () => {
      while (line.open) {
        number += 1;
        await line.write(scanMessage(qr(`code ${number}`))).catch(() => undefined);
        await clock.sleep(1, never);
      }
    })();
    await bench.until(({ events }) => events.length > seen);
    expect(clock.monoMs() - plugged).toBeLessThan(3_000);
    await port.unplug();
    await traffic;
    await bench.until(({ states }) => states.at(-1)?.state === 'failed');
  }
  expect(texts(bench).every((text) => /^code \d+$/.test(String(text)))).toBe(true);
});
