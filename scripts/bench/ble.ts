import { setTimeout as wait } from 'node:timers/promises';
import { systemChance, systemClock } from '../../agent/host/clock.ts';
import { createController } from '../../firmware-sim/bluetooth/controller.ts';
import { openHciServer } from '../../firmware-sim/wire/hci-server.ts';
import { readFileSync, readdirSync } from 'node:fs';
import { benchStrangers } from './ble-strangers.ts';
import { quantile, type BenchFigure } from './figure.ts';
import { inFolder, startBenchKit, type ArrivedEvent, type BenchKit } from './kit.ts';

const SENSORS = 500;
const CLOCK_TICKS_PER_S = 100;
const LEDGER_SECONDS = 20;
const STRANGERS = 1_000_000;

/** 500 sensors through the whole agent, and a million strangers past the radio process. */
export async function benchBle(): Promise<readonly BenchFigure[]> {
  return [...(await benchSensors()), ...(await benchStrangers('abandonware', STRANGERS))];
}

/**
 * 500 sensors at one changed advert a second through the whole agent: radio process, driver, ledger, broker. The way to
 * the ledger is measured in a second run by a reader of `/v1/events`, which is told after the commit: the figure holds
 * the telling as well, and the first run's CPU does not.
 */
export async function benchSensors(seconds = 60): Promise<readonly BenchFigure[]> {
  return inFolder(async (folder) => {
    const stop = new AbortController();
    const clock = systemClock();
    const controller = createController({ clock, chance: systemChance() });
    const server = await openHciServer({ path: `${folder}/radio.hci` }, controller, stop.signal);
    const sentMs = new Map<string, number>();
    const sent: string[] = [];
    const addresses = Array.from({ length: SENSORS }, (_, n) => `C0:00:00:00:${hex(n >> 8)}:${hex(n)}`);
    for (const [index, address] of addresses.entries()) {
      let value = 0;
      controller.add({
        address,
        addressType: 'random',
        kind: 'non-connectable',
        intervalMs: 1_000,
        rssiDbm: -60,
        advertise: () => {
          value = (value + 1) & 0xffff;
          const key = `s${index}/${value}`;
          sentMs.set(key, performance.now());
          sent.push(key);
          // BTHome v2, one object: count (u16), so that every advert says something new.
          return { data: Uint8Array.of(2, 1, 6, 7, 0x16, 0xd2, 0xfc, 0x40, 0x3d, value & 0xff, value >> 8) };
        },
      });
    }
    const kit = await startBenchKit([
      {
        id: 'shelves',
        type: 'ble-shelf',
        radio: server.radio,
        sensors: addresses.map((address, n) => ({ id: `s${n}`, address, format: 'bthome' })),
      },
    ]);
    await kit.untilReady();
    await wait(5_000);
    const latenciesMs: number[] = [];
    const heard = new Set<string>();
    kit.onEvent((event) => {
      const key = advertOf(event);
      if (key === undefined) return;
      const at = sentMs.get(key);
      heard.add(key);
      if (at !== undefined) latenciesMs.push(event.atMs - at);
    });
    const before = { sent: sent.length, cpuS: cpuSeconds(kit) };
    const startMs = performance.now();
    await wait(seconds * 1_000);
    const cpu = ((cpuSeconds(kit) - before.cpuS) / ((performance.now() - startMs) / 1_000)) * 100;
    const wanted = sent.slice(before.sent);
    await wait(3_000);
    const lost = wanted.filter((key) => !heard.has(key)).length;
    const toSubscriberMs = latenciesMs.slice();
    const storedMs: number[] = [];
    await follow(`${kit.api}/v1/events`, LEDGER_SECONDS, (event) => {
      const at = sentMs.get(advertOf(event) ?? '');
      if (at !== undefined) storedMs.push(event.atMs - at);
    });
    await kit.close();
    stop.abort();
    controller[Symbol.dispose]();
    const storedP99 = tenths(quantile(storedMs, 0.99));
    const share = Math.round(cpu);
    return [
      {
        name: `500 sensors at 1 Hz for ${seconds} s: adverts lost of ${wanted.length}`,
        value: lost,
        unit: 'adverts',
        raw: null,
        goal: '0',
        ok: lost === 0,
      },
      measured('advert on air to ledger, p50', tenths(quantile(storedMs, 0.5))),
      {
        name: 'advert on air to ledger, p99',
        value: storedP99,
        unit: 'ms',
        raw: null,
        goal: '≤ 50',
        ok: storedP99 <= 50,
      },
      measured('advert on air to subscriber, p50', tenths(quantile(toSubscriberMs, 0.5))),
      measured('advert on air to subscriber, p99', tenths(quantile(toSubscriberMs, 0.99))),
      {
        name: 'CPU of agent and radio process',
        value: share,
        unit: '% of a core',
        raw: null,
        goal: '≤ 25',
        ok: share <= 25,
      },
    ];
  });
}

const tenths = (value: number): number => Math.round(value * 10) / 10;

const measured = (name: string, value: number): BenchFigure => ({
  name,
  value,
  unit: 'ms',
  raw: null,
  goal: '–',
  ok: true,
});

/** Which advert an event came of. */
function advertOf({ type, data }: Pick<ArrivedEvent, 'type' | 'data'>): string | undefined {
  if (type !== 'barrow.sensor.v1') return undefined;
  const measurements = data['measurements'] as readonly { readonly value: number }[];
  return `${String(data['sensorId'])}/${measurements[0]?.value ?? -1}`;
}

/** Reads the agent's server-sent events for a while. */
async function follow(url: string, seconds: number, onEvent: (event: ArrivedEvent) => void): Promise<void> {
  const stop = AbortSignal.timeout(seconds * 1_000);
  const answer = await fetch(url, { signal: stop });
  if (answer.body === null) throw new Error('the event stream has no body');
  let rest = '';
  try {
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
      const atMs = performance.now();
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines)
        if (line.startsWith('data: ')) onEvent({ ...(JSON.parse(line.slice(6)) as Omit<ArrivedEvent, 'atMs'>), atMs });
    }
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}

/** User and system time of the agent and its children so far. */
function cpuSeconds(kit: BenchKit): number {
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/stat`, 'utf8')];
      } catch {
        // It ended between the listing and the reading.
        return [];
      }
    })
    .map((text) => ({ pid: Number(text.split(' ')[0]), rest: text.slice(text.lastIndexOf(')') + 2).split(' ') }));
  const ticks = stats
    .filter(({ pid, rest }) => pid === kit.agent.pid || Number(rest[1]) === kit.agent.pid)
    .reduce((sum, { rest }) => sum + Number(rest[11]) + Number(rest[12]), 0);
  return ticks / CLOCK_TICKS_PER_S;
}

function hex(value: number): string {
  return (value & 0xff).toString(16).padStart(2, '0').toUpperCase();
}
