import { parse, ParseError, type ASTNode } from '@marcbachmann/cel-js';
import { fault, type Fault, type Path } from '../fault.ts';
import { facts } from './facts.ts';
import {
  COMPARISONS,
  checkTree,
  MAX_DEPTH,
  MAX_LIST,
  operandFault,
  unknownFact,
  type Comparison,
  type NodeBudget,
  type Operand,
  type Tree,
} from './tree.ts';

/** Longer than any condition of 64 nodes with lists needs to be. */
export const MAX_CONDITION_CHARS = 8_192;

const FLIPPED: Readonly<Record<Comparison, Comparison>> = {
  '>=': '<=',
  '<=': '>=',
  '>': '<',
  '<': '>',
  '==': '==',
  '!=': '!=',
};

/** Raised inside one expression; becomes a fault at its offset. */
class Refused extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.message);
    this.fault = fault;
  }
}

/**
 * Lowers a condition written in the CEL subset to the tree that is signed. Runs where rules are written, never on the
 * kit: CEL terminates but is not cheap (a nested `all()` of 46 characters ran for seconds).
 * Every fault carries its offset in `text`; null when there is one.
 */
export function lowerCondition(text: string, path: Path, faults: Fault[], budget?: NodeBudget): Tree | null {
  if (text.length > MAX_CONDITION_CHARS) {
    faults.push(fault('condition-too-large', path, `longer than ${MAX_CONDITION_CHARS} characters`, { offset: 0 }));
    return null;
  }
  try {
    const tree = lower(parsed(text, path), path, 1);
    const before = faults.length;
    return checkTree(tree, path, faults, budget) ? tree : (withOffset(faults, before, path), null);
  } catch (error) {
    if (error instanceof Refused) faults.push(error.fault);
    else if (error instanceof RangeError)
      faults.push(fault('condition-too-large', path, 'nested too deeply', { offset: 0 }));
    else throw error;
    return null;
  }
}

function parsed(text: string, path: Path): ASTNode {
  try {
    return parse(text).ast;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const summary = error.summary.replace('EOF', 'the end');
    const limit = summary.startsWith('Exceeded');
    throw new Refused(
      fault(limit ? 'condition-too-large' : 'condition-syntax', path, summary, { offset: error.range?.start ?? 0 }),
    );
  }
}

function lower(node: ASTNode, path: Path, depth: number): Tree {
  if (depth > MAX_DEPTH) throw refused('condition-too-large', node, path, `deeper than ${MAX_DEPTH} levels`);
  if (node.op === '&&' || node.op === '||') {
    const args = flat(node, node.op).map((arg) => lower(arg, path, depth + 1));
    return { op: node.op === '&&' ? 'and' : 'or', args };
  }
  if (node.op === '!_') return { op: 'not', arg: lower(node.args, path, depth + 1) };
  if (node.op === 'in') return lowerIn(node.args[0], node.args[1], path);
  if (node.op === 'id') {
    factOf(node, path);
    throw refused('condition-type', node, path, `${node.args} alone is not a condition`, 'Compare it with a value');
  }
  if (isComparison(node.op)) return lowerComparison(node.op, node.args as [ASTNode, ASTNode], path);
  throw unsupported(node, path);
}

/** `a && b && c` is parsed as a chain to the left; one n-ary node keeps it one level deep. */
function flat(node: ASTNode, op: '&&' | '||'): readonly ASTNode[] {
  const args: ASTNode[] = [];
  const waiting: ASTNode[] = [node];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.op === '&&' || next.op === '||') {
      if (next.op === op) {
        waiting.push(next.args[1], next.args[0]);
        continue;
      }
    }
    args.push(next);
  }
  return args;
}

function lowerComparison(op: Comparison, [left, right]: [ASTNode, ASTNode], path: Path): Tree {
  if (left.op === 'id' && right.op === 'id') {
    factOf(left, path);
    factOf(right, path);
    throw refused('condition-unsupported', right, path, 'a fact compared with a fact', 'Compare a fact with a value');
  }
  if (right.op === 'id') return comparison(FLIPPED[op], right, left, path);
  if (left.op === 'id') return comparison(op, left, right, path);
  const odd = isLiteral(left) ? right : left;
  if (isLiteral(odd)) throw refused('condition-unsupported', left, path, 'no fact stands in this comparison');
  throw unsupported(odd, path);
}

function comparison(op: Comparison, left: ASTNode, right: ASTNode, path: Path): Tree {
  const name = factOf(left, path);
  const value = operandOf(right, path);
  const wrong = operandFault(name, value, path, right.start);
  if (wrong !== null) throw new Refused(wrong);
  if (facts.get(name)?.words !== undefined && op !== '==' && op !== '!=')
    throw refused('condition-type', left, path, `${name} is a word and has no order`, 'Use ==, != or in');
  return { op, fact: name, value };
}

function lowerIn(left: ASTNode, right: ASTNode, path: Path): Tree {
  if (left.op !== 'id') throw unsupported(left, path, 'in takes a fact on its left');
  const name = factOf(left, path);
  if (right.op !== 'list') throw unsupported(right, path, 'in takes a list of values on its right');
  if (right.args.length === 0 || right.args.length > MAX_LIST)
    throw refused('condition-too-large', right, path, `in takes 1 to ${MAX_LIST} values`);
  const value = right.args.map((item) => {
    const operand = operandOf(item, path);
    const wrong = operandFault(name, operand, path, item.start);
    if (wrong !== null) throw new Refused(wrong);
    return operand;
  });
  return { op: 'in', fact: name, value };
}

function factOf(node: ASTNode, path: Path): string {
  if (node.op !== 'id') throw unsupported(node, path);
  if (!facts.has(node.args)) throw new Refused(unknownFact(node.args, path, node.start));
  return node.args;
}

function operandOf(node: ASTNode, path: Path): Operand {
  const negative = node.op === '-_';
  const literal = negative ? node.args : node;
  if (literal.op !== 'value') throw unsupported(literal, path);
  const value = literal.args;
  if (typeof value === 'string' && !negative) return value;
  if (typeof value === 'bigint') {
    const signed = negative ? -value : value;
    if (signed > BigInt(Number.MAX_SAFE_INTEGER) || signed < BigInt(Number.MIN_SAFE_INTEGER))
      throw refused('condition-type', node, path, 'integers lie within ±(2^53−1)');
    return Number(signed);
  }
  if (typeof value === 'number')
    throw refused('condition-type', node, path, `${value} is not an integer`, 'Use minor units, basis points, 0.1 °C');
  throw refused('condition-type', node, path, 'only integers and texts are compared');
}

function isLiteral(node: ASTNode): boolean {
  return node.op === 'value' || (node.op === '-_' && node.args.op === 'value');
}

function isComparison(op: string): op is Comparison {
  return (COMPARISONS as readonly string[]).includes(op);
}

const WHAT: Readonly<Record<string, string>> = {
  call: 'a function call',
  rcall: 'a method or macro',
  '.': 'a field access',
  '[]': 'an index',
  map: 'a map',
  list: 'a list outside of in',
  '?:': 'a choice with ?:',
  value: 'a bare value',
  '-_': 'arithmetic',
};

function unsupported(node: ASTNode, path: Path, what?: string): Refused {
  if (node.op === 'id') {
    if (!facts.has(node.args)) return new Refused(unknownFact(node.args, path, node.start));
    return refused('condition-unsupported', node, path, what ?? 'a fact where a value belongs');
  }
  const detail = what ?? WHAT[node.op] ?? (/^[-+*/%]$/.test(node.op) ? `arithmetic with ${node.op}` : node.op);
  return refused('condition-unsupported', node, path, detail);
}

function refused(code: Fault['code'], node: ASTNode, path: Path, detail: string, hint?: string): Refused {
  return new Refused(fault(code, path, detail, { offset: node.start, hint }));
}

/** Limits found on the lowered tree are told at the condition's beginning: its paths mean nothing in the source. */
function withOffset(faults: Fault[], from: number, path: Path): void {
  for (let index = from; index < faults.length; index += 1) {
    const found = faults[index];
    if (found !== undefined) faults[index] = { ...found, path, offset: 0 };
  }
}
