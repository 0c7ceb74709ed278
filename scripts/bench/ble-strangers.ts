import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { radioBench } from '../../firmware-sim/devices/ble-shelf/shelf-bench.ts';
import type { BenchFigure } from './figure.ts';

const STEP = 100_000;
/** Addresses injected before the radio is given a moment: about 8,000 a second, which one core takes. */
const CHUNK = 200;
const CHUNK_MS = 25;
/** Adverts that may be on their way before more are sent. */
const BEHIND = 8_000;
/** What the second half million may add to what the first left. */
const GROWTH_MIB = 8;

/** Memory of the radio process while a million addresses are heard that never come again, each with its own advert. */
export async function benchStrangers(
  library: 'abandonware' | 'stoprocent',
  strangers: number,
  told: (line: string) => void = () => undefined,
): Promise<readonly BenchFigure[]> {
  await using bench = await radioBench({ library, radio: { recycleAfterMs: Number.MAX_SAFE_INTEGER } });
  const adverts = (): number => bench.radio.health().adverts;
  void (async () => {
    // A reader that takes everything, as the driver does.
    for await (const entry of bench.radio.signals(bench.signal)) void entry;
  })();
  bench.controller.add({
    address: 'C0:00:00:00:00:01',
    addressType: 'random',
    kind: 'non-connectable',
    intervalMs: 100,
    rssiDbm: -60,
    advertise: () => ({ data: Uint8Array.of(2, 1, 6) }),
  });
  while (adverts() === 0) await wait(CHUNK_MS);
  const pid = Number(bench.logged.find(({ event }) => event === 'radio-process-started')?.fields['pid']);
  const atStep: number[] = [];
  for (let sent = 0; sent < strangers;) {
    for (let n = 0; n < CHUNK; n += 1, sent += 1) bench.controller.inject(stranger(sent), 'connectable', advert(sent));
    await wait(CHUNK_MS);
    while (adverts() < sent - BEHIND && bench.radio.health().restarts === 0) await wait(CHUNK_MS);
    if (sent % STEP !== 0) continue;
    atStep.push(rssMiB(pid));
    told(`${sent} addresses: radio ${Math.round(atStep.at(-1) ?? 0)} MiB`);
  }
  await wait(1_000);
  const health = bench.radio.health();
  const half = Math.max(...atStep.slice(1, Math.ceil(atStep.length / 2)));
  const end = Math.max(...atStep.slice(Math.ceil(atStep.length / 2)));
  const growth = Math.round(end - half);
  return [
    {
      name: `${strangers} random addresses: adverts lost`,
      value: Math.max(0, strangers - health.adverts) + health.dropped,
      unit: 'adverts',
      raw: null,
      goal: '0',
      ok: health.adverts >= strangers && health.dropped === 0,
    },
    {
      name: 'radio process after them',
      value: Math.round(end),
      unit: 'MiB',
      raw: null,
      goal: '–',
      ok: health.restarts === 0,
    },
    {
      name: 'growth from the first half of them to the second',
      value: growth,
      unit: 'MiB',
      raw: null,
      goal: `≤ ${GROWTH_MIB}`,
      ok: growth <= GROWTH_MIB,
    },
  ];
}

/** A random static address of its own for each number. */
function stranger(n: number): { readonly address: string; readonly addressType: 'random'; readonly rssiDbm: number } {
  const address = `4${n.toString(16).padStart(11, '0')}`.replaceAll(/(..)(?=.)/g, '$1:').toUpperCase();
  return { address, addressType: 'random', rssiDbm: -80 };
}

/** Flags, and manufacturer data with the number in it. */
function advert(n: number): Uint8Array {
  return Uint8Array.of(2, 1, 6, 7, 0xff, 0xff, 0xff, n & 0xff, (n >> 8) & 0xff, (n >> 16) & 0xff, 0);
}

function rssMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 'NaN') / 1024;
}
