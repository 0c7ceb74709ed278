import { findIdentifier } from './application-identifiers.ts';
import { MAX_ELEMENTS, valueFault, type Element } from './decode-elements.ts';

/** Primary keys and the qualifiers that may follow them in the path, in this order (GS1 Digital Link 1.2, 4.3–4.6). */
const PRIMARY_KEYS: ReadonlyMap<string, readonly (readonly string[])[]> = new Map([
  ['00', []],
  ['01', [['22', '10', '21'], ['235']]],
  ['253', []],
  ['255', []],
  ['401', []],
  ['402', []],
  ['414', [['254'], ['7040']]],
  ['415', [['8020']]],
  ['417', [['7040']]],
  ['8003', []],
  ['8004', [['7040']]],
  ['8006', [['22', '10', '21']]],
  ['8010', [['8011']]],
  ['8013', []],
  ['8017', [['8019']]],
  ['8018', [['8019']]],
]);

const GTIN_LENGTH = 14;

/** The elements of a GS1 Digital Link URI (uncompressed), in the order of the URI; `null` when it is just a URI. */
export function decodeDigitalLink(uri: string): readonly Element[] | null {
  const parts = /^https?:\/\/[^/?#]+(\/[^?#]*)(?:\?([^#]*))?(?:#.*)?$/i.exec(uri);
  if (parts === null) return null;
  const segments = (parts[1] ?? '').replace(/\/$/, '').split('/');
  // Any stem may stand before the key, so the last pair that can be a key is it.
  for (let at = segments.length - 2; at >= 1; at -= 1) {
    const qualifiers = PRIMARY_KEYS.get(segments[at] ?? '');
    if (qualifiers === undefined) continue;
    const path = readPath(segments.slice(at), qualifiers);
    if (path === null) continue;
    const query = readQuery(parts[2] ?? '');
    if (query === null || path.length + query.length > MAX_ELEMENTS) return null;
    return [...path, ...query];
  }
  return null;
}

function readPath(segments: readonly string[], orders: readonly (readonly string[])[]): readonly Element[] | null {
  if (segments.length % 2 !== 0) return null;
  const elements: Element[] = [];
  for (let at = 0; at < segments.length; at += 2) {
    const element = readElement(segments[at] ?? '', segments[at + 1] ?? '');
    if (element === null) return null;
    elements.push(element);
  }
  const given = elements.slice(1).map((element) => element.ai);
  const inOrder = (order: readonly string[]): boolean =>
    given.every((ai, index) => order.indexOf(ai) > (index === 0 ? -1 : order.indexOf(given[index - 1] ?? '')));
  return given.length === 0 || orders.some(inOrder) ? elements : null;
}

function readQuery(query: string): readonly Element[] | null {
  const elements: Element[] = [];
  for (const pair of query.split(/[&;]/)) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, Math.max(0, equals));
    // Names that are no application identifiers belong to the web site.
    if (!/^\d{2,4}$/.test(name)) continue;
    const element = readElement(name, pair.slice(equals + 1));
    if (element === null) return null;
    elements.push(element);
  }
  return elements;
}

function readElement(ai: string, encoded: string): Element | null {
  const identifier = findIdentifier(ai);
  const raw = percentDecoded(encoded);
  if (identifier === undefined || raw === null) return null;
  const value = ai === '01' && /^(?:\d{8}|\d{12,13})$/.test(raw) ? raw.padStart(GTIN_LENGTH, '0') : raw;
  return valueFault(identifier, value) === null ? { ai, value } : null;
}

function percentDecoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}
