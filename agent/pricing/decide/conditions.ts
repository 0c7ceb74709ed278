import { facts } from '../language/facts.ts';
import type { Operand, Tree } from '../language/tree.ts';

/** Where each fact's value stands in the row of numbers that conditions are evaluated on. */
export type Slots = ReadonlyMap<string, number>;

export const factSlots: Slots = new Map([...facts.keys()].map((name, index) => [name, index]));

/** Words become their place in the fact's list, so that every comparison is one of numbers. */
export function encodeValue(fact: string, value: Operand): number {
  return typeof value === 'number' ? value : (facts.get(fact)?.words?.indexOf(value) ?? -1);
}

/** Whole numbers from `least` to `most`, both in. */
interface Range {
  readonly least: number;
  readonly most: number;
}

export type LeafTree = Extract<Tree, { readonly fact: string }>;

/** A comparison as ranges: it is true of a value that lies in one of them, or for `!=` of one that does not. */
interface LeafRanges {
  readonly ranges: readonly Range[];
  readonly inside: boolean;
}

/** Facts are whole numbers, so each comparison is one range or the outside of one, and `in` a few. */
function rangesOf(leaf: LeafTree): LeafRanges {
  if (leaf.op === 'in') return { ranges: merged(leaf.value.map((item) => encodeValue(leaf.fact, item))), inside: true };
  const value = encodeValue(leaf.fact, leaf.value);
  const range = (least: number, most: number): LeafRanges => ({ ranges: [{ least, most }], inside: leaf.op !== '!=' });
  switch (leaf.op) {
    case '>=':
      return range(value, Number.POSITIVE_INFINITY);
    case '>':
      return range(value + 1, Number.POSITIVE_INFINITY);
    case '<=':
      return range(Number.NEGATIVE_INFINITY, value);
    case '<':
      return range(Number.NEGATIVE_INFINITY, value - 1);
    case '==':
    case '!=':
      return range(value, value);
  }
}

/** Neighbours become one range: `weekday in ["sat", "sun"]` is one comparison. */
function merged(values: readonly number[]): readonly Range[] {
  const ranges: { least: number; most: number }[] = [];
  for (const value of values.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && value <= last.most + 1) last.most = value;
    else ranges.push({ least: value, most: value });
  }
  return ranges;
}

/** Ends of a walk: jump targets that are no steps. */
const HOLDS = -1;
const FAILS = -2;

/**
 * All conditions of a bundle as one row of steps: is the fact within a range, and where to go in either case. By De
 * Morgan's laws, which hold for Kleene's three values too, `not` only swaps the ways out; so a walk takes each step at
 * most once. Whether an unknown fact counts as failing or as holding tells unknown from false and from true.
 */
export class Conditions {
  readonly #starts: Int32Array;
  readonly #slots: Uint8Array;
  readonly #least: Float64Array;
  readonly #most: Float64Array;
  readonly #within: Int32Array;
  readonly #outside: Int32Array;
  /** Where an unknown fact leads when it counts as failing … */
  readonly #failing: Int32Array;
  /** … and as holding. */
  readonly #holding: Int32Array;

  /** Prepares checked trees; `slots` must know each of their facts. */
  constructor(trees: readonly Tree[], slots: Slots = factSlots) {
    const steps: Step[] = [];
    const whole: Ways = { steps, slots, holds: HOLDS, fails: FAILS, negated: false };
    this.#starts = Int32Array.from(trees, (tree) => lower(tree, whole));
    this.#slots = Uint8Array.from(steps, (step) => step.slot);
    this.#least = Float64Array.from(steps, (step) => step.range.least);
    this.#most = Float64Array.from(steps, (step) => step.range.most);
    this.#within = Int32Array.from(steps, (step) => step.within);
    this.#outside = Int32Array.from(steps, (step) => step.outside);
    this.#failing = Int32Array.from(steps, (step) => step.failing);
    this.#holding = Int32Array.from(steps, (step) => step.holding);
  }

  /** Whether a condition is true of a row of values, NaN where unknown: neither false nor unknown. */
  isTrue(index: number, row: Float64Array): boolean {
    return this.#walk(index, row, this.#failing);
  }

  /** Whether a condition is true or unknown: it may become true with facts that are unknown now. */
  mayBeTrue(index: number, row: Float64Array): boolean {
    return this.#walk(index, row, this.#holding);
  }

  #walk(index: number, row: Float64Array, unknown: Int32Array): boolean {
    const [slots, least, most] = [this.#slots, this.#least, this.#most];
    const [within, outside] = [this.#within, this.#outside];
    let at = this.#starts[index] ?? FAILS;
    while (at >= 0) {
      const value = row[slots[at] ?? 0] ?? Number.NaN;
      // NaN, an unknown fact, is neither within nor outside.
      if (value >= (least[at] ?? 0) && value <= (most[at] ?? 0)) at = within[at] ?? FAILS;
      else at = (Number.isNaN(value) ? unknown[at] : outside[at]) ?? FAILS;
    }
    return at === HOLDS;
  }
}

interface Step {
  readonly slot: number;
  readonly range: Range;
  readonly within: number;
  readonly outside: number;
  readonly failing: number;
  readonly holding: number;
}

/** Where a part of a condition goes on, and whether it stands under an odd number of `not`. */
interface Ways {
  readonly steps: Step[];
  readonly slots: Slots;
  readonly holds: number;
  readonly fails: number;
  readonly negated: boolean;
}

/** Appends the steps of a part, the last first, so that each knows where it goes on. Returns where the part begins. */
function lower(tree: Tree, ways: Ways): number {
  if ('arg' in tree) return lower(tree.arg, { ...ways, holds: ways.fails, fails: ways.holds, negated: !ways.negated });
  if ('args' in tree) {
    const { op, args } = tree;
    return args.reduceRight(
      (next, arg) => lower(arg, op === 'and' ? { ...ways, holds: next } : { ...ways, fails: next }),
      op === 'and' ? ways.holds : ways.fails,
    );
  }
  const { steps, slots, holds, fails, negated } = ways;
  const slot = slots.get(tree.fact);
  if (slot === undefined) throw new TypeError(`no slot for the fact ${tree.fact}`);
  const { ranges, inside } = rangesOf(tree);
  const [within, outside] = inside ? [holds, fails] : [fails, holds];
  const [failing, holding] = negated ? [holds, fails] : [fails, holds];
  return ranges.reduceRight(
    (next, range) => steps.push({ slot, range, within, outside: next, failing, holding }) - 1,
    outside,
  );
}
