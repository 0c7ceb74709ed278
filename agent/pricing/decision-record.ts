import type { JsonObject } from '../../drivers/api/reading.ts';
import type { Override } from './bundle/bundle.ts';
import { ENGINE, FORMAT } from './bundle/bundle.ts';
import { canonicalText, sha256Hex } from './bundle/canonical.ts';
import type { Decision } from './decide/decide.ts';
import type { Inputs, ItemState } from './decide/inputs.ts';
import { facts } from './language/facts.ts';

/** Which rules decided. */
export interface BundleIdentity {
  readonly merchant: string;
  readonly version: number;
  /** SHA-256 of the canonical bytes. */
  readonly hash: string;
  readonly keyId: string;
}

/** Rules of one item that a record spells out; those that had a say come first. */
export const RECORDED_RULES = 64;

/** Names, units and words of all facts, as one hash: a record says in which language its inputs are. */
export const factsHash: string = sha256Hex(canonicalText([...facts.values()].map((fact) => ({ ...fact }))));

/**
 * Everything that one decision came from, so that it can be decided again: inputs with age and quality, the state before
 * and after, the overrides of the item, and what the engine and its rules were.
 */
export function decisionData(parts: {
  readonly decision: Decision;
  readonly inputs: Inputs;
  readonly stateAfter: ItemState;
  readonly overrides: readonly Override[];
  readonly bundle: BundleIdentity;
  readonly currency: string;
  readonly priorPriceMinor: number | null;
  readonly version: string;
}): JsonObject {
  const { decision, inputs, stateAfter, overrides, bundle, currency, priorPriceMinor, version } = parts;
  const { trace, ...said } = decision;
  // All of it came out of JSON or goes into it unchanged: no undefined, no class.
  return {
    ...said,
    currency,
    priorPriceMinor,
    inputs,
    stateAfter,
    overrides,
    trace,
    bundle: { ...bundle },
    engine: { format: FORMAT, number: ENGINE, version, facts: factsHash },
  } as unknown as JsonObject;
}
