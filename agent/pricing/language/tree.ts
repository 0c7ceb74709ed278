import { nearest } from '../../config/nearest.ts';
import { fault, pathText, type Fault, type Path } from '../fault.ts';
import { factNames, facts } from './facts.ts';

export const COMPARISONS = ['>=', '<=', '>', '<', '==', '!='] as const;
export type Comparison = (typeof COMPARISONS)[number];
export type Operand = number | string;

/** A condition as it is signed and evaluated: closed, typed, integers only, so its cost is its node count. */
export type Tree =
  | { readonly op: 'and' | 'or'; readonly args: readonly Tree[] }
  | { readonly op: 'not'; readonly arg: Tree }
  | { readonly op: Comparison; readonly fact: string; readonly value: Operand }
  | { readonly op: 'in'; readonly fact: string; readonly value: readonly Operand[] };

export const MAX_DEPTH = 8;
export const MAX_NODES = 64;
/** Values behind one `in`. */
export const MAX_LIST = 64;

const COMPARISON_SET: ReadonlySet<string> = new Set(COMPARISONS);

/** Nodes that a rule has left; `beside` names what has taken some already. */
export interface NodeBudget {
  nodes: number;
  readonly beside?: string;
}

/**
 * Checks a tree from outside: shape, facts, types, depth and node count. Refuses before it descends past the limit, so
 * a hostile tree costs no more than an honest one. Faults are appended; returns whether the tree is sound.
 */
export function checkTree(
  value: unknown,
  path: Path,
  faults: Fault[],
  budget: NodeBudget = { nodes: MAX_NODES },
): value is Tree {
  const before = faults.length;
  checkNode(value, path, 1, budget, faults);
  return faults.length === before;
}

function checkNode(value: unknown, path: Path, depth: number, budget: NodeBudget, faults: Fault[]): void {
  if (depth > MAX_DEPTH) return void faults.push(fault('condition-too-large', path, `deeper than ${MAX_DEPTH} levels`));
  budget.nodes -= 1;
  if (budget.nodes < 0) {
    // Told once: every further node only unwinds.
    const beside = budget.beside === undefined ? '' : ` together with ${budget.beside}`;
    if (budget.nodes === -1) faults.push(fault('condition-too-large', path, `more than ${MAX_NODES} nodes${beside}`));
    return;
  }
  if (!isObject(value))
    return void faults.push(fault('wrong-type', path, `${pathText(path)} must be a condition node`));
  const op = value['op'];
  if (op === 'and' || op === 'or') {
    if (!hasKeys(value, ['op', 'args'], path, faults)) return;
    const args = value['args'];
    if (!Array.isArray(args) || args.length === 0)
      return void faults.push(fault('wrong-type', [...path, 'args'], `${op} needs a list of one condition or more`));
    for (const [index, arg] of args.entries()) {
      if (budget.nodes < 0) return;
      checkNode(arg, [...path, 'args', index], depth + 1, budget, faults);
    }
  } else if (op === 'not') {
    if (hasKeys(value, ['op', 'arg'], path, faults))
      checkNode(value['arg'], [...path, 'arg'], depth + 1, budget, faults);
  } else if (typeof op === 'string' && (op === 'in' || COMPARISON_SET.has(op))) {
    if (hasKeys(value, ['op', 'fact', 'value'], path, faults)) checkLeaf(value, op, path, faults);
  } else
    faults.push(fault('wrong-type', [...path, 'op'], `op must be and, or, not, in or a comparison, not ${word(op)}`));
}

function checkLeaf(node: Readonly<Record<string, unknown>>, op: string, path: Path, faults: Fault[]): void {
  const name = node['fact'];
  const known = typeof name === 'string' ? facts.get(name) : undefined;
  if (known === undefined) return void faults.push(unknownFact(String(name), [...path, 'fact']));
  if (known.words !== undefined && op !== '==' && op !== '!=' && op !== 'in')
    return void faults.push(fault('condition-type', [...path, 'op'], `${known.name} is a word and has no order`));
  const values: unknown = op === 'in' ? node['value'] : [node['value']];
  if (!Array.isArray(values) || values.length === 0 || values.length > MAX_LIST)
    return void faults.push(fault('wrong-type', [...path, 'value'], `in needs a list of 1 to ${MAX_LIST} values`));
  for (const value of values as readonly unknown[]) {
    const wrong = operandFault(known.name, value, [...path, 'value']);
    if (wrong !== null) return void faults.push(wrong);
  }
}

/** Whether a fact may be compared with a value; the fault or null. */
export function operandFault(name: string, value: unknown, path: Path, offset?: number): Fault | null {
  const words = facts.get(name)?.words;
  const more = offset === undefined ? {} : { offset };
  if (words === undefined)
    return typeof value === 'number' && Number.isSafeInteger(value)
      ? null
      : fault('condition-type', path, `${name} is an integer, ${word(value)} is not`, more);
  if (typeof value !== 'string')
    return fault('condition-type', path, `${name} is a word, ${word(value)} is not`, { ...more, hint: oneOf(words) });
  return words.includes(value)
    ? null
    : fault('condition-type', path, `${name} is never ${word(value)}`, { ...more, hint: guess(value, words) });
}

export function unknownFact(name: string, path: Path, offset?: number): Fault {
  return fault('fact-unknown', path, name.slice(0, 64), {
    hint: guess(name, factNames),
    ...(offset === undefined ? {} : { offset }),
  });
}

function guess(name: string, known: readonly string[]): string {
  const near = name.length > 64 ? null : nearest(name, known);
  return near === null ? oneOf(known) : `Did you mean ${near}?`;
}

function oneOf(known: readonly string[]): string {
  return `Use one of: ${known.join(', ')}`;
}

function word(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 64);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasKeys(
  value: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  path: Path,
  faults: Fault[],
): boolean {
  const before = faults.length;
  for (const key of Object.keys(value))
    if (!keys.includes(key)) faults.push(fault('unknown-key', [...path, key], key.slice(0, 64), { atKey: true }));
  for (const key of keys)
    if (!Object.hasOwn(value, key)) faults.push(fault('missing-key', path, `${pathText(path)} has no ${key}`));
  return faults.length === before;
}
