import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { scratchDisk } from '../firmware-sim/wire/scratch-disk.ts';
import { runWorld } from '../firmware-sim/world.ts';

const USAGE = `soak: runs the simulated world over many seeds and says which of them broke a promise.

  scripts/soak [--seeds N] [--from SEED] [--minutes M] [--keep]

  --seeds N    how many (1000)
  --from SEED  the first one (drawn at random)
  --minutes M  shop time of each (10)
  --keep       write broken seeds into firmware-sim/world/regressions.json
`;

const REGRESSIONS = new URL('../firmware-sim/world/regressions.json', import.meta.url);

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string' },
    minutes: { type: 'string', default: '10' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const seeds = Number(values.seeds);
const minutes = Number(values.minutes);
const from = values.from === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.from);
if (![seeds, minutes, from].every((value) => Number.isSafeInteger(value) && value >= 0)) {
  process.stderr.write(USAGE);
  process.exit(2);
}

const started = performance.now();
const broken: { seed: number; minutes: number; why: string }[] = [];
let shopMinutes = 0;
for (let seed = from; seed < from + seeds; seed += 1) {
  const result = await runWorld({ seed, minutes, settle, scratch: scratchDisk });
  shopMinutes += minutes;
  if (result.violations.length > 0) {
    broken.push({ seed, minutes, why: result.violations[0] ?? '' });
    process.stdout.write(`seed ${seed} broke: ${result.violations.join('; ')}\n`);
  }
  if ((seed - from + 1) % 100 === 0)
    process.stdout.write(
      `${seed - from + 1} seeds, ${broken.length} broken, ${Math.round((performance.now() - started) / 1000)} s\n`,
    );
}
if (values.keep && broken.length > 0) {
  const known = JSON.parse(readFileSync(REGRESSIONS, 'utf8')) as object[];
  writeFileSync(REGRESSIONS, `${JSON.stringify([...known, ...broken], null, 2)}\n`);
}
const tookS = (performance.now() - started) / 1000;
process.stdout.write(
  `${seeds} seeds from ${from}, ${broken.length} broken; ${Math.round(shopMinutes / 60)} shop hours in ${tookS.toFixed(0)} s\n`,
);
process.exitCode = broken.length === 0 ? 0 : 1;
