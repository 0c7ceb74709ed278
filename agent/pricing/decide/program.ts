import type { Bundle, CatalogItem, Override, PinOverride, Rule } from '../bundle/bundle.ts';
import type { Operand, Tree } from '../language/tree.ts';
import { leastUnderCap, marginFloor } from './arithmetic.ts';
import { Conditions, factSlots, type LeafTree } from './conditions.ts';
import { parseUtc } from './instant.ts';

/** A least price that holds for every output, with the cap's name. */
export interface Least {
  readonly name: Bound;
  readonly leastMinor: number;
}

/** What can keep a price from where the rules wanted it. */
export type Bound =
  | 'rule'
  | 'sku'
  | 'category'
  | 'kit'
  | 'marginFloor'
  | 'map'
  | 'maxStep'
  | 'maxChangesPerDay'
  | 'cooldown'
  | 'dayBudget'
  | 'noRaise'
  | 'stale'
  | 'clock'
  | 'expired'
  | 'notYetValid'
  | 'kill'
  | 'pin'
  | 'block';

/** One comparison as written, and its number among all. */
export interface LeafProgram {
  readonly index: number;
  readonly slot: number;
  readonly fact: string;
  readonly op: string;
  readonly value: Operand | readonly Operand[];
}

/** Facts that must be there and young enough. Rules that ask for the same ones share one. */
export interface Needs {
  readonly index: number;
  readonly facts: readonly { readonly slot: number; readonly fact: string; readonly maxAgeS: number }[];
}

export interface RuleProgram {
  readonly rule: Rule;
  /** Number of its condition. */
  readonly condition: number;
  /** Number of its exit among the conditions; null without one. */
  readonly exit: number | null;
  /** The rule's comparisons in their order, for the trace. */
  readonly leaves: readonly LeafProgram[];
  /** Those of its exit. */
  readonly exitLeaves: readonly LeafProgram[];
  /** Number of the rule's group. */
  readonly group: number;
  readonly rung: number;
  readonly needs: Needs | null;
  readonly holdsWhenStale: boolean;
}

/** The rules that an item has, in the orders in which they are asked. */
export interface RuleList {
  /** As the bundle has them. */
  readonly all: readonly RuleProgram[];
  /** Each group by rank: the first that fires wins. */
  readonly groups: readonly (readonly RuleProgram[])[];
  /** Those that hold the price when they lack a fact, the deepest rung first. */
  readonly holders: readonly RuleProgram[];
  /** Those with evidence or an exit of their own, as the bundle has them; most items have none. */
  readonly staged: readonly RuleProgram[];
}

export interface ItemProgram {
  readonly item: CatalogItem;
  readonly rules: RuleList;
  readonly floors: readonly Least[];
  /** The highest of the floors, at most the list price. */
  readonly floorMinor: number;
  readonly overrides: readonly { readonly override: Override; readonly untilMs: number }[];
}

/** A bundle prepared once for many decisions. Maps throughout: an item may be called `constructor`. */
export interface Program {
  readonly bundle: Bundle;
  readonly notBeforeMs: number;
  readonly expiresMs: number;
  readonly items: readonly ItemProgram[];
  readonly conditions: Conditions;
  /** Each comparison on its own, for the trace. */
  readonly comparisons: Conditions;
  readonly groups: number;
  readonly needs: number;
}

export function isPin(override: Override): override is PinOverride {
  return 'pin' in override;
}

/** Prepares a checked bundle. */
export function prepareBundle(bundle: Bundle): Program {
  const groups = new Map<string, number>();
  const needs = new Map<string, Needs>();
  const comparisons: LeafTree[] = [];
  const exits: Tree[] = [];
  const rules = bundle.rules.map((rule, condition) => ({
    rule,
    condition,
    exit: rule.exit === undefined ? null : bundle.rules.length + exits.push(rule.exit) - 1,
    leaves: numbered(leavesOf(rule.when), comparisons),
    exitLeaves: rule.exit === undefined ? NO_LEAVES : numbered(leavesOf(rule.exit), comparisons),
    group: numberOf(rule.group, groups),
    rung: rule.then.rung,
    needs: needsOf(rule, needs),
    holdsWhenStale: rule.onStale !== 'skip',
  }));
  const rulesFor = ruleIndex(rules);
  const overrides = new Map<string, { override: Override; untilMs: number }[]>();
  for (const override of bundle.overrides) {
    const list = overrides.get(override.sku) ?? [];
    list.push({ override, untilMs: parseUtc(override.until) ?? 0 });
    overrides.set(override.sku, list);
  }
  const floorsFor = floorsOf(bundle);
  return {
    bundle,
    notBeforeMs: parseUtc(bundle.notBefore) ?? Number.POSITIVE_INFINITY,
    expiresMs: parseUtc(bundle.expires) ?? Number.NEGATIVE_INFINITY,
    conditions: new Conditions([...bundle.rules.map((rule) => rule.when), ...exits]),
    comparisons: new Conditions(comparisons),
    groups: groups.size,
    needs: needs.size,
    items: bundle.catalog.map((item) => {
      const floors = floorsFor(item);
      return {
        item,
        rules: rulesFor(item),
        floors,
        floorMinor: Math.min(item.listMinor, Math.max(0, ...floors.map((floor) => floor.leastMinor))),
        overrides: overrides.get(item.sku) ?? [],
      };
    }),
  };
}

const NO_LEAVES: readonly LeafProgram[] = [];

function numberOf(group: string, known: Map<string, number>): number {
  const number = known.get(group) ?? known.size;
  known.set(group, number);
  return number;
}

function needsOf({ requires = [] }: Rule, known: Map<string, Needs>): Needs | null {
  if (requires.length === 0) return null;
  const key = requires.map(({ fact, maxAgeS }) => `${fact} ${maxAgeS}`).join();
  const found = known.get(key) ?? {
    index: known.size,
    facts: requires.map(({ fact, maxAgeS }) => ({ fact, maxAgeS, slot: slotOf(fact) })),
  };
  known.set(key, found);
  return found;
}

function slotOf(fact: string): number {
  return factSlots.get(fact) ?? -1;
}

function leavesOf(tree: Tree): readonly LeafTree[] {
  if ('args' in tree) return tree.args.flatMap((arg) => leavesOf(arg));
  return 'arg' in tree ? leavesOf(tree.arg) : [tree];
}

/** Appends a rule's comparisons to those of all. */
function numbered(leaves: readonly LeafTree[], all: LeafTree[]): readonly LeafProgram[] {
  return leaves.map((leaf) => {
    const { fact, op, value } = leaf;
    return { index: all.push(leaf) - 1, slot: slotOf(fact), fact, op, value };
  });
}

/** Items of one category without rules of their own share one list: 10,000 items × 1,000 rules would not fit otherwise. */
function ruleIndex(rules: readonly RuleProgram[]): (item: CatalogItem) => RuleList {
  const skus = new Set(rules.flatMap(({ rule }) => ('sku' in rule.select ? [rule.select.sku] : [])));
  const byCategory = new Map<string, RuleList>();
  return (item) => {
    const own = skus.has(item.sku);
    const shared = byCategory.get(item.category);
    if (!own && shared !== undefined) return shared;
    const list = ruleList(
      rules.filter(({ rule: { select } }) => {
        if ('sku' in select) return select.sku === item.sku;
        return 'category' in select ? select.category === item.category : true;
      }),
    );
    if (!own) byCategory.set(item.category, list);
    return list;
  };
}

function ruleList(all: readonly RuleProgram[]): RuleList {
  const groups = new Map<number, RuleProgram[]>();
  for (const rule of all.toSorted(byRank)) {
    const group = groups.get(rule.group);
    if (group === undefined) groups.set(rule.group, [rule]);
    else group.push(rule);
  }
  const holders = all.filter((rule) => rule.needs !== null && rule.holdsWhenStale);
  return {
    all,
    groups: [...groups.values()],
    holders: holders.toSorted((a, b) => b.rung - a.rung),
    staged: all.filter(({ rule, exit }) => exit !== null || rule.evidence !== undefined),
  };
}

/** Highest priority first, equal: lowest id by code unit. */
function byRank(a: RuleProgram, b: RuleProgram): number {
  if (a.rule.priority !== b.rule.priority) return b.rule.priority - a.rule.priority;
  return a.rule.id < b.rule.id ? -1 : 1;
}

function floorsOf({ caps }: Bundle): (item: CatalogItem) => readonly Least[] {
  const bySku = new Map(Object.entries(caps.sku));
  const byCategory = new Map(Object.entries(caps.category));
  return (item) => {
    const floors: Least[] = [
      { name: 'marginFloor', leastMinor: marginFloor(item.costMinor, caps.marginFloorBp) },
      { name: 'kit', leastMinor: leastUnderCap(item.listMinor, caps.kit.maxDiscountBp) },
    ];
    if (item.mapMinor !== null) floors.push({ name: 'map', leastMinor: item.mapMinor });
    const sku = bySku.get(item.sku);
    if (sku !== undefined) floors.push({ name: 'sku', leastMinor: leastUnderCap(item.listMinor, sku.maxDiscountBp) });
    const category = byCategory.get(item.category);
    if (category !== undefined)
      floors.push({ name: 'category', leastMinor: leastUnderCap(item.listMinor, category.maxDiscountBp) });
    return floors;
  };
}
