import { z } from 'zod';
import { parseUtc } from '../decide/instant.ts';
import { factNames } from '../language/facts.ts';
import { COMPARISONS, MAX_LIST, type Tree } from '../language/tree.ts';
import {
  ENGINE,
  FORMAT,
  MAX_BP,
  MAX_MONEY,
  MAX_RULES,
  MAX_SKUS,
  MAX_WINDOW_MIN,
  MAX_WINDOWS,
  type Bundle,
  type EvidenceRule,
  type Rule,
  type Select,
} from './bundle.ts';

/** Ids of everything that is named: items, categories, rules, groups, experiments, cells. */
export const ID: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const id = z.string().regex(ID, 'must be 1 to 64 letters, digits, dots, underscores or hyphens');
const words = z.string().min(1, 'must not be empty').max(256, 'must be at most 256 characters');
const instant = z
  .string()
  .max(40)
  .refine((text) => parseUtc(text) !== null, 'must be a time in UTC such as 2026-11-27T09:00:00Z');
const money = z.int().min(0).max(MAX_MONEY);
const bp = z.int().min(0).max(MAX_BP);
const discountCap = z.strictObject({ maxDiscountBp: bp });
const fact = z.enum(factNames as [string, ...string[]]);

const select: z.ZodType<Select> = z.union(
  [z.strictObject({ category: id }), z.strictObject({ sku: id }), z.strictObject({ all: z.literal(true) })],
  { error: 'must be {"category"}, {"sku"} or {"all": true}' },
);

const caps = z.strictObject({
  marginFloorBp: z.int().min(0).max(9_999),
  kit: z.strictObject({ maxDiscountBp: bp, dayBudgetMinor: money }),
  category: z.record(id, discountCap),
  sku: z.record(id, discountCap),
  maxStepBp: bp,
  maxChangesPerDay: z.int().min(0).max(100_000),
  cooldownMin: z.int().min(0).max(527_040),
  allowRaise: z.boolean().optional(),
});

const rounding = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('none') }),
  z.strictObject({ mode: z.literal('charm'), endings: z.array(z.int().min(0).max(99)).min(1).max(100) }),
]);

const override = z.union(
  [
    z.strictObject({
      sku: id,
      pin: z.strictObject({ priceMinor: money }),
      actor: words,
      reason: words,
      until: instant,
      secondApprovedBy: words.optional(),
    }),
    z.strictObject({ sku: id, block: z.literal(true), actor: words, reason: words, until: instant }),
  ],
  { error: 'must be a pin or a block with sku, actor, reason and until' },
);

const experiment = z.strictObject({
  id,
  salt: z.string().min(1).max(64),
  unit: z.literal('kit-category-day'),
  cells: z
    .array(z.strictObject({ name: id, weightBp: bp, addRungs: z.int().min(0).max(64).optional() }))
    .min(1)
    .max(64),
});

const selfTest = z.strictObject({
  name: words,
  inputs: z.unknown(),
  expect: z
    .array(
      z.strictObject({
        sku: id,
        priceMinor: money,
        ruleId: id.nullable().optional(),
        boundBy: z.array(z.string()).max(32).optional(),
      }),
    )
    .min(1)
    .max(MAX_SKUS),
});

const evidence: z.ZodType<EvidenceRule> = z
  .strictObject({
    windowMin: z
      .int()
      .min(1)
      .max(MAX_WINDOW_MIN)
      .describe('Length of a window in minutes; windows are aligned: number floor(now / windowMin minutes) in UTC.'),
    atLeast: z.int().min(1).max(MAX_WINDOWS).describe('How many of those windows must have held; at most `of`.'),
    of: z.int().min(1).max(MAX_WINDOWS).describe('How many windows before the current one are looked at.'),
  })
  .describe(
    'The rule goes on only where `requires` are met, `when` is true and at least `atLeast` of the `of` windows before ' +
      'the current one held: there was a decision in it, and at every decision in it `requires` were met and `when` was ' +
      'true. A window without a decision (agent down, clock unset, bundle not in force) did not hold. Only completed ' +
      'windows count. At most 32 rules of a bundle may have `evidence` or `exit`.',
  );

const EXIT =
  'Once on, the rule stays on until this is known to be true, whatever `when` says; it then goes off, forgets its ' +
  'windows and needs its evidence again. While on it fires only where `requires` are met and this is known to be false. ' +
  'A fact that `requires` finds too old is unknown here. Where this is true already the rule does not go on. Without ' +
  '`exit` a rule fires only while `when` is true and its evidence suffices. Its nodes count with those of `when`.';

function rule(when: z.ZodType<Tree>): z.ZodType<Rule> {
  return z.strictObject({
    id,
    rev: z.int().min(0),
    owner: words,
    approvedBy: words,
    approvedAt: instant,
    group: id,
    priority: z.int(),
    select,
    when,
    // The ladder's length bounds it; that is checked where both are known.
    // oxlint-disable-next-line unicorn/no-thenable -- the format's own word; a rule is data and is never awaited
    then: z.strictObject({ rung: z.int().min(0).max(63) }),
    evidence: evidence.optional(),
    exit: when.optional().describe(EXIT),
    requires: z
      .array(z.strictObject({ fact, maxAgeS: z.int().min(0) }))
      .max(64)
      .optional(),
    onStale: z.enum(['hold', 'skip']).optional(),
    caps: discountCap.optional(),
  });
}

function bundleWith(when: z.ZodType<Tree>): z.ZodType<Bundle> {
  return z.strictObject({
    format: z.literal(FORMAT),
    merchant: id,
    version: z.int().min(0),
    issuedAt: instant,
    notBefore: instant,
    expires: instant,
    audience: z.strictObject({ groups: z.array(id).max(1000).optional(), kits: z.array(id).max(10_000).optional() }),
    rolloutBp: bp,
    currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code such as GBP'),
    kill: z.enum(['list', 'freeze']).nullable(),
    catalog: z
      .array(
        z.strictObject({
          sku: id,
          gtin: z
            .string()
            .regex(/^\d{14}$/, 'must be a GTIN-14: 14 digits in quotes')
            .nullable(),
          category: id,
          listMinor: money,
          costMinor: money,
          mapMinor: money.nullable(),
          priorPriceMinor: money.nullable(),
        }),
      )
      .max(MAX_SKUS),
    caps,
    ladder: z.array(bp).min(1).max(64),
    rounding,
    rules: z.array(rule(when)).max(MAX_RULES),
    experiments: z.array(experiment).max(16),
    overrides: z.array(override).max(MAX_SKUS),
    minEngine: z.int().min(1).max(1_000_000).optional(),
    tests: z.array(selfTest).max(32).optional(),
  });
}

/** Conditions are checked apart, by a reader that stops at their limits: a recursive schema would follow a hostile one down. */
export const bundleSchema: z.ZodType<Bundle> = bundleWith(z.unknown() as unknown as z.ZodType<Tree>);

const operand = z.union([z.int(), z.string()]);

/** A condition as published; see `checkTree` for the limits that a schema cannot say. */
export const treeSchema: z.ZodType<Tree> = z.lazy(() =>
  z.union([
    z.strictObject({ op: z.enum(['and', 'or']), args: z.array(treeSchema).min(1) }),
    z.strictObject({ op: z.literal('not'), arg: treeSchema }),
    z.strictObject({ op: z.enum(COMPARISONS), fact, value: operand }),
    z.strictObject({ op: z.literal('in'), fact, value: z.array(operand).min(1).max(MAX_LIST) }),
  ]),
);

/** The whole format for editors and other programs: `barrow schema rules` prints it as JSON Schema. */
export const publishedBundleSchema: z.ZodType<Bundle> = bundleWith(treeSchema).meta({
  title: `Barrow price rules, ${FORMAT}`,
  description: `Money in minor units, percentages in basis points, times RFC 3339 UTC. Engine ${ENGINE}.`,
});
