import { z, type ZodType } from 'zod';
import type { Emission } from '../../drivers/api/driver.ts';
import type { JsonObject } from '../../drivers/api/reading.ts';

const text = z.string();
const money = z.int().min(0);
const instant = z.string();
/** The tree before this record: its size and root in hex. */
const chain = z.strictObject({ size: z.int().min(0), root: text });
const open = z.record(text, z.unknown());

const itemState = z.strictObject({
  rung: z.int().min(0),
  priceMinor: money,
  changedAt: instant.nullable(),
  changesToday: z.int().min(0),
  evidence: z
    .record(text, z.strictObject({ rev: z.int(), on: z.boolean(), window: z.int(), held: z.array(z.boolean()) }))
    .optional()
    .describe(
      'By rule id, for rules with `evidence` or `exit`: whether the rule is on, the number of the newest watched window, ' +
        'and whether each window held, oldest first.',
    ),
});

const reading = z.strictObject({
  value: z.union([z.int(), text]).nullable(),
  ageS: z.int().min(0),
  quality: z.enum(['ok', 'suspect', 'bad']),
});

const decided = z.strictObject({
  sku: text,
  listMinor: money,
  priceMinor: money,
  discountBp: z.int().min(0),
  announce: z.boolean(),
  ruleId: text.nullable(),
  cell: text.nullable(),
  boundBy: z.array(text),
  currency: text,
  priorPriceMinor: money.nullable(),
  inputs: z.strictObject({
    now: instant,
    clocktrust: z.enum(['synced', 'estimated', 'unset']),
    kit: z.strictObject({ id: text, timezone: text }),
    state: z.record(text, itemState),
    dayBudgetUsedMinor: z.int(),
    facts: z.record(text, z.record(text, reading)),
  }),
  stateAfter: itemState,
  overrides: z.array(open),
  trace: z
    .array(open)
    .describe(
      'The steps in their order. Outcomes of a rule: wins, outranked (it fired, another went further), no-match, unknown ' +
        '(a fact is not known), stale (a required fact is), gathering (it would fire but for its evidence), exit (it would ' +
        'fire but its exit is true).',
    ),
  bundle: z.strictObject({ merchant: text, version: z.int(), hash: text, keyId: text }),
  engine: z.strictObject({ format: text, number: z.int(), version: text, facts: text }),
  chain,
});

const activated = z.strictObject({
  merchant: text,
  version: z.int(),
  hash: text,
  keyId: text,
  origin: text,
  issuedAt: instant,
  notBefore: instant,
  expires: instant,
  rolloutBp: z.int(),
  kill: z.enum(['list', 'freeze']).nullable(),
  rules: z.int(),
  skus: z.int(),
  overrides: z.array(open),
  previous: z.strictObject({ version: z.int(), hash: text }).nullable(),
  facts: text,
  chain,
});

const rejected = z.strictObject({
  code: text,
  detail: text,
  origin: text,
  version: z.int().nullable(),
  hash: text,
  chain,
});

const override = z.strictObject({
  sku: text,
  pin: z.strictObject({ priceMinor: money }).optional(),
  block: z.literal(true).optional(),
  release: z.literal(true).optional(),
  actor: text,
  reason: text,
  until: instant,
  secondApprovedBy: text.optional(),
  origin: z.literal('local'),
  chain,
});

/** A signed tree head as in C2SP tlog-checkpoint; the signature covers `origin`, `size` and the root on a line each. */
const checkpoint = z.strictObject({
  origin: text,
  first: z.int().min(1),
  last: z.int().min(1),
  size: z.int().min(1),
  root: text,
  signature: text,
  keyId: text,
  publicKey: text,
  chain,
});

function emission(type: string, data: ZodType): Emission {
  // Checked shapes are JSON objects; zod's inference of optional keys is looser than JsonObject.
  return { type, stream: 'price', data: data as ZodType<JsonObject> };
}

/** What pricing puts into the stream `price`. */
export const pricingEmissions: readonly Emission[] = [
  emission('barrow.price.decided.v1', decided),
  emission('barrow.rules.activated.v1', activated),
  emission('barrow.rules.rejected.v1', rejected),
  emission('barrow.override.v1', override),
  emission('barrow.checkpoint.v1', checkpoint),
];
