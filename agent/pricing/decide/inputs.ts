import { z } from 'zod';
import type { ClockTrust } from '../../core/event.ts';
import { MAX_MONEY, MAX_STAGED_RULES, MAX_WINDOWS } from '../bundle/bundle.ts';
import { issueFaults } from '../bundle/check.ts';
import { ID } from '../bundle/schema.ts';
import type { Fault } from '../fault.ts';
import { facts } from '../language/facts.ts';
import { isTimezone, parseUtc } from './instant.ts';

export type Quality = 'ok' | 'suspect' | 'bad';

/** One fact as it was known: only `ok` counts as known; `ageS` says how old it is. */
export interface FactReading {
  readonly value: number | string | null;
  readonly ageS: number;
  readonly quality: Quality;
}

export type FactReadings = Readonly<Record<string, FactReading>>;

/** What was gathered of one item for one rule with `evidence` or `exit`. */
export interface Gathered {
  /** Revision of the rule for which it was gathered; another one starts anew. */
  readonly rev: number;
  /** The rule has gone on and its exit has not been true since; always false for a rule without `exit`. */
  readonly on: boolean;
  /** Number of the newest watched window; 0 for a rule without `evidence`. */
  readonly window: number;
  /** Whether each window held, oldest first; the last is the newest watched one so far. */
  readonly held: readonly boolean[];
}

/** By rule id. */
export type Evidence = Readonly<Record<string, Gathered>>;

/** Where an item stands. */
export interface ItemState {
  readonly rung: number;
  readonly priceMinor: number;
  /** When the price last changed; null when it never did. */
  readonly changedAt: string | null;
  readonly changesToday: number;
  /** Absent where no rule of the item has `evidence` or `exit`, or nothing was gathered yet. */
  readonly evidence?: Evidence | undefined;
}

/** Everything that a decision depends on beside the bundle. */
export interface Inputs {
  readonly now: string;
  readonly clocktrust: ClockTrust;
  readonly kit: { readonly id: string; readonly timezone: string; readonly [key: string]: unknown };
  readonly state: Readonly<Record<string, ItemState>>;
  readonly dayBudgetUsedMinor: number;
  readonly facts: Readonly<Record<string, FactReadings>>;
}

export type ReadInputs =
  { readonly ok: true; readonly inputs: Inputs } | { readonly ok: false; readonly faults: readonly Fault[] };

const sku = z.string().regex(ID, 'must be an id');
const utc = z.string().refine((text) => parseUtc(text) !== null, 'must be a time in UTC such as 2026-11-27T09:00:00Z');

const factReadings = z.strictObject(
  Object.fromEntries(
    [...facts.values()].map(({ name, words }) => [
      name,
      z
        .strictObject({
          value: (words === undefined ? z.int() : z.enum(words as [string, ...string[]])).nullable(),
          ageS: z.int().min(0),
          quality: z.enum(['ok', 'suspect', 'bad']),
        })
        .optional(),
    ]),
  ),
);

const evidence: z.ZodType<Evidence> = z
  .record(
    z.string().regex(ID, 'must be an id'),
    z.strictObject({
      rev: z.int().min(0),
      on: z.boolean(),
      window: z.int(),
      held: z.array(z.boolean()).max(MAX_WINDOWS + 1),
    }),
  )
  .refine((rules) => Object.keys(rules).length <= MAX_STAGED_RULES, `must name at most ${MAX_STAGED_RULES} rules`);

const inputsSchema = z.strictObject({
  now: utc,
  clocktrust: z.enum(['synced', 'estimated', 'unset']),
  // The kit's other fields are kit.yaml's own affair.
  kit: z.looseObject({
    id: z.string().min(1).max(128),
    timezone: z.string().refine(isTimezone, 'must be an IANA time zone such as Europe/London'),
  }),
  state: z.record(
    sku,
    z.strictObject({
      rung: z.int().min(0).max(63),
      priceMinor: z.int().min(0).max(MAX_MONEY),
      changedAt: utc.nullable().default(null),
      changesToday: z.int().min(0),
      evidence: evidence.optional(),
    }),
  ),
  dayBudgetUsedMinor: z.int(),
  facts: z.record(sku, factReadings),
});

/** Checks inputs from outside. Wrong types, words that a fact never has, and numbers beyond ±(2^53−1) are refused. */
export function readInputs(value: unknown): ReadInputs {
  const result = inputsSchema.safeParse(value, { reportInput: true });
  // The schema's optional facts are absent, never undefined: they come from JSON.
  if (result.success) return { ok: true, inputs: result.data as unknown as Inputs };
  return { ok: false, faults: issueFaults(result.error.issues, undefined) };
}
