import type { z } from 'zod';
import { isCollection, isMap, isNode, isScalar, type Document, type LineCounter } from 'yaml';
import { configErrors } from './errors.ts';
import { nearest } from './nearest.ts';

/** One fault in kit.yaml, for a person: where, what, and what to do. Lines and columns count from 1. */
export interface ConfigFault {
  readonly code: keyof typeof configErrors;
  /** e.g. `drivers[0].port`. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly hint: string;
}

export type PathKey = string | number;
type Issue = z.core.$ZodIssue;

/** Finds places in one parsed document. */
export class Locator {
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  /** The place of a value, or of its nearest parent that is written down; of the key itself with `atKey`. */
  place(path: readonly PathKey[], atKey = false): { readonly line: number; readonly column: number } {
    for (let length = path.length; length >= 0; length -= 1) {
      const offset = this.#offset(path.slice(0, length), atKey);
      if (offset !== null) {
        const { line, col } = this.#lines.linePos(offset);
        return { line: Math.max(1, line), column: Math.max(1, col) };
      }
    }
    return { line: 1, column: 1 };
  }

  #offset(path: readonly PathKey[], atKey: boolean): number | null {
    if (path.length === 0) return isNode(this.#document.contents) ? (this.#document.contents.range?.[0] ?? 0) : 0;
    const parent = path.length === 1 ? this.#document.contents : this.#document.getIn(path.slice(0, -1), true);
    const last = path.at(-1);
    if (atKey && isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === last);
      return pair !== undefined && isScalar(pair.key) ? (pair.key.range?.[0] ?? null) : null;
    }
    const node = isCollection(parent) ? parent.get(last, true) : undefined;
    return isNode(node) ? (node.range?.[0] ?? null) : null;
  }
}

/** Turns zod's issues into faults with places; `base` is where the checked value stands, `known` the keys it may have. */
export function faultsOf(
  issues: readonly Issue[],
  base: readonly PathKey[],
  locator: Locator,
  knownKeys: (path: readonly PathKey[]) => readonly string[],
): ConfigFault[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path.filter((key) => typeof key !== 'symbol')];
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => unknownKey([...path, key], locator, knownKeys(path)));
    if (issue.code === 'invalid_union') return [unionFault(issue, path, locator)];
    return [plainFault(issue, path, locator)];
  });
}

export function fault(
  code: ConfigFault['code'],
  path: readonly PathKey[],
  locator: Locator,
  detail: string,
  hint?: string,
): ConfigFault {
  return {
    code,
    path: pathText(path),
    ...locator.place(path),
    message: `${configErrors[code].sentence}: ${detail}`,
    hint: hint ?? configErrors[code].hint,
  };
}

export function pathText(path: readonly PathKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? key : `${text}.${key}`),
    '',
  );
}

function unknownKey(path: readonly PathKey[], locator: Locator, known: readonly string[]): ConfigFault {
  const key = String(path.at(-1));
  // A key of another kind of the same setting is known and yet wrong here.
  const guess = nearest(
    key,
    known.filter((other) => other !== key),
  );
  const place = locator.place(path, true);
  const hint = guess === null ? configErrors['config-unknown-key'].hint : `Did you mean ${guess}?`;
  return {
    code: 'config-unknown-key',
    path: pathText(path),
    ...place,
    message: `${configErrors['config-unknown-key'].sentence}: ${pathText(path)}`,
    hint,
  };
}

/** A union's faults: the branch that got furthest tells most; an inline secret gets its own word. */
function unionFault(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: readonly PathKey[],
  locator: Locator,
): ConfigFault {
  const branches = issue.errors;
  const secret = branches.some((branch) =>
    branch.some(
      (inner) => inner.code === 'unrecognized_keys' || inner.path.includes('file') || inner.path.includes('credential'),
    ),
  );
  const expectsObject =
    branches.length > 0 &&
    branches.every((branch) => branch.some((inner) => inner.code === 'invalid_type' && inner.expected === 'object'));
  if (expectsObject) {
    const absent = branches.every((branch) => branch.some((inner) => inner.message.includes('received undefined')));
    return absent
      ? fault('config-missing', path, locator, pathText(path))
      : fault('config-secret-inline', path, locator, pathText(path));
  }
  if (secret)
    return fault('config-value', path, locator, `${pathText(path)} takes exactly one of file, env or credential`);
  const deepest = branches.flat().toSorted((a, b) => b.path.length - a.path.length)[0];
  return deepest === undefined
    ? fault('config-value', path, locator, pathText(path))
    : plainFault(deepest, [...path, ...deepest.path.filter((key) => typeof key !== 'symbol')], locator);
}

function plainFault(issue: Issue, path: readonly PathKey[], locator: Locator): ConfigFault {
  const where = path.length === 0 ? 'the file' : pathText(path);
  if (issue.code === 'invalid_type') {
    // zod tells an absent value only in its words and its `input`; the document tells it for certain.
    const missing = issue.input === undefined && issue.message.includes('received undefined');
    if (missing) return fault('config-missing', path, locator, where, `Add ${where} (${issue.expected})`);
    return fault('config-type', path, locator, `${where} must be ${article(issue.expected)}`);
  }
  const said = issue.message.replace(/^Invalid (input|string|option|number): /, '');
  return fault('config-value', path, locator, `${where}: ${said}`);
}

function article(expected: string): string {
  return /^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected}`;
}
