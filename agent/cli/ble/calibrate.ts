import { createInterface } from 'node:readline/promises';
import { systemClock } from '../../host/clock.ts';
import { openRadio } from '../../host/ble/open-radio.ts';
import type { BleRadio } from '../../../drivers/api/transports.ts';
import type { CommandIo, ExitStatus } from '../program.ts';
import { calibrate, quantum, steady, tooLight, type Steady } from './calibration.ts';
import { chooseRadio, type KnownSensor, type RadioFlags } from './choose-radio.ts';
import { bleCommandFailure } from './errors.ts';
import { nearbyDevices } from './nearby.ts';
import { noLog } from './scan.ts';

export interface CalibrateFlags extends RadioFlags {
  readonly items?: number;
  /** Longest time for one measurement, seconds. */
  readonly seconds?: number;
}

const DEFAULT_ITEMS = 5;
const DEFAULT_SECONDS = 90;
const GRAMS_PER: Readonly<Record<string, number>> = { kg: 1_000, lb: 453.592_37, jin: 500 };

/** `barrow ble calibrate`: two weighings, and the numbers for kit.yaml. Nothing is written: the operator decides. */
export async function calibrateSensor(io: CommandIo, sensorId: string, flags: CalibrateFlags): Promise<ExitStatus> {
  const { radio: options, sensors } = await chooseRadio(flags);
  const sensor = sensors.find(({ config }) => config.id === sensorId);
  if (sensor === undefined) throw bleCommandFailure('ble-no-sensor', { detail: sensorId });
  const items = flags.items ?? DEFAULT_ITEMS;
  const limitMs = (flags.seconds ?? DEFAULT_SECONDS) * 1_000;
  await using radio = await openRadio(options, { clock: systemClock(), log: noLog }, io.signal);
  const prompt = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  const presses = prompt[Symbol.asyncIterator]();
  const ask = async (text: string): Promise<void> => {
    io.err(`${text}, then press Enter.`);
    await presses.next();
    io.err('Measuring; leave the shelf alone …');
  };
  const weighings: number[][] = [[], []];
  try {
    await ask(`Take everything off the shelf of ${sensorId}`);
    const empty = await weighSteady(radio, sensor, limitMs, weighings[0] ?? [], io.signal);
    await ask(`Put ${items} items on it`);
    const full = await weighSteady(radio, sensor, limitMs, weighings[1] ?? [], io.signal);
    const result = calibrate(empty, full, items, quantum(weighings));
    if (result === undefined) throw bleCommandFailure('ble-no-difference');
    if (io.json) await io.out(JSON.stringify({ sensorId, items, ...result, countable: !tooLight(result) }));
    else {
      await io.out(`# ${sensorId}: for its entry under sensors: in kit.yaml`);
      for (const [name, value] of Object.entries(result)) await io.out(`${name}: ${value}`);
      if (tooLight(result))
        io.err('One item weighs too little against the sensor’s step and noise to be counted by weight.');
    }
    return tooLight(result) ? 1 : 0;
  } finally {
    prompt.close();
  }
}

async function weighSteady(
  radio: BleRadio,
  sensor: KnownSensor,
  limitMs: number,
  weights: number[],
  outer: AbortSignal,
): Promise<Steady> {
  const nearby = nearbyDevices([sensor]);
  const samples: number[] = [];
  const begunMono = systemClock().monoMs();
  const over = new AbortController();
  const stop = (): void => over.abort(new Error('done'));
  const timer = setTimeout(stop, limitMs);
  outer.addEventListener('abort', stop, { once: true });
  for await (const entry of radio.signals(over.signal)) {
    // What waited in the queue while the operator worked was measured before the shelf was ready.
    if (entry.kind !== 'advert' || entry.advert.address !== sensor.config.address || entry.advert.atMono < begunMono)
      continue;
    const { measurements } = nearby.hear(entry.advert);
    const mass = measurements.find(({ name }) => name === 'mass');
    const factor = GRAMS_PER[mass?.unit ?? ''];
    if (typeof mass?.value !== 'number' || factor === undefined) continue;
    samples.push(mass.value * factor);
    weights.push(mass.value * factor);
    const found = steady(samples);
    if (found === undefined) continue;
    clearTimeout(timer);
    return found;
  }
  outer.throwIfAborted();
  throw bleCommandFailure('ble-no-weight', { detail: `${samples.length} samples` });
}
