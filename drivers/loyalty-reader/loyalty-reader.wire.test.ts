import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../agent/host/clock.ts';
import { virtualPn532, type VirtualPn532 } from '../../firmware-sim/devices/loyalty-reader/pn532.ts';
import { swipeMessage, virtualStripeReader } from '../../firmware-sim/devices/loyalty-reader/stripe-reader.ts';
import { driverBench, type DriverBench } from '../../firmware-sim/wire/driver-bench.ts';
import { pluggedPort, type PluggedPort } from '../../firmware-sim/wire/plugged-port.ts';
import { driver } from './index.ts';

const clock = systemClock();
const never = new AbortController().signal;
const KEY = 'd6f3c1a09b8e7f6a5d4c3b2a19080706';
const pseudonymOf = (id: string): string => createHmac('sha256', KEY).update(`loyalty|v1|${id}`).digest('hex');

let folder = '';
let port: PluggedPort;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barrow-loyalty-'));
  port = await pluggedPort(join(folder, 'by-id'), 'usb-reader');
});
afterEach(async () => {
  await port.unplug();
  await rm(folder, { recursive: true, force: true });
});

const start = (settings: object): Promise<DriverBench> =>
  driverBench({
    driver,
    driverId: 'loyalty',
    config: { port: port.path, pseudonymKey: { file: 'loyalty.key' }, ...settings },
    secrets: { 'loyalty.key': KEY, 'old.key': 'the key of the last season' },
  });
const ready = (bench: DriverBench): boolean => bench.states.at(-1)?.state === 'ready';
const pseudonyms = (bench: DriverBench): unknown[] => bench.events.map((event) => event.data['pseudonym']);

describe('a stripe reader', () => {
  test('turns swipes into pseudonyms, framed or not', async () => {
    const line = await port.plug();
    await using bench = await start({ protocol: 'magstripe' });
    await bench.until(ready);
    await virtualStripeReader(line).swipe({ track2: '9900001234567=' });
    await virtualStripeReader(line, { framed: true, insertion: true }).swipe({
      track1: null,
      track2: '9900007654321=',
    });
    await bench.until((seen) => seen.events.length === 2);
    expect(bench.events[0]?.data).toEqual({
      readerId: 'loyalty',
      keyId: expect.stringMatching(/^[0-9a-f]{16}$/),
      pseudonym: pseudonymOf('9900001234567'),
    });
    expect(pseudonyms(bench)[1]).toBe(pseudonymOf('9900007654321'));
  });

  test('that sends no CR is understood once it is quiet, half a swipe is not', async () => {
    const line = await port.plug();
    await using bench = await start({ protocol: 'magstripe' });
    await bench.until(ready);
    await line.write(Buffer.from(';9900001234567=?'));
    await bench.until((seen) => seen.events.length === 1);
    await line.write(Buffer.from('%E?;99000076'));
    await clock.sleep(700, never);
    await line.write(Buffer.from(';9900005555555=?'));
    await bench.until((seen) => seen.events.length === 2);
    expect(pseudonyms(bench)).toEqual([pseudonymOf('9900001234567'), pseudonymOf('9900005555555')]);
  });

  test('sends its set-up after every open, as a reader forgets it with its power', async () => {
    const setup = Buffer.from('E1\r').toString('hex');
    let line = await port.plug();
    await using bench = await start({ protocol: 'magstripe', setup });
    for (let round = 0; round < 2; round += 1) {
      for await (const chunk of line.chunks(never)) {
        expect(Buffer.from(chunk).toString()).toBe('E1\r');
        break;
      }
      await bench.until(ready);
      await port.unplug();
      await bench.until((seen) => seen.states.at(-1)?.state === 'failed');
      line = await port.plug();
    }
  });

  test('links old and new pseudonyms once while the keys change', async () => {
    const line = await port.plug();
    await using bench = await start({ protocol: 'magstripe', previousKey: { file: 'old.key' }, doubleTapMs: 0 });
    await bench.until(ready);
    const reader = virtualStripeReader(line);
    await reader.swipe({ track2: '9900001234567=' });
    await reader.swipe({ track2: '9900001234567=' });
    await bench.until((seen) => seen.events.length === 2);
    expect(bench.events.map((event) => 'previous' in event.data)).toEqual([true, false]);
  });

  test('without a key reads on, drops every id and says so', async () => {
    const line = await port.plug();
    await using bench = await driverBench({ driver, config: { port: port.path, protocol: 'magstripe' } });
    await bench.until((seen) => seen.states.at(-1)?.code === 'pseudonym-key-missing');
    await virtualStripeReader(line).swipe({ track2: '9900001234567=' });
    await bench.until((seen) => seen.logged.some((entry) => entry.includes('loyalty-id-dropped')));
    expect(bench.events).toEqual([]);
  });

  test('keeps nothing of a payment card, not even when the cable is pulled in the middle of it', async () => {
    let line = await port.plug();
    await using bench = await start({ protocol: 'magstripe' });
    await bench.until(ready);
    await virtualStripeReader(line).swipe({
      track1: 'B4111111111111111^DOE/J^2512101',
      track2: '4111111111111111=2512101',
    });
    await bench.until((seen) => seen.states.some(({ code }) => code === 'payment-card'));
    await line.write(swipeMessage({ track2: '5555555555554444=2512101' }).subarray(0, 20));
    await clock.sleep(50, never);
    await port.unplug();
    await bench.until((seen) => seen.states.at(-1)?.state === 'failed');
    line = await port.plug();
    await bench.until(ready);
    await virtualStripeReader(line).swipe({ track2: '9900001234567=' });
    await bench.until((seen) => seen.events.length > 0);
    expect(pseudonyms(bench)).toEqual([pseudonymOf('9900001234567')]);
  });
});

describe('a PN532', () => {
  const serve = async (chip: VirtualPn532): Promise<void> => {
    const line = await port.plug();
    void chip.serve(line, never).catch(() => undefined);
  };
  const tag = { uid: Uint8Array.of(0x04, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc), atqa: 0x0044, sak: 0x00 };

  test('tells a tag once while it lies there, and again when it comes back', async () => {
    const chip = virtualPn532();
    await serve(chip);
    await using bench = await start({ protocol: 'pn532', doubleTapMs: 2_000 });
    await bench.until(ready);
    chip.place(tag);
    await bench.until((seen) => seen.events.length === 1);
    const polled = chip.commands;
    await expect.poll(() => chip.commands, { timeout: 10_000 }).toBeGreaterThan(polled + 8);
    expect(pseudonyms(bench)).toEqual([pseudonymOf('04123456789abc')]);
    chip.take();
    await clock.sleep(2_500, never);
    chip.place(tag);
    await bench.until((seen) => seen.events.length === 2);
  });

  test('is woken, forgives lost acknowledgements, noise and broken answers', async () => {
    const chip = virtualPn532();
    chip.faults.noise = Uint8Array.of(0x55, 0x00, 0x00, 0x12);
    await serve(chip);
    await using bench = await start({ protocol: 'pn532' });
    await bench.until(ready);
    chip.faults.dropAcks = 1;
    chip.faults.corruptAnswers = 1;
    chip.place(tag);
    await bench.until((seen) => seen.events.length === 1);
    await bench.until(ready);
  });

  test('drops a contactless payment card and a random UID whole', async () => {
    const chip = virtualPn532();
    await serve(chip);
    await using bench = await start({ protocol: 'pn532' });
    await bench.until(ready);
    chip.place({ uid: Uint8Array.of(0x04, 9, 9, 9, 9, 9, 9), atqa: 0x0344, sak: 0x20, payment: true });
    await bench.until((seen) => seen.states.some(({ code }) => code === 'payment-card'));
    chip.place({ uid: Uint8Array.of(0x08, 1, 2, 3), atqa: 0x0004, sak: 0x20 });
    const polled = chip.commands;
    await expect.poll(() => chip.commands, { timeout: 10_000 }).toBeGreaterThan(polled + 6);
    expect(bench.events).toEqual([]);
    chip.place({ uid: Uint8Array.of(0x04, 1, 1, 1, 1, 1, 1), atqa: 0x0344, sak: 0x20 });
    await bench.until((seen) => seen.events.length === 1);
  });

  test('reads the id that is written on a tag, and drops a card’s number there', async () => {
    const written = (text: string): Uint8Array => {
      const payload = Buffer.from(`\u0002en${text}`, 'latin1');
      const record = Buffer.concat([Buffer.from([0xd1, 1, payload.length, 0x54]), payload]);
      const head = Buffer.from('04123456789abc00000000000000000e'.slice(0, 24) + 'e1101200', 'hex');
      return Buffer.concat([head, Buffer.from([0x03, record.length]), record, Buffer.from([0xfe])]);
    };
    const chip = virtualPn532();
    await serve(chip);
    await using bench = await start({ protocol: 'pn532', idFrom: 'ndef' });
    await bench.until(ready);
    chip.place({ ...tag, memory: written('9900001234567 with a long name behind it') });
    await bench.until((seen) => seen.events.length === 1);
    expect(pseudonyms(bench)).toEqual([pseudonymOf('9900001234567 with a long name behind it')]);
    chip.place({ ...tag, memory: written('4111111111111111') });
    await bench.until((seen) => seen.states.some(({ code }) => code === 'payment-card'));
    expect(bench.events.length).toBe(1);
  });

  test('that is silent is said to be, and found again when it speaks', async () => {
    const chip = virtualPn532();
    chip.faults.silent = true;
    await serve(chip);
    await using bench = await start({ protocol: 'pn532' });
    await bench.until((seen) => seen.states.at(-1)?.code === 'reader-silent', 15_000);
    chip.faults.silent = false;
    await bench.until(ready, 15_000);
  });

  test('is back after its plug was pulled under traffic', async () => {
    const chip = virtualPn532();
    await serve(chip);
    await using bench = await start({ protocol: 'pn532', doubleTapMs: 0 });
    chip.place(tag);
    await bench.until((seen) => seen.events.length > 0);
    await port.unplug();
    await bench.until((seen) => seen.states.at(-1)?.state === 'failed');
    await serve(chip);
    await bench.until(ready, 3_000);
  });
});
