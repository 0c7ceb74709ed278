import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Advertisement } from '../../../drivers/api/transports.ts';
import type { Peripheral } from '../../../firmware-sim/bluetooth/peripheral.ts';
import { radioBench, type RadioBench } from '../../../firmware-sim/devices/ble-shelf/shelf-bench.ts';
import { virtualGattScale } from '../../../firmware-sim/devices/ble-shelf/virtual-beacons.ts';
import { systemChance, systemClock } from '../clock.ts';
import { ADDRESSES_KNOWN } from './noble-scanner.ts';

const POLL = { timeout: 20_000, interval: 25 };
const clock = systemClock();
const chance = systemChance();
const anySignal = (): AbortSignal => new AbortController().signal;

/** Collects what the radio hears, in the background. */
function listen(bench: RadioBench): Advertisement[] {
  const heard: Advertisement[] = [];
  void (async () => {
    for await (const entry of bench.radio.signals(bench.signal)) if (entry.kind === 'advert') heard.push(entry.advert);
  })();
  return heard;
}

const beacon = (address: string, data: () => readonly number[], rest: Partial<Peripheral> = {}): Peripheral => ({
  address,
  addressType: 'public',
  kind: 'non-connectable',
  intervalMs: 60,
  rssiDbm: -60,
  advertise: () => ({ data: Uint8Array.from(data()) }),
  ...rest,
});

const serviceData = (value: number): number[] => [0x07, 0x16, 0xd2, 0xfc, 0x40, 0x01, value, 0x00];
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

interface FrameVector {
  readonly format: string;
  readonly hex: string;
  readonly from: string;
  readonly rssi: number;
}
const frames = (
  JSON.parse(
    readFileSync(new URL('../../../drivers/ble-shelf/vectors.json', import.meta.url), 'utf8'),
  ) as readonly FrameVector[]
).filter(({ format }) => format === 'hci');

describe.each(['abandonware', 'stoprocent'] as const)('radio over %s', (library) => {
  it('hears every captured frame with its address and RSSI, whether legacy or extended', async () => {
    await using bench = await radioBench({ library, controller: { extended: false } });
    const heard = listen(bench);
    bench.controller.add(beacon('00:00:00:00:00:01', () => [0x02, 0x01, 0x06]));
    await expect.poll(() => heard.length, POLL).toBeGreaterThan(0);
    for (const frame of frames) bench.controller.replay(Uint8Array.from(Buffer.from(frame.hex, 'hex')));
    const captured = (): Advertisement[] => heard.filter(({ address }) => address !== '00:00:00:00:00:01');
    await expect.poll(() => captured().length, POLL).toBe(frames.length);
    expect(captured().map(({ address, rssiDbm }) => [address, rssiDbm])).toEqual(
      frames.map(({ from, rssi }) => [from, rssi]),
    );
  });

  it('hears extended adverts whole although the controller sends them in fragments', async () => {
    await using bench = await radioBench({ library, controller: { extended: true, fragmentBytes: 9 } });
    const heard = listen(bench);
    const name = [0x0b, 0x09, ...Buffer.from('Long name!')];
    bench.controller.add(beacon('C0:00:00:00:00:02', () => [...serviceData(7), ...name], { kind: 'extended' }));
    await expect.poll(() => heard.length, POLL).toBeGreaterThan(3);
    for (const advert of heard) {
      expect(advert.localName).toBe('Long name!');
      expect(advert.serviceData.map(({ uuid, data }) => [uuid, hex(data)])).toEqual([['fcd2', '40010700']]);
    }
  });

  it('reports every change of a sensor, also after a scan response was seen, and forgets what it no longer sends', async () => {
    await using bench = await radioBench({ library });
    const heard = listen(bench);
    let sent = 0;
    const peripheral = beacon('C0:00:00:00:00:03', () => [], { kind: 'connectable' });
    bench.controller.add({
      ...peripheral,
      advertise: () => {
        sent += 1;
        const data = sent === 3 ? [0x04, 0xff, 0x99, 0x04, 0x77] : serviceData(sent & 0xff);
        const scanResponse = Uint8Array.of(0x05, 0x09, 0x4e, 0x61, 0x6d, 0x65);
        return sent % 2 === 1 ? { data: Uint8Array.from(data), scanResponse } : { data: Uint8Array.from(data) };
      },
    });
    await expect.poll(() => heard.filter(({ serviceData: data }) => data.length > 0).length, POLL).toBeGreaterThan(12);
    const values = heard.flatMap(({ serviceData: data }) => data.map((entry) => entry.data[2] ?? 0));
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(new Set(values).size).toBe(values.length);
    const withManufacturer = heard.filter(({ manufacturerData }) => manufacturerData !== undefined);
    expect(withManufacturer.length).toBeLessThanOrEqual(1);
    expect(heard.some(({ localName, serviceData: data }) => localName === undefined && data.length > 0)).toBe(true);
    expect(heard.every(({ serviceData: data }) => data.length <= 1)).toBe(true);
  });

  it('reads, writes and is indicated to over a connection, keeps scanning, and disconnects', async () => {
    await using bench = await radioBench({ library });
    const heard = listen(bench);
    const written: Uint8Array[] = [];
    const long = Uint8Array.from({ length: 300 }, (_, index) => index & 0xff);
    const scale = virtualGattScale({ address: 'D0:00:00:00:00:04', clock, chance, intervalMs: 50 });
    const onAir = bench.controller.add({
      ...scale,
      services: [
        ...(scale.services ?? []),
        {
          uuid: 'fff0',
          characteristics: [
            {
              uuid: 'fff1',
              properties: ['read', 'write'],
              value: () => long,
              onWrite: (bytes) => void written.push(bytes),
            },
          ],
        },
      ],
    });
    bench.controller.add(beacon('C0:00:00:00:00:05', () => serviceData(1)));
    const link = await bench.radio.connect('D0:00:00:00:00:04', 10_000, anySignal());
    expect(onAir.connected).toBe(true);
    expect(hex(await link.read('fff0', 'fff1', anySignal()))).toBe(hex(long));
    await link.write('fff0', 'fff1', long, anySignal());
    expect(written.map(hex)).toEqual([hex(long)]);
    const leave = new AbortController();
    const indicated = link.notifications('181d', '2a9d', leave.signal);
    const first = indicated[Symbol.asyncIterator]().next();
    await expect.poll(() => onAir.push('2a9d', Uint8Array.of(0x00, 0xb4, 0x36)), POLL).toBe(true);
    expect(hex((await first).value as Uint8Array)).toBe('00b436');
    leave.abort();
    const before = heard.filter(({ address }) => address === 'C0:00:00:00:00:05').length;
    await expect
      .poll(() => heard.filter(({ address }) => address === 'C0:00:00:00:00:05').length, POLL)
      .toBeGreaterThan(before + 2);
    await link[Symbol.asyncDispose]();
    await expect.poll(() => onAir.connected, POLL).toBe(false);
  });

  it('ends every call on a link that is lost, refused or never comes about', async () => {
    await using bench = await radioBench({ library, radio: { gattTimeoutMs: 2_000 } });
    const scale = virtualGattScale({ address: 'D0:00:00:00:00:06', clock, chance, intervalMs: 50 });
    let drop = false;
    const onAir = bench.controller.add({
      ...scale,
      services: [
        {
          uuid: 'fff0',
          characteristics: [
            {
              uuid: 'fff1',
              properties: ['read', 'write'],
              writeError: 0x03,
              value: () => {
                if (drop) bench.controller.dropLinks();
                return Uint8Array.of(1);
              },
            },
          ],
        },
      ],
    });
    const link = await bench.radio.connect('D0:00:00:00:00:06', 10_000, anySignal());
    await expect(link.write('fff0', 'fff1', Uint8Array.of(1), anySignal())).rejects.toMatchObject({
      code: 'gatt-refused',
    });
    await expect(link.read('fff0', 'fff9', anySignal())).rejects.toMatchObject({ code: 'gatt-not-found' });
    drop = true;
    await expect(link.read('fff0', 'fff1', anySignal())).rejects.toMatchObject({
      code: expect.stringMatching(/^gatt-(lost|refused|timeout)$/) as string,
    });
    await expect.poll(() => onAir.connected, POLL).toBe(false);
    await expect(bench.radio.connect('D0:00:00:00:00:99', 500, anySignal())).rejects.toMatchObject({
      code: 'gatt-timeout',
    });
    expect(bench.radio.health().restarts).toBe(0);
  });

  it('scans again after the adapter went down and came back, and after refusals', async () => {
    await using bench = await radioBench({ library });
    const heard = listen(bench);
    bench.controller.faults.refuseScanEnables = 2;
    bench.controller.faults.strictDisable = true;
    bench.controller.add(beacon('C0:00:00:00:00:07', () => serviceData(1)));
    await expect.poll(() => heard.length, POLL).toBeGreaterThan(0);
    bench.controller.powerOff();
    const before = heard.length;
    bench.controller.powerOn();
    await expect.poll(() => heard.length, POLL).toBeGreaterThan(before + 3);
    expect(bench.radio.health()).toMatchObject({ state: 'scanning', restarts: 0 });
  });

  it('forgets strangers instead of growing, and outlives an interrupt meant for the agent', async () => {
    await using bench = await radioBench({ library });
    const heard = listen(bench);
    bench.controller.add(beacon('C0:00:00:00:00:0C', () => serviceData(1)));
    await expect.poll(() => heard.length, POLL).toBeGreaterThan(0);
    const pid = bench.logged.find(({ event }) => event === 'radio-process-started')?.fields['pid'];
    process.kill(Number(pid), 'SIGINT');
    const strangers = 9_000;
    for (let index = 0; index < strangers; index += 1) {
      const address = `4${index.toString(16).padStart(11, '0')}`.match(/../g)!.join(':').toUpperCase();
      const stranger = { address, addressType: 'random', rssiDbm: -80 } as const;
      bench.controller.inject(stranger, 'non-connectable', Uint8Array.of(0x02, 0x01, 0x06));
      if (index % 300 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const vitals = () => bench.logged.filter(({ event }) => event === 'radio-vitals').map(({ fields }) => fields);
    await expect.poll(() => vitals().at(-1)?.['forgets'], POLL).toBe(Math.floor(strangers / (ADDRESSES_KNOWN + 1)));
    // What the library remembers is emptied, not only what this process counts.
    expect(vitals().at(-1)?.['forgetful']).toBe(true);
    expect(Math.max(...vitals().map(({ addressesKnown }) => Number(addressesKnown)))).toBeLessThanOrEqual(
      ADDRESSES_KNOWN,
    );
    await expect.poll(() => bench.radio.health().adverts, POLL).toBeGreaterThan(strangers);
    expect(bench.radio.health()).toMatchObject({ state: 'scanning', restarts: 0, dropped: 0 });
  });

  it('survives frames that make the library throw', async () => {
    await using bench = await radioBench({ library });
    const heard = listen(bench);
    bench.controller.add(beacon('C0:00:00:00:00:08', () => serviceData(1)));
    await expect.poll(() => heard.length, POLL).toBeGreaterThan(0);
    bench.controller.faults.truncateReports = 10;
    for (let length = 0; length < 12; length += 1)
      bench.controller.replay(Uint8Array.of(0x04, 0x3e, length, ...new Uint8Array(length).fill(2)));
    const before = heard.length;
    await expect.poll(() => heard.length, POLL).toBeGreaterThan(before + 3);
    expect(bench.radio.health()).toMatchObject({ state: 'scanning', restarts: 0 });
  });
});
