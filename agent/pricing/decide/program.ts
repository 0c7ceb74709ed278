import type { Bundle, CatalogItem, Override, PinOverride, Rule } from '../bundle/bundle.ts';
import type { Operand, Tree } from '../language/tree.ts';
import { leastUnderCap, marginFloor } from './arithmetic.ts';
import { factSlots, prepareTree, type Leaf, type Node } from './evaluate.ts';
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

/** One comparison as written, beside its prepared form. */
export interface LeafProgram {
  readonly leaf: Leaf;
  readonly fact: string;
  readonly op: string;
  readonly value: Operand | readonly Operand[];
}

export interface RuleProgram {
  readonly rule: Rule;
  readonly node: Node;
  /** The rule's comparisons in their order, for the trace. */
  readonly leaves: readonly LeafProgram[];
  /** Number of the rule's group. */
  readonly group: number;
  readonly rung: number;
  readonly requires: readonly { readonly slot: number; readonly fact: string; readonly maxAgeS: number }[];
  readonly holdsWhenStale: boolean;
}

export interface ItemProgram {
  readonly item: CatalogItem;
  readonly rules: readonly RuleProgram[];
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
  readonly groups: number;
}

export function isPin(override: Override): override is PinOverride {
  return 'pin' in override;
}

/** Prepares a checked bundle. */
export function prepareBundle(bundle: Bundle): Program {
  const groups = new Map<string, number>();
  const rules = bundle.rules.map((rule) => prepareRule(rule, groups));
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
    groups: groups.size,
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

function prepareRule(rule: Rule, groups: Map<string, number>): RuleProgram {
  const group = groups.get(rule.group) ?? groups.size;
  groups.set(rule.group, group);
  const node = prepareTree(rule.when);
  return {
    rule,
    node,
    leaves: leavesOf(rule.when, node),
    group,
    rung: rule.then.rung,
    requires: (rule.requires ?? []).map(({ fact, maxAgeS }) => ({ fact, maxAgeS, slot: factSlots.get(fact) ?? -1 })),
    holdsWhenStale: rule.onStale !== 'skip',
  };
}

/** The written condition and its prepared form have the same shape. */
function leavesOf(tree: Tree, node: Node): readonly LeafProgram[] {
  if ('args' in tree && 'args' in node)
    return tree.args.flatMap((arg, index) => {
      const prepared = node.args[index];
      return prepared === undefined ? [] : leavesOf(arg, prepared);
    });
  if ('arg' in tree && 'arg' in node) return leavesOf(tree.arg, node.arg);
  return 'fact' in tree && 'slot' in node ? [{ leaf: node, fact: tree.fact, op: tree.op, value: tree.value }] : [];
}

/** Items of one category without rules of their own share one list: 10,000 items × 1,000 rules would not fit otherwise. */
function ruleIndex(rules: readonly RuleProgram[]): (item: CatalogItem) => readonly RuleProgram[] {
  const skus = new Set(rules.flatMap(({ rule }) => ('sku' in rule.select ? [rule.select.sku] : [])));
  const byCategory = new Map<string, readonly RuleProgram[]>();
  return (item) => {
    const own = skus.has(item.sku);
    const shared = byCategory.get(item.category);
    if (!own && shared !== undefined) return shared;
    const list = rules.filter(({ rule: { select } }) => {
      if ('sku' in select) return select.sku === item.sku;
      return 'category' in select ? select.category === item.category : true;
    });
    if (!own) byCategory.set(item.category, list);
    return list;
  };
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
