import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Node, type Scalar } from 'yaml';
import { fault, type Fault, type Path, type PathKey } from '../fault.ts';
import { JsonFault, LONE_SURROGATE, MAX_NESTING, placeIn, readJson } from './json.ts';
import { scalarSpot } from './scalar-spots.ts';

/** A line and a column in the source, both from 1; columns count UTF-16 units. */
export interface Spot {
  readonly line: number;
  readonly column: number;
}

/** A rule document as it was written: its value, and where each part of it stands. */
export interface SourceDocument {
  readonly value: unknown;
  /** Where the value at a path (or its nearest parent) begins; with an offset, that character inside the text there. */
  spot(fault: Pick<Fault, 'path' | 'offset' | 'atKey'>): Spot;
}

export type ReadDocument =
  | { readonly ok: true; readonly document: SourceDocument }
  | { readonly ok: false; readonly fault: Fault; readonly spot: Spot };

export const MAX_FILE_BYTES: number = 4 * 1024 * 1024;
/** Inputs of 10,000 items with every fact have some 10 MB. */
export const MAX_INPUT_BYTES: number = 32 * 1024 * 1024;

const START: Spot = { line: 1, column: 1 };

/** Reads JSON strictly, anything else as YAML. Refuses what is too large or too deep before it builds anything from it. */
export function readDocument(bytes: Uint8Array, maxBytes: number = MAX_FILE_BYTES): ReadDocument {
  if (bytes.length > maxBytes)
    return { ok: false, fault: fault('bundle-too-large', [], `${bytes.length} bytes`), spot: START };
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { ok: false, fault: fault('bundle-syntax', [], 'not UTF-8'), spot: START };
  }
  return /^\s*[{[]/.test(text) ? readJsonDocument(text) : readYamlDocument(text);
}

function readJsonDocument(text: string): ReadDocument {
  try {
    const value = readJson(text);
    return {
      ok: true,
      document: {
        value,
        spot: ({ path, offset, atKey }) => {
          const place = placeIn(text, path);
          if (atKey === true) return spotAt(text, place.keyStart);
          const written = valueAt(value, path);
          if (offset === undefined || typeof written !== 'string') return spotAt(text, place.start);
          return spotAt(text, scalarSpot(text, { start: place.start, style: 'double', value: written }, offset));
        },
      },
    };
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    // A flow mapping is YAML too: what JSON refuses for its form alone may be fine there.
    if (error.code === 'syntax' && !/^\s*[{[]\s*(?:"|[}\]])/.test(text)) return readYamlDocument(text);
    const code = error.code === 'too-deep' ? 'bundle-too-deep' : 'bundle-syntax';
    return { ok: false, fault: fault(code, [], error.message), spot: spotAt(text, error.offset) };
  }
}

function readYamlDocument(text: string): ReadDocument {
  if (deepestFlow(text) > MAX_NESTING)
    return { ok: false, fault: fault('bundle-too-deep', [], `deeper than ${MAX_NESTING} levels`), spot: START };
  const lines = new LineCounter();
  let contents: Node | null;
  try {
    const parsed = parseDocument(text, { lineCounter: lines, prettyErrors: false, keepSourceTokens: true });
    // Tags and directives are warnings to the parser; they would have one text mean several things.
    const error = parsed.errors[0] ?? parsed.warnings[0];
    if (error !== undefined) {
      const code = error.code === 'RESOURCE_EXHAUSTION' ? 'bundle-too-deep' : 'bundle-syntax';
      return { ok: false, fault: fault(code, [], error.message), spot: linePos(lines, error.pos[0]) };
    }
    contents = parsed.contents;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { ok: false, fault: fault('bundle-too-deep', [], 'the reader ran out of stack'), spot: START };
  }
  const bad: { fault: Fault; at: number }[] = [];
  const value = plain(contents, [], bad);
  const first = bad[0];
  if (first !== undefined) return { ok: false, fault: first.fault, spot: linePos(lines, first.at) };
  return { ok: true, document: { value, spot: (where) => yamlSpot(text, contents, lines, where) } };
}

/** The node's plain value; aliases, merge keys and keys that are no texts are refused: what is signed stands written. */
function plain(node: unknown, path: Path, bad: { fault: Fault; at: number }[]): unknown {
  if (bad.length > 0) return null;
  const at = startOf(node) ?? 0;
  if (path.length > MAX_NESTING) {
    bad.push({ fault: fault('bundle-too-deep', path.slice(0, 4), `deeper than ${MAX_NESTING} levels`), at });
    return null;
  }
  if (hasForeignTag(node)) {
    bad.push({ fault: fault('bundle-syntax', path, 'this tag is not allowed'), at });
    return null;
  }
  if (isMap(node)) {
    const object: Record<string, unknown> = {};
    for (const pair of node.items) {
      const key: unknown = isScalar(pair.key) ? pair.key.value : undefined;
      if (typeof key !== 'string' || key === '__proto__' || key === '<<') {
        bad.push({ fault: fault('bundle-syntax', path, 'this key is not allowed'), at: startOf(pair.key) ?? at });
        return null;
      }
      object[key] = plain(pair.value, [...path, key], bad);
    }
    return object;
  }
  if (isSeq(node)) return node.items.map((item, index) => plain(item, [...path, index], bad));
  if (isAlias(node)) {
    bad.push({ fault: fault('bundle-syntax', path, 'aliases are not allowed'), at });
    return null;
  }
  if (!isScalar(node)) return null;
  const value = node.value;
  if (typeof value === 'string' && LONE_SURROGATE.test(value))
    bad.push({ fault: fault('bundle-syntax', path, 'half of a surrogate pair stands in this text'), at });
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    bad.push({ fault: fault('bundle-syntax', path, 'numbers are whole and within ±(2^53−1)'), at });
  return value === undefined ? null : value;
}

/** JSON's own kinds, spelt out; any other tag would make something that has no JSON form. */
const JSON_TAGS: ReadonlySet<string> = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((kind) => `tag:yaml.org,2002:${kind}`),
);

function hasForeignTag(node: unknown): boolean {
  const tag = isMap(node) || isSeq(node) || isScalar(node) ? node.tag : undefined;
  return tag !== undefined && !JSON_TAGS.has(tag);
}

function yamlSpot(
  text: string,
  contents: Node | null,
  lines: LineCounter,
  { path, offset, atKey }: Pick<Fault, 'path' | 'offset' | 'atKey'>,
): Spot {
  let node: unknown = contents;
  let at = startOf(node) ?? 0;
  let whole = true;
  for (const [depth, key] of path.entries()) {
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (pair === undefined || !isPair(pair)) whole = false;
      else {
        next = pair.value;
        const keyAt = startOf(pair.key);
        if (keyAt !== null && (depth === path.length - 1 ? atKey === true : false)) return linePos(lines, keyAt);
        at = startOf(pair.value) ?? keyAt ?? at;
      }
    } else if (isSeq(node) && typeof key === 'number' && node.items[key] !== undefined) {
      next = node.items[key];
      at = startOf(next) ?? at;
    } else whole = false;
    if (!whole) break;
    node = next;
  }
  if (whole && offset !== undefined && isScalar(node)) return linePos(lines, inScalar(text, node, offset));
  return linePos(lines, at);
}

function inScalar(text: string, node: Scalar, offset: number): number {
  const start = startOf(node) ?? 0;
  const value = String(node.value);
  const token = node.srcToken;
  if (token?.type === 'block-scalar') {
    const header = token.props.at(-1);
    const body = header !== undefined && 'source' in header ? header.offset + header.source.length : start;
    return scalarSpot(text, { start: body, style: 'plain', value }, offset);
  }
  const quoted = token?.type === 'double-quoted-scalar' ? 'double' : 'single';
  const style = quoted === 'double' || token?.type === 'single-quoted-scalar' ? quoted : 'plain';
  return scalarSpot(text, { start, style, value }, offset);
}

function valueAt(value: unknown, path: Path): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Readonly<Record<PathKey, unknown>>)[key];
  }
  return here;
}

function startOf(node: unknown): number | null {
  if (isScalar(node) || isMap(node) || isSeq(node) || isAlias(node)) return node.range?.[0] ?? null;
  return null;
}

function linePos(lines: LineCounter, offset: number): Spot {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function spotAt(text: string, offset: number): Spot {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

/** An upper bound of flow nesting, brackets inside texts included: cheap, and told before the parser recurses. */
function deepestFlow(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, (depth += 1));
    else if ((code === 0x5d || code === 0x7d) && depth > 0) depth -= 1;
  }
  return deepest;
}
