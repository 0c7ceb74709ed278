import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
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

/** Worlds that one process runs before another takes over. */
const BATCH_SEEDS = 50;

interface Broken {
  readonly seed: number;
  readonly minutes: number;
  readonly why: string;
}

interface Told {
  readonly seed: number;
  readonly violations: readonly string[];
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string' },
    minutes: { type: 'string', default: '10' },
    keep: { type: 'boolean', default: false },
    batch: { type: 'boolean', default: false },
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
const broken: Broken[] = [];
let done = 0;

/** One process for each batch: the runtime keeps every world that ended by a kill, and a long soak would fill its memory. */
async function batch(first: number, count: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), [
    '--batch',
    '--from',
    `${first}`,
    '--seeds',
    `${count}`,
    '--minutes',
    `${minutes}`,
  ]);
  child.on('message', (result: Told) => {
    done += 1;
    if (result.violations.length > 0) {
      broken.push({ seed: result.seed, minutes, why: result.violations[0] ?? '' });
      process.stdout.write(`seed ${result.seed} broke: ${result.violations.join('; ')}\n`);
    }
    if (done % 100 === 0)
      process.stdout.write(
        `${done} seeds, ${broken.length} broken, ${Math.round((performance.now() - started) / 1000)} s\n`,
      );
  });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`the batch from seed ${first} ended with ${status}`);
}

if (values.batch) {
  for (let seed = from; seed < from + seeds; seed += 1) {
    const { violations } = await runWorld({ seed, minutes, settle, scratch: scratchDisk });
    await new Promise((sent) => process.send?.({ seed, violations } satisfies Told, sent));
  }
  process.exit(0);
}

let next = from;
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    while (next < from + seeds) {
      const first = next;
      next = Math.min(from + seeds, first + BATCH_SEEDS);
      await batch(first, next - first);
    }
  }),
);
if (values.keep && broken.length > 0) {
  const known = JSON.parse(readFileSync(REGRESSIONS, 'utf8')) as object[];
  writeFileSync(REGRESSIONS, `${JSON.stringify([...known, ...broken], null, 2)}\n`);
}
const tookS = (performance.now() - started) / 1000;
process.stdout.write(
  `${seeds} seeds from ${from}, ${broken.length} broken; ${Math.round((seeds * minutes) / 60)} shop hours in ${tookS.toFixed(0)} s\n`,
);
process.exitCode = broken.length === 0 ? 0 : 1;
