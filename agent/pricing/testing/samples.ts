import fc from 'fast-check';
import type { Bundle, CatalogItem, Override, Rule } from '../bundle/bundle.ts';
import type { FactReading, Inputs, ItemState } from '../decide/inputs.ts';
import { formatInstant } from '../decide/instant.ts';
import { facts } from '../language/facts.ts';
import { evidenceArb, stagedArb } from './staged-samples.ts';
import { treeArb } from './tree-sample.ts';

/** The example of the format, whole. */
export const sampleBundle: Bundle = {
  format: 'barrow.rules/1',
  merchant: 'acme',
  version: 7,
  issuedAt: '2026-11-20T00:00:00Z',
  notBefore: '2026-11-20T00:00:00Z',
  expires: '2026-12-20T00:00:00Z',
  audience: { groups: ['northern'] },
  rolloutBp: 10_000,
  currency: 'GBP',
  kill: null,
  catalog: [
    {
      sku: 'TEE-BLK-M',
      gtin: '05012345678900',
      category: 'tees',
      listMinor: 2500,
      costMinor: 900,
      mapMinor: null,
      priorPriceMinor: 2500,
    },
  ],
  caps: {
    marginFloorBp: 2000,
    kit: { maxDiscountBp: 4000, dayBudgetMinor: 50_000 },
    category: { tees: { maxDiscountBp: 3000 } },
    sku: {},
    maxStepBp: 2000,
    maxChangesPerDay: 4,
    cooldownMin: 60,
  },
  ladder: [0, 1000, 1800, 2500],
  rounding: { mode: 'none' },
  rules: [
    {
      id: 'slow-tees',
      rev: 1,
      owner: 'ops',
      approvedBy: 'm.lee',
      approvedAt: '2026-11-20T00:00:00Z',
      group: 'markdown',
      priority: 10,
      select: { category: 'tees' },
      when: {
        op: 'and',
        args: [
          { op: '>=', fact: 'stock', value: 20 },
          { op: '>=', fact: 'footfall_in_60m', value: 30 },
          { op: '<=', fact: 'minutes_left', value: 1440 },
        ],
      },
      // oxlint-disable-next-line unicorn/no-thenable -- the format's own word
      then: { rung: 1 },
      requires: [{ fact: 'stock', maxAgeS: 300 }],
      onStale: 'hold',
    },
  ],
  experiments: [],
  overrides: [],
};

/** Inputs under which the example's rule fires. */
export const sampleInputs: Inputs = {
  now: '2026-11-27T10:00:00Z',
  clocktrust: 'synced',
  kit: { id: 'popup-014', timezone: 'Europe/London' },
  state: {},
  dayBudgetUsedMinor: 0,
  facts: {
    'TEE-BLK-M': {
      stock: { value: 25, ageS: 10, quality: 'ok' },
      footfall_in_60m: { value: 40, ageS: 1, quality: 'ok' },
      minutes_left: { value: 1000, ageS: 0, quality: 'ok' },
    },
  },
};

const CATEGORIES = ['tees', 'caps', 'constructor'];
const SKUS = ['TEE', 'CAP-RED', 'toString', 'A.1', 'b_2'];
export const NOW_MS = 1_795_773_600_000;
export const RULE_IDS: readonly string[] = ['z', 'a', 'M', 'B', '9'].map((letter) => `${letter}-rule`);

const money = fc.oneof(
  fc.integer({ min: 0, max: 5_000 }),
  fc.integer({ min: 0, max: 200_000 }),
  fc.constantFrom(0, 1, 99, 100, 900_000_000_000, 899_999_999_999),
);
const bp = fc.oneof(fc.integer({ min: 0, max: 10_000 }), fc.constantFrom(0, 1, 500, 1000, 3333, 9999, 10_000));
const name = fc.constantFrom('m.lee', 'M.LEE', 'a.khan');

const itemArb = (sku: string): fc.Arbitrary<CatalogItem> =>
  fc.record({
    sku: fc.constant(sku),
    gtin: fc.constant(null),
    category: fc.constantFrom(...CATEGORIES),
    listMinor: money,
    costMinor: money,
    mapMinor: fc.option(money),
    priorPriceMinor: fc.option(money),
  });

const ruleArb = (ladder: number, catalog: readonly CatalogItem[]): fc.Arbitrary<Omit<Rule, 'id'>> =>
  fc.record(
    {
      rev: fc.constant(1),
      owner: fc.constant('ops'),
      approvedBy: fc.constant('m.lee'),
      approvedAt: fc.constant('2026-11-20T00:00:00Z'),
      group: fc.constantFrom('g1', 'g2', '__x'.slice(2)),
      priority: fc.integer({ min: 0, max: 2 }),
      select: fc.oneof(
        fc.constant({ all: true as const }),
        fc.constantFrom(...catalog).map(({ category }) => ({ category })),
        fc.constantFrom(...catalog).map(({ sku }) => ({ sku })),
      ),
      when: treeArb,
      // oxlint-disable-next-line unicorn/no-thenable -- the format's own word
      then: fc.record({ rung: fc.integer({ min: 0, max: ladder - 1 }) }),
      requires: fc.array(fc.record({ fact: fc.constantFrom('stock', 'daypart'), maxAgeS: fc.constantFrom(0, 300) }), {
        maxLength: 2,
      }),
      onStale: fc.constantFrom('hold' as const, 'skip' as const),
      caps: fc.record({ maxDiscountBp: bp }),
      ...stagedArb,
    },
    { requiredKeys: ['rev', 'owner', 'approvedBy', 'approvedAt', 'group', 'priority', 'select', 'when', 'then'] },
  );

const overrideArb: fc.Arbitrary<Override> = fc
  .record({
    sku: fc.constantFrom(...SKUS),
    actor: name,
    reason: fc.constant('press day'),
    until: fc.constantFrom(-1, 0, 1).map((ms) => formatInstant(NOW_MS + ms)),
    price: fc.option(money),
    second: fc.option(name),
  })
  .map(({ sku, actor, reason, until, price, second }) => {
    const head = { sku, actor, reason, until };
    if (price === null) return { ...head, block: true as const };
    return { ...head, pin: { priceMinor: price }, ...(second === null ? {} : { secondApprovedBy: second }) };
  });

/** Valid bundles of every shape, small enough that everything in them meets. */
export const bundleArb: fc.Arbitrary<Bundle> = fc
  .tuple(
    fc.subarray(SKUS, { minLength: 1 }).chain((skus) => fc.tuple(...skus.map(itemArb))),
    fc
      .uniqueArray(fc.integer({ min: 1, max: 10_000 }), { maxLength: 3 })
      .map((rungs) => [0, ...rungs.sort((a, b) => a - b)]),
  )
  .chain(([catalog, ladder]) =>
    fc
      .record({
        rules: fc.array(ruleArb(ladder.length, catalog), { maxLength: 5 }),
        marginFloorBp: fc.integer({ min: 0, max: 9_999 }),
        kitCap: bp,
        dayBudgetMinor: fc.constantFrom(1, 1000),
        category: fc.dictionary(fc.constantFrom(...CATEGORIES), fc.record({ maxDiscountBp: bp }), {
          noNullPrototype: true,
        }),
        sku: fc.dictionary(fc.constantFrom(...SKUS), fc.record({ maxDiscountBp: bp }), { noNullPrototype: true }),
        maxStepBp: bp,
        maxChangesPerDay: fc.constantFrom(0, 2, 4),
        cooldownMin: fc.constantFrom(0, 60),
        allowRaise: fc.option(fc.boolean(), { nil: undefined }),
        rounding: fc.oneof(
          fc.constant({ mode: 'none' as const }),
          fc.record({
            mode: fc.constant('charm' as const),
            endings: fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 3 }),
          }),
        ),
        kill: fc.oneof(
          { weight: 6, arbitrary: fc.constant(null) },
          { weight: 1, arbitrary: fc.constantFrom('list' as const, 'freeze' as const) },
        ),
        overrides: fc.oneof(
          { weight: 2, arbitrary: fc.constant([]) },
          { weight: 1, arbitrary: fc.array(overrideArb, { maxLength: 3 }) },
        ),
        weight: fc.integer({ min: 0, max: 10_000 }),
        salt: fc.constantFrom('a1', 'b2'),
        experiments: fc.boolean(),
        from: fc.constantFrom(-1000, -1000, -1000, 0, 1),
        length: fc.constantFrom(1000, 2000),
      })
      .map((parts): Bundle => ({
        ...sampleBundle,
        notBefore: formatInstant(NOW_MS + parts.from),
        expires: formatInstant(NOW_MS + parts.from + parts.length),
        kill: parts.kill,
        catalog,
        ladder,
        rounding: parts.rounding,
        caps: {
          marginFloorBp: parts.marginFloorBp,
          kit: { maxDiscountBp: parts.kitCap, dayBudgetMinor: parts.dayBudgetMinor },
          category: parts.category,
          sku: parts.sku,
          maxStepBp: parts.maxStepBp,
          maxChangesPerDay: parts.maxChangesPerDay,
          cooldownMin: parts.cooldownMin,
          ...(parts.allowRaise === undefined ? {} : { allowRaise: parts.allowRaise }),
        },
        // Ids that sort otherwise than they stand.
        rules: parts.rules.map((rule, index) => ({ id: RULE_IDS[index] ?? 'q-rule', ...rule })),
        overrides: parts.overrides,
        experiments: parts.experiments
          ? [
              {
                id: 'depth',
                salt: parts.salt,
                unit: 'kit-category-day',
                cells: [
                  { name: 'control', weightBp: parts.weight },
                  { name: 'deep', weightBp: 10_000 - parts.weight, addRungs: 2 },
                ],
              },
            ]
          : [],
      })),
  );

const integerReading: fc.Arbitrary<FactReading> = fc.record({
  value: fc.option(fc.integer({ min: -2, max: 4 }), { freq: 9 }),
  ageS: fc.constantFrom(0, 300, 301),
  quality: fc.constantFrom('ok' as const, 'ok' as const, 'ok' as const, 'suspect' as const, 'bad' as const),
});

const readingsArb = fc.record(
  Object.fromEntries(
    [...facts.values()].map(({ name, words }) => [
      name,
      words === undefined
        ? integerReading
        : fc.record({
            value: fc.constantFrom(...words),
            ageS: fc.constantFrom(0, 301),
            quality: fc.constantFrom('ok' as const, 'bad' as const),
          }),
    ]),
  ),
  { requiredKeys: [] },
);

const stateArb: fc.Arbitrary<ItemState> = fc.record(
  {
    rung: fc.integer({ min: 0, max: 4 }),
    priceMinor: money,
    changedAt: fc.option(fc.constantFrom(-3_600_000, -3_599_999, 0, 5000).map((ms) => formatInstant(NOW_MS + ms))),
    changesToday: fc.integer({ min: 0, max: 4 }),
    evidence: evidenceArb(RULE_IDS, NOW_MS),
  },
  { requiredKeys: ['rung', 'priceMinor', 'changedAt', 'changesToday'] },
);

/** Inputs for any bundle of {@link bundleArb}. */
export const inputsArb: fc.Arbitrary<Inputs> = fc.record({
  now: fc.constant(formatInstant(NOW_MS)),
  clocktrust: fc.constantFrom(
    'synced' as const,
    'synced' as const,
    'synced' as const,
    'estimated' as const,
    'unset' as const,
  ),
  kit: fc.record({
    id: fc.constantFrom('popup-014', 'köln-1'),
    timezone: fc.constantFrom('Europe/London', 'Pacific/Kiritimati'),
  }),
  state: fc.dictionary(fc.constantFrom(...SKUS), stateArb, { noNullPrototype: true }),
  dayBudgetUsedMinor: fc.constantFrom(0, 1, 999, 1000),
  facts: fc.dictionary(fc.constantFrom(...SKUS), readingsArb, { noNullPrototype: true }) as fc.Arbitrary<
    Inputs['facts']
  >,
});
