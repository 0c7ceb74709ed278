import { expect, test } from 'vitest';
import { VirtualClock } from '../devices/zvt-terminal/virtual-clock.ts';
import type { Incident } from '../scenario/incident.ts';
import { playIncidents } from './play-incidents.ts';
import type { Trouble, VirtualDevice } from './virtual-device.ts';

function rig(): { readonly clock: VirtualClock; readonly log: string[]; readonly device: VirtualDevice } {
  const clock = new VirtualClock(() => new Promise((resolve) => setImmediate(resolve)));
  const log: string[] = [];
  const note = (what: string): void => void log.push(`${clock.monoMs() / 1_000} ${what}`);
  const trouble = (name: string): Trouble => ({
    begins: (times) => note(`${name} ${times}`),
    ends: () => note(`${name} over`),
  });
  const device = {
    id: 'scanner',
    troubles: { unplugged: trouble('unplugged'), busy: { begins: trouble('busy').begins } },
  } as unknown as VirtualDevice;
  return { clock, log, device };
}

async function play(incidents: readonly Incident[], forS: number): Promise<readonly string[]> {
  const { clock, log, device } = rig();
  const over = new AbortController();
  const playing = playIncidents([device], incidents, { clock, onIncident: () => undefined }, over.signal);
  await clock.until(() => false, forS * 1_000);
  over.abort(new Error('closing time'));
  await playing;
  return log;
}

test('an incident begins and ends at its seconds, again from beginning to beginning', async () => {
  expect(await play([{ atS: 2, device: 'scanner', what: 'unplugged', forS: 3, everyS: 10 }], 30)).toEqual([
    '2 unplugged 1',
    '5 unplugged over',
    '12 unplugged 1',
    '15 unplugged over',
    '22 unplugged 1',
    '25 unplugged over',
  ]);
});

test('what strikes single messages is told how many, once', async () => {
  expect(await play([{ atS: 1, device: 'scanner', what: 'busy', times: 4 }], 20)).toEqual(['1 busy 4']);
});

test('closing time mends what still lasts', async () => {
  expect(await play([{ atS: 1, device: 'scanner', what: 'unplugged', forS: 60 }], 5)).toEqual([
    '1 unplugged 1',
    '5 unplugged over',
  ]);
});

test('a device that was left in its box suffers nothing', async () => {
  expect(await play([{ atS: 1, device: 'door', what: 'stall', forS: 60 }], 5)).toEqual([]);
});
