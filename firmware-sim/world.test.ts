import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { scratchDisk } from './wire/scratch-disk.ts';
import { runWorld, type WorldOptions, type WorldResult } from './world.ts';
import { BLOCK_BYTES, DAMAGE_KINDS, type DamageKind } from './world/damage.ts';
import type { Fault } from './world/fault-plan.ts';
import { seededChance } from './world/seeded-chance.ts';

/** Every promise that can settle has settled when the event loop comes round. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const FRESH_SEEDS = 200;
const FRESH_MINUTES = 2;

interface Regression {
  readonly seed: number;
  readonly minutes: number;
  readonly why: string;
  /** Worlds of before there were prices in them keep their traces. */
  readonly prices?: boolean;
}

const regressions = JSON.parse(
  readFileSync(new URL('./world/regressions.json', import.meta.url), 'utf8'),
) as readonly Regression[];

function world(options: Omit<WorldOptions, 'settle' | 'scratch'>): Promise<WorldResult> {
  return runWorld({ ...options, settle, scratch: scratchDisk });
}

/** What a person needs to see the case again. */
function told(result: WorldResult): string {
  return `${JSON.stringify({ seed: result.seed })} (keep it in firmware-sim/world/regressions.json):\n${result.violations.join('\n')}`;
}

test.each(regressions)('seed $seed, $minutes minutes: $why', async ({ seed, minutes, prices = true }) => {
  const result = await world({ seed, minutes, prices });
  expect(result.violations, told(result)).toEqual([]);
});

test('one seed is one trace', async () => {
  const first = await world({ seed: 42, minutes: 4 });
  const again = await world({ seed: 42, minutes: 4 });
  const other = await world({ seed: 43, minutes: 4 });
  expect(again.hash).toBe(first.hash);
  expect(other.hash).not.toBe(first.hash);
});

test('an hour of shop time without faults delivers everything once', async () => {
  const result = await world({ seed: 7, minutes: 60, faults: [] });
  expect(result.violations, told(result)).toEqual([]);
  expect(result.scans).toBeGreaterThan(300);
  expect(result.payments).toBeGreaterThan(40);
  expect(result.duplicates).toBe(0);
  expect(result.lives).toBe(1);
});

test(`${FRESH_SEEDS} fresh seeds keep every promise`, async () => {
  const base = Math.floor(Math.random() * 2 ** 31);
  const broken: string[] = [];
  for (let seed = base; seed < base + FRESH_SEEDS && broken.length < 3; seed += 1) {
    const result = await world({ seed, minutes: FRESH_MINUTES });
    if (result.violations.length > 0) broken.push(told(result));
  }
  expect(broken).toEqual([]);
}, 240_000);

test('the oracle sees a disk that loses commits it had acknowledged', async () => {
  const crash = { kind: 'power-cut', atMs: 100_000, downMs: 5_000, clockKnown: true } as const;
  const results = [];
  for (let seed = 1; seed <= 5; seed += 1)
    results.push(await world({ seed, minutes: 3, faults: [crash], lie: 'disk' }));
  expect(results.some(({ violations }) => violations.length > 0)).toBe(true);
});

test('the oracle sees a broker that acknowledges what it does not keep', async () => {
  const result = await world({ seed: 1, minutes: 3, faults: [], lie: 'broker' });
  expect(result.violations.some((violation) => violation.includes('never came'))).toBe(true);
});

test('the oracle sees a terminal that charges what the kit does not know of', async () => {
  const result = await world({ seed: 1, minutes: 4, faults: [], lie: 'terminal' });
  expect(result.violations.some((violation) => violation.includes('charged 2 times'))).toBe(true);
});

test('the oracle sees a price below its floor', async () => {
  const result = await world({ seed: 1, minutes: 3, faults: [], lie: 'price' });
  expect(result.violations.some((violation) => violation.includes('is below its floor'))).toBe(true);
});

test('the oracle sees one decision that was dropped', async () => {
  const result = await world({ seed: 1, minutes: 3, faults: [], lie: 'decision' });
  expect(result.violations.some((violation) => /price\/3 never came and was not declared/.test(violation))).toBe(true);
});

/** The broker is away, so that rows wait in the ledger when its card loses this. */
function cardLoses(how: DamageKind, seed: number): readonly Fault[] {
  const chance = seededChance(`${how} ${seed}`);
  return [
    { kind: 'broker-down', atMs: 20_000, forMs: 100_000 },
    { kind: 'file-damaged', atMs: 90_000, downMs: 5_000, how, place: chance.float(), noise: chance.bytes(BLOCK_BYTES) },
  ];
}

test.each(DAMAGE_KINDS)('a ledger with a damaged file (%s) keeps its promises, and one trace', async (how) => {
  let replaced = 0;
  for (let seed = 1; seed <= 4; seed += 1) {
    const result = await world({ seed, minutes: 2, faults: cardLoses(how, seed) });
    expect(result.violations, told(result)).toEqual([]);
    replaced += result.epochs - 1;
  }
  expect(replaced).toBeGreaterThan(0);
  const [one, two] = [
    await world({ seed: 9, minutes: 2, faults: cardLoses(how, 9) }),
    await world({ seed: 9, minutes: 2, faults: cardLoses(how, 9) }),
  ];
  expect(one.hash).toBe(two.hash);
});

test('the oracle sees a ledger that forgets what it rescued', async () => {
  const result = await world({ seed: 1, minutes: 2, faults: cardLoses('first-block', 1), lie: 'salvage' });
  expect(result.violations.some((violation) => violation.includes('never came'))).toBe(true);
});
