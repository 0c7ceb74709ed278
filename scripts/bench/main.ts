import { availableParallelism, cpus, loadavg } from 'node:os';
import type { BenchFigure } from './figure.ts';

type Section = () => Promise<readonly BenchFigure[]>;

/** Sections in the order in which they are run; each is loaded when its turn comes. */
const SECTIONS: Readonly<Record<string, Section>> = {
  ledger: async () => (await import('./ledger.ts')).benchLedger(),
  uplink: async () => (await import('./uplink.ts')).benchUplink(),
  pricing: async () => (await import('./pricing.ts')).benchPricing(),
  agent: async () => (await import('./agent.ts')).benchAgent(),
  ble: async () => (await import('./ble.ts')).benchBle(),
  camera: async () => (await import('./camera.ts')).benchCamera(),
};

const json = process.argv.includes('--json');
const asked = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const unknown = asked.find((name) => SECTIONS[name] === undefined);
if (unknown !== undefined) {
  process.stderr.write(
    `error[usage]: there is no section ${unknown}\nhint: Sections: ${Object.keys(SECTIONS).join(', ')}\n`,
  );
  process.exit(2);
}

const say = (line: string): void => {
  if (!json) process.stdout.write(`${line}\n`);
};
say(
  `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}, load ${loadavg()[0]?.toFixed(1) ?? '?'}`,
);
say('');
say(`| ${['figure', 'measured', 'raw', 'goal', ''].join(' | ')} |`);
say('| --- | --: | --: | --- | --- |');
const all: BenchFigure[] = [];
for (const name of asked.length > 0 ? asked : Object.keys(SECTIONS)) {
  for (const figure of (await SECTIONS[name]?.()) ?? []) {
    all.push(figure);
    say(
      `| ${figure.name} | ${figure.value.toLocaleString('en')} ${figure.unit} | ${figure.raw?.toLocaleString('en') ?? ''} | ${figure.goal} | ${figure.ok ? 'met' : '**missed**'} |`,
    );
  }
}
if (json) process.stdout.write(`${JSON.stringify({ node: process.version, load: loadavg()[0], figures: all })}\n`);
process.exitCode = all.every(({ ok }) => ok) ? 0 : 1;
