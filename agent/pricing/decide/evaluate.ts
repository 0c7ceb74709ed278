import { facts } from '../language/facts.ts';
import type { Comparison, Operand, Tree } from '../language/tree.ts';

/** Kleene's three values, so that `and` is the minimum, `or` the maximum and `not` the complement. */
export const FALSE = 0;
export const UNKNOWN = 1;
export const TRUE = 2;
export type Truth = typeof FALSE | typeof UNKNOWN | typeof TRUE;

/** Where each fact's value stands in the row of numbers that conditions are evaluated on. */
export type Slots = ReadonlyMap<string, number>;

export const factSlots: Slots = new Map([...facts.keys()].map((name, index) => [name, index]));

/** A condition ready to run: facts by slot, words by number. */
export type Node =
  | { readonly op: 'and' | 'or'; readonly args: readonly Node[] }
  | { readonly op: 'not'; readonly arg: Node }
  | { readonly op: Comparison; readonly slot: number; readonly value: number }
  | { readonly op: 'in'; readonly slot: number; readonly values: readonly number[] };

/** Words become their place in the fact's list, so that every comparison is one of numbers. */
export function encodeValue(fact: string, value: Operand): number {
  return typeof value === 'number' ? value : (facts.get(fact)?.words?.indexOf(value) ?? -1);
}

/** Prepares a checked tree. `slots` must know each of its facts. */
export function prepareTree(tree: Tree, slots: Slots = factSlots): Node {
  if ('args' in tree) return { op: tree.op, args: tree.args.map((arg) => prepareTree(arg, slots)) };
  if ('arg' in tree) return { op: 'not', arg: prepareTree(tree.arg, slots) };
  const slot = slotOf(tree.fact, slots);
  if (tree.op === 'in') return { op: 'in', slot, values: tree.value.map((item) => encodeValue(tree.fact, item)) };
  return { op: tree.op, slot, value: encodeValue(tree.fact, tree.value) };
}

function slotOf(fact: string, slots: Slots): number {
  const slot = slots.get(fact);
  if (slot === undefined) throw new TypeError(`no slot for the fact ${fact}`);
  return slot;
}

/** Evaluates a condition on a row of values, NaN where unknown. Visits each node at most once, so cost ≤ node count. */
export function evaluate(node: Node, row: Float64Array): Truth {
  if ('arg' in node) return complement(evaluate(node.arg, row));
  if (!('args' in node)) return evaluateLeaf(node, row);
  if (node.op === 'and') {
    let result: Truth = TRUE;
    for (const arg of node.args) {
      const truth = evaluate(arg, row);
      if (truth === FALSE) return FALSE;
      if (truth < result) result = truth;
    }
    return result;
  }
  let result: Truth = FALSE;
  for (const arg of node.args) {
    const truth = evaluate(arg, row);
    if (truth === TRUE) return TRUE;
    if (truth > result) result = truth;
  }
  return result;
}

function complement(truth: Truth): Truth {
  if (truth === UNKNOWN) return UNKNOWN;
  return truth === TRUE ? FALSE : TRUE;
}

export type Leaf = Exclude<Node, { readonly op: 'and' | 'or' | 'not' }>;

export function evaluateLeaf(node: Leaf, row: Float64Array): Truth {
  const actual = row[node.slot] ?? Number.NaN;
  if (Number.isNaN(actual)) return UNKNOWN;
  switch (node.op) {
    case '>=':
      return actual >= node.value ? TRUE : FALSE;
    case '<=':
      return actual <= node.value ? TRUE : FALSE;
    case '>':
      return actual > node.value ? TRUE : FALSE;
    case '<':
      return actual < node.value ? TRUE : FALSE;
    case '==':
      return actual === node.value ? TRUE : FALSE;
    case '!=':
      return actual === node.value ? FALSE : TRUE;
    case 'in':
      return node.values.includes(actual) ? TRUE : FALSE;
  }
}
