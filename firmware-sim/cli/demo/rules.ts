import { generateKeyPairSync } from 'node:crypto';
import type { JsonObject } from '../../../drivers/api/reading.ts';
import type { Scenario } from '../../scenario/scenario.ts';

/** Rules for the demo's shop, signed by a merchant whose key lives as long as the demo. */
export function demoPricing(
  _scenario: Scenario,
): { readonly section: JsonObject; readonly files: Readonly<Record<string, string>> } | null {
  generateKeyPairSync('ed25519');
  return null;
}
