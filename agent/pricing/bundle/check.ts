import type { z } from 'zod';
import { knownKeysAt } from '../../config/known-keys.ts';
import { nearest } from '../../config/nearest.ts';
import { parseUtc } from '../decide/instant.ts';
import { fault, MAX_FAULTS, pathText, type Fault, type Path } from '../fault.ts';
import { checkTree, MAX_NODES, type NodeBudget, type Tree } from '../language/tree.ts';
import { MAX_STAGED_RULES, type Bundle, type Rule } from './bundle.ts';
import { bundleSchema } from './schema.ts';

/** A whole bundle, or what is wrong with it; warnings are things that are allowed and seldom meant. */
export type Checked =
  | { readonly ok: true; readonly bundle: Bundle; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** Turns one condition as found into a tree, or appends faults. A source lowers texts here, the kit takes trees only. */
export type ReadCondition = (condition: unknown, path: Path, faults: Fault[], budget: NodeBudget) => Tree | null;

export const takeTree: ReadCondition = (condition, path, faults, budget) =>
  checkTree(condition, path, faults, budget) ? condition : null;

/** Shape, types, limits, references, ladder and weights. Pure; at most {@link MAX_FAULTS} faults. */
export function checkBundle(value: unknown, readCondition: ReadCondition = takeTree): Checked {
  const result = bundleSchema.safeParse(value, { reportInput: true });
  const faults: Fault[] = result.success ? [] : issueFaults(result.error.issues, value);
  const rules = readConditions(value, readCondition, faults);
  if (!result.success) return { ok: false, faults: faults.slice(0, MAX_FAULTS) };
  const bundle: Bundle = {
    ...result.data,
    rules: result.data.rules.map((rule, index) => withTrees(rule, rules[index])),
  };
  faults.push(...semanticFaults(bundle));
  if (faults.length > 0) return { ok: false, faults: faults.slice(0, MAX_FAULTS) };
  return { ok: true, bundle, warnings: warningsOf(bundle) };
}

/** A rule's conditions as read; null where one is absent or at fault. */
interface Conditions {
  readonly when: Tree | null;
  readonly exit: Tree | null;
}

function withTrees(rule: Rule, read: Conditions | undefined): Rule {
  if (read === undefined || read.when === null) return rule;
  const { when, exit } = read;
  return exit === null ? { ...rule, when } : { ...rule, when, exit };
}

/** Conditions are told even when the rest has faults: an author corrects a file once. */
function readConditions(value: unknown, read: ReadCondition, faults: Fault[]): Conditions[] {
  const rules = isObject(value) && Array.isArray(value['rules']) ? (value['rules'] as readonly unknown[]) : [];
  const trees: Conditions[] = [];
  for (const [index, rule] of rules.entries()) {
    if (faults.length >= MAX_FAULTS) break;
    const budget: NodeBudget = { nodes: MAX_NODES };
    const has = (key: 'when' | 'exit'): boolean => isObject(rule) && Object.hasOwn(rule, key);
    const at = (key: 'when' | 'exit', left: NodeBudget): Tree | null =>
      isObject(rule) && has(key) ? read(rule[key], ['rules', index, key], faults, left) : null;
    const when = at('when', budget);
    // A condition that spent more than there is has been told of; the other is then counted on its own.
    const exit = at('exit', { nodes: budget.nodes < 0 ? MAX_NODES : budget.nodes, beside: 'when' });
    trees.push({ when, exit });
    if (isObject(rule) && !has('when'))
      faults.push(fault('missing-key', ['rules', index], `rules[${index}] has no when`));
  }
  return trees;
}

export function issueFaults(issues: readonly z.core.$ZodIssue[], root: unknown): Fault[] {
  return issues.slice(0, MAX_FAULTS).flatMap((issue) => {
    const path = issue.path.filter((key) => typeof key !== 'symbol');
    if (issue.code === 'unrecognized_keys') {
      const known = root === undefined ? [] : knownKeysAt(bundleSchema, path);
      return issue.keys.slice(0, MAX_FAULTS).map((key) => {
        const near = key.length > 64 ? null : nearest(key, known);
        const hint = near === null ? undefined : `Did you mean ${near}?`;
        return fault('unknown-key', [...path, key], key.slice(0, 64), { atKey: true, hint });
      });
    }
    const where = pathText(path);
    const absent = issue.input === undefined && issue.code !== 'custom';
    if (absent) return [fault('missing-key', path.slice(0, -1), where)];
    if (issue.code === 'invalid_type') return [fault('wrong-type', path, `${where} must be ${named(issue.expected)}`)];
    if (issue.code === 'invalid_key' || issue.code === 'invalid_element')
      return [fault('out-of-range', path, `${where}: this name is not allowed`)];
    const said = issue.message.replace(/^Invalid (input|string|option|number): /, '');
    const code = issue.code === 'too_big' || issue.code === 'too_small' ? 'out-of-range' : 'wrong-type';
    return [fault(code, path, `${where} ${said.startsWith('must') ? said : `: ${said}`}`.replace(' : ', ': '))];
  });
}

function named(expected: string): string {
  if (expected === 'int') return 'a whole number';
  return `${/^[aeiou]/.test(expected) ? 'an' : 'a'} ${expected}`;
}

function semanticFaults(bundle: Bundle): Fault[] {
  const faults: Fault[] = [];
  const skus = new Set(bundle.catalog.map((item) => item.sku));
  const categories = new Set(bundle.catalog.map((item) => item.category));
  unique(bundle.catalog, (item) => item.sku, 'catalog', 'sku', faults);
  unique(bundle.rules, (rule) => rule.id, 'rules', 'id', faults);
  unique(bundle.experiments, (experiment) => experiment.id, 'experiments', 'id', faults);
  for (const [index, bp] of bundle.ladder.entries()) {
    const before = bundle.ladder[index - 1];
    if (before === undefined ? bp !== 0 : bp <= before)
      faults.push(fault('ladder-order', ['ladder', index], String(bp)));
  }
  for (const [index, rule] of bundle.rules.entries()) {
    if (rule.then.rung >= bundle.ladder.length)
      faults.push(fault('out-of-range', ['rules', index, 'then', 'rung'], `the ladder has no rung ${rule.then.rung}`));
    const { select } = rule;
    if ('sku' in select && !skus.has(select.sku))
      faults.push(dangling(['rules', index, 'select', 'sku'], select.sku, skus));
    if ('category' in select && !categories.has(select.category))
      faults.push(dangling(['rules', index, 'select', 'category'], select.category, categories));
  }
  faults.push(...stagedFaults(bundle.rules));
  for (const [index, experiment] of bundle.experiments.entries()) {
    const path = ['experiments', index, 'cells'];
    const sum = experiment.cells.reduce((total, cell) => total + cell.weightBp, 0);
    if (sum !== 10_000) faults.push(fault('weights-sum', path, `${experiment.id} has ${sum}`));
    if (new Set(experiment.cells.map((cell) => cell.name)).size !== experiment.cells.length)
      faults.push(fault('duplicate-id', path, `a cell of ${experiment.id}`));
  }
  if ((parseUtc(bundle.expires) ?? 0) <= (parseUtc(bundle.notBefore) ?? 0))
    faults.push(fault('out-of-range', ['expires'], 'expires must be later than notBefore'));
  return faults;
}

function stagedFaults(rules: readonly Rule[]): Fault[] {
  const faults: Fault[] = [];
  let staged = 0;
  for (const [index, { evidence, exit }] of rules.entries()) {
    if (evidence !== undefined && evidence.atLeast > evidence.of) {
      const hint = 'Ask for no more windows than are looked at: atLeast is at most of';
      const path = ['rules', index, 'evidence', 'atLeast'];
      faults.push(fault('out-of-range', path, `${evidence.atLeast} of ${evidence.of} windows never hold`, { hint }));
    }
    if (evidence === undefined && exit === undefined) continue;
    staged += 1;
    if (staged !== MAX_STAGED_RULES + 1) continue;
    const path = ['rules', index, evidence === undefined ? 'exit' : 'evidence'];
    const hint = 'Leave both to the rules that begin a markdown';
    faults.push(
      fault('out-of-range', path, `at most ${MAX_STAGED_RULES} rules may have evidence or exit`, { hint, atKey: true }),
    );
  }
  return faults;
}

function dangling(path: Path, name: string, known: ReadonlySet<string>): Fault {
  const near = nearest(name, [...known].slice(0, 1_000));
  return fault('unknown-reference', path, name, { hint: near === null ? undefined : `Did you mean ${near}?` });
}

function unique<T>(items: readonly T[], key: (item: T) => string, list: string, field: string, faults: Fault[]): void {
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    if (seen.has(key(item))) faults.push(fault('duplicate-id', [list, index, field], key(item)));
    seen.add(key(item));
  }
}

const MAX_WARNINGS = 50;

/** What a merchant may mean, but should look at: a cap for an item that this kit does not carry is one. */
function warningsOf(bundle: Bundle): string[] {
  const skus = new Set(bundle.catalog.map((item) => item.sku));
  const categories = new Set(bundle.catalog.map((item) => item.category));
  const warnings: string[] = [];
  for (const sku of Object.keys(bundle.caps.sku)) if (!skus.has(sku)) warnings.push(`caps.sku.${sku}: no such item`);
  for (const name of Object.keys(bundle.caps.category))
    if (!categories.has(name)) warnings.push(`caps.category.${name}: no item of this category`);
  for (const [index, override] of bundle.overrides.entries())
    if (!skus.has(override.sku)) warnings.push(`overrides[${index}]: no item ${override.sku}`);
  for (const [index, item] of bundle.catalog.entries()) {
    if (item.gtin !== null && !gtinHolds(item.gtin)) warnings.push(`catalog[${index}].gtin: its check digit is wrong`);
    if (item.costMinor * 10_000 > item.listMinor * (10_000 - bundle.caps.marginFloorBp))
      warnings.push(`catalog[${index}]: the list price of ${item.sku} is already below the margin floor`);
  }
  return warnings.slice(0, MAX_WARNINGS);
}

/** GS1 General Specifications §7.9: weights 3 and 1 alternate from the right. */
function gtinHolds(gtin: string): boolean {
  let sum = 0;
  for (let index = 0; index < gtin.length; index += 1) sum += Number(gtin[index]) * (index % 2 === 0 ? 3 : 1);
  return sum % 10 === 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
