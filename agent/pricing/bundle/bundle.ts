import type { Tree } from '../language/tree.ts';

export const FORMAT = 'barrow.rules/1';
/** This engine's number: a bundle may ask for a least one with `minEngine`. */
export const ENGINE = 1;

export const MAX_RULES = 1_000;
export const MAX_SKUS = 10_000;
export const MAX_MONEY = 900_000_000_000;
export const MAX_BP = 10_000;
/** Rules of a bundle that may have `evidence` or `exit`: what is remembered of each item grows with them. */
export const MAX_STAGED_RULES = 32;
/** Windows that evidence may look back on. */
export const MAX_WINDOWS = 12;
/** A day: longer windows would not see their end within a pop-up. */
export const MAX_WINDOW_MIN = 1_440;

/** A price rule file: a closed tree of integers and texts. Money in minor units, percentages in basis points. */
export interface Bundle {
  readonly format: typeof FORMAT;
  readonly merchant: string;
  /** Only ever rises per signing key; going back is a new version with the old content. */
  readonly version: number;
  readonly issuedAt: string;
  /** In force from here … */
  readonly notBefore: string;
  /** … until just before here. */
  readonly expires: string;
  /** Kits the bundle is meant for; with neither list, all. */
  readonly audience: { readonly groups?: readonly string[] | undefined; readonly kits?: readonly string[] | undefined };
  /** Share of kits that take it, by a stable hash of the kit's id. */
  readonly rolloutBp: number;
  readonly currency: string;
  readonly kill: null | 'list' | 'freeze';
  readonly catalog: readonly CatalogItem[];
  readonly caps: Caps;
  /** Discount of each rung; the first is 0. */
  readonly ladder: readonly number[];
  readonly rounding: Rounding;
  readonly rules: readonly Rule[];
  readonly experiments: readonly Experiment[];
  readonly overrides: readonly Override[];
  readonly minEngine?: number | undefined;
  /** Examples that must decide as they say before the bundle is taken. */
  readonly tests?: readonly SelfTest[] | undefined;
}

export interface CatalogItem {
  readonly sku: string;
  readonly gtin: string | null;
  readonly category: string;
  readonly listMinor: number;
  readonly costMinor: number;
  /** Minimum advertised price. */
  readonly mapMinor: number | null;
  /** Lowest price of the last 30 days, without which no reduction is announced (Directive 98/6/EC Art. 6a). */
  readonly priorPriceMinor: number | null;
}

export interface DiscountCap {
  readonly maxDiscountBp: number;
}

export interface Caps {
  /** price ≥ cost / (1 − margin) */
  readonly marginFloorBp: number;
  readonly kit: DiscountCap & { readonly dayBudgetMinor: number };
  readonly category: Readonly<Record<string, DiscountCap>>;
  readonly sku: Readonly<Record<string, DiscountCap>>;
  /** Largest fall in one change, of the list price. */
  readonly maxStepBp: number;
  readonly maxChangesPerDay: number;
  readonly cooldownMin: number;
  readonly allowRaise?: boolean | undefined;
}

export type Rounding = { readonly mode: 'none' } | { readonly mode: 'charm'; readonly endings: readonly number[] };

export type Select = { readonly category: string } | { readonly sku: string } | { readonly all: true };

export interface Rule {
  readonly id: string;
  readonly rev: number;
  readonly owner: string;
  readonly approvedBy: string;
  readonly approvedAt: string;
  readonly group: string;
  readonly priority: number;
  readonly select: Select;
  readonly when: Tree;
  readonly then: { readonly rung: number };
  /** Over how much of the past the condition must have been true before the rule goes on. */
  readonly evidence?: EvidenceRule | undefined;
  /** Once on, the rule stays on until this is true, whatever `when` says. */
  readonly exit?: Tree | undefined;
  readonly requires?: readonly Requirement[] | undefined;
  readonly onStale?: 'hold' | 'skip' | undefined;
  readonly caps?: DiscountCap | undefined;
}

/**
 * At least `atLeast` of the `of` windows before the current one must have held. Windows are aligned: number
 * floor(now / `windowMin` minutes) in UTC. One held when there was a decision in it and `requires` were met and `when`
 * was true at every decision in it; one without any decision did not.
 */
export interface EvidenceRule {
  readonly windowMin: number;
  readonly atLeast: number;
  readonly of: number;
}

export interface Requirement {
  readonly fact: string;
  readonly maxAgeS: number;
}

export interface Experiment {
  readonly id: string;
  readonly salt: string;
  readonly unit: 'kit-category-day';
  readonly cells: readonly Cell[];
}

export interface Cell {
  readonly name: string;
  readonly weightBp: number;
  readonly addRungs?: number | undefined;
}

export interface PinOverride {
  readonly sku: string;
  readonly pin: { readonly priceMinor: number };
  readonly actor: string;
  readonly reason: string;
  readonly until: string;
  readonly secondApprovedBy?: string | undefined;
}

export interface BlockOverride {
  readonly sku: string;
  readonly block: true;
  readonly actor: string;
  readonly reason: string;
  readonly until: string;
}

export type Override = PinOverride | BlockOverride;

export interface SelfTest {
  readonly name: string;
  /** As for `barrow rules decide --inputs`. */
  readonly inputs: unknown;
  readonly expect: readonly {
    readonly sku: string;
    readonly priceMinor: number;
    readonly ruleId?: string | null | undefined;
    readonly boundBy?: readonly string[] | undefined;
  }[];
}
